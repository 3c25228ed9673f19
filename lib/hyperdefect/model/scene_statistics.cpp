// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/scene_statistics.h"

namespace hyperdefect::model {

void SceneStatistics::observe(PreprocessImpl& preprocess, const spectral::Block& block) {
  const auto transformed = preprocess.transformed(preprocess.matched(block.values));
  preprocess.observe(transformed, block.valid);
  sample_.add(transformed, block.valid, block.window);
}

bool SceneStatistics::finish(PreprocessImpl& preprocess) {
  preprocess.finish();
  trimmed_ = trims_ && !trimmed_;
  if (trimmed_) {
    preprocess.trim_like(sample_.spectra().t());
    sample_ = SpectrumSample(capacity_);
  }
  return trimmed_;
}

torch::Tensor SceneStatistics::take_spectra(const PreprocessImpl& preprocess) {
  const torch::NoGradGuard no_gradient;
  const auto places = torch::arange(capacity_, torch::kLong).remainder(sample_.count());
  const auto repeated = sample_.spectra().index_select(0, places);
  const auto column = preprocess.on_device(
      {repeated.t().unsqueeze(-1).contiguous(), torch::ones({capacity_, 1}, torch::kBool), {}, {}});
  sample_ = SpectrumSample(capacity_);
  return preprocess.whitened(column.values, column.valid).squeeze(-1).t();
}

}  // namespace hyperdefect::model
