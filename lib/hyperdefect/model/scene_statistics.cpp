// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/scene_statistics.h"

#include <limits>

#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/corruption.h"
#include "hyperdefect/model/pixel_sample.h"

namespace hyperdefect::model {

void SceneStatistics::observe(PreprocessImpl& preprocess, const spectral::Block& block) {
  const auto transformed = preprocess.transformed(preprocess.matched(block.values));
  preprocess.observe(transformed, block.valid);
  sample(transformed, block);
}

/// Keeps the spectra whose random rank is lowest over all blocks: an even sample of unknown many pixels.
void SceneStatistics::sample(const torch::Tensor& transformed, const spectral::Block& block) {
  const auto pixels = block.valid.flatten().nonzero().flatten();
  const auto seed = derive_seed(0, text::cat("block ", blocks_++));
  const auto order = pixel_choice(block.window, std::numeric_limits<std::int64_t>::max(), seed).flatten();
  auto spectra = columns_at(transformed, pixels).t();
  auto ranks = order.index_select(0, pixels);
  if (spectra_.defined()) {
    spectra = torch::cat({spectra_, spectra});
    ranks = torch::cat({ranks_, ranks});
  }
  const auto kept = std::get<1>(ranks.sort()).slice(0, 0, capacity_);
  spectra_ = spectra.index_select(0, kept);
  ranks_ = ranks.index_select(0, kept);
}

bool SceneStatistics::finish(PreprocessImpl& preprocess) {
  preprocess.finish();
  trimmed_ = trims_ && !trimmed_;
  if (trimmed_) {
    preprocess.trim_like(spectra_.t());
    spectra_.reset();
    ranks_.reset();
  }
  blocks_ = 0;
  return trimmed_;
}

torch::Tensor SceneStatistics::take_spectra(const PreprocessImpl& preprocess) {
  const torch::NoGradGuard no_gradient;
  const auto repeated =
      spectra_.index_select(0, torch::arange(capacity_, torch::kLong).remainder(spectra_.size(0)));
  const auto column = preprocess.on_device(
      {repeated.t().unsqueeze(-1).contiguous(), torch::ones({capacity_, 1}, torch::kBool), {}, {}});
  spectra_.reset();
  ranks_.reset();
  return preprocess.whitened(column.values, column.valid).squeeze(-1).t();
}

}  // namespace hyperdefect::model
