// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/detector.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::model {

std::vector<Loss> Detector::losses(const Batch&, at::Generator&) {
  throw Error(text::cat(name(), " is not trained by gradient"));
}

torch::Tensor Detector::loss(const Batch& batch, at::Generator& generator) {
  for (const auto& task : preparations(batch, generator)) {
    task();
  }
  auto sum = torch::zeros({});
  for (const auto& one : losses(batch, generator)) {
    const auto value = one();
    sum = sum.to(value.device()) + value;
  }
  return sum;
}

}  // namespace hyperdefect::model
