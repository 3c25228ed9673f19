// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/spectrum_sample.h"

#include <limits>

#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/image/pixel_hash.h"
#include "hyperdefect/preprocess/preprocessed.h"

namespace hyperdefect::preprocess {

void SpectrumSample::add(const torch::Tensor& maps, const Preprocessed& block) {
  add(maps, block.counted(), block.window(), block.cube());
}

void SpectrumSample::add(const torch::Tensor& maps, const torch::Tensor& counted, const Window& window,
                         std::int64_t cube) {
  TORCH_CHECK(maps.dim() == 3 && counted.sizes() == maps.sizes().slice(1),
              "SpectrumSample: expected maps (channels, rows, cols) and counted (rows, cols), got ",
              maps.sizes(), " and ", counted.sizes());
  const auto pixels = counted.to(torch::kCPU).flatten().nonzero().flatten();
  const auto seed = derive_seed(0, text::concat("block ", cube));
  auto ranks = image::pixel_hash(window, std::numeric_limits<std::int64_t>::max(), seed)
                   .flatten()
                   .index_select(0, pixels);
  // Most pixels of a large block rank behind what is kept: only the others are copied.
  const auto chosen = std::get<1>(ranks.sort()).slice(0, 0, capacity_);
  ranks = ranks.index_select(0, chosen);
  auto spectra = maps.flatten(1).index_select(1, pixels.index_select(0, chosen).to(maps.device())).t().cpu();
  if (spectra_.defined()) {
    spectra = torch::cat({spectra_, spectra});
    ranks = torch::cat({ranks_, ranks});
  }
  const auto kept = std::get<1>(ranks.sort()).slice(0, 0, capacity_);
  spectra_ = spectra.index_select(0, kept);
  ranks_ = ranks.index_select(0, kept);
}

}  // namespace hyperdefect::preprocess
