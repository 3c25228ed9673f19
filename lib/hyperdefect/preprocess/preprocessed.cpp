// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/preprocessed.h"

namespace hyperdefect::preprocess {

Preprocessed::Preprocessed(const PreprocessImpl& preprocess, const spectral::Block& block,
                           const torch::Tensor& counted)
    : preprocess_(&preprocess), block_(block) {
  block_.values = block.values.to(preprocess.device());
  block_.valid = block.valid.to(preprocess.device());
  counted_ = counted.defined() ? block_.valid.logical_and(counted.to(preprocess.device())) : block_.valid;
}

const torch::Tensor& Preprocessed::features() const {
  if (!features_.defined()) {
    features_ = preprocess_->features_of(block_.values);
  }
  return features_;
}

torch::Tensor Preprocessed::components(const ComponentSpec& spec) const {
  if (!scores_.defined()) {
    scores_ = preprocess_->scores(features(), block_.valid);
  }
  return preprocess_->components(scores_, spec);
}

const torch::Tensor& Preprocessed::once(const std::string& what,
                                        const std::function<torch::Tensor()>& make) const {
  const auto found = shared_.find(what);
  return found != shared_.end() ? found->second : shared_.emplace(what, make()).first->second;
}

}  // namespace hyperdefect::preprocess
