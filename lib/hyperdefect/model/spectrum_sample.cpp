// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/spectrum_sample.h"

#include <limits>

#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/corruption.h"
#include "hyperdefect/model/pixel_sample.h"

namespace hyperdefect::model {

void SpectrumSample::add(const torch::Tensor& values, const torch::Tensor& valid, const Window& window) {
  TORCH_CHECK(values.dim() == 3 && valid.sizes() == values.sizes().slice(1),
              "SpectrumSample: expected values (channels, rows, cols) and valid (rows, cols), got ",
              values.sizes(), " and ", valid.sizes());
  const auto pixels = valid.flatten().nonzero().flatten();
  const auto seed = derive_seed(0, text::cat("block ", blocks_++));
  const auto order = pixel_choice(window, std::numeric_limits<std::int64_t>::max(), seed).flatten();
  auto spectra = columns_at(values, pixels).t();
  auto ranks = order.index_select(0, pixels);
  if (spectra_.defined()) {
    spectra = torch::cat({spectra_, spectra});
    ranks = torch::cat({ranks_, ranks});
  }
  const auto kept = std::get<1>(ranks.sort()).slice(0, 0, capacity_);
  spectra_ = spectra.index_select(0, kept);
  ranks_ = ranks.index_select(0, kept);
}

}  // namespace hyperdefect::model
