// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/noise_bands.h"

#include <optional>
#include <string>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/preprocess/band_picker.h"
#include "hyperdefect/preprocess/sample_tiles.h"
#include "hyperdefect/spectral/noise_fraction.h"

namespace hyperdefect::preprocess {
namespace {

/// A band of which more is noise shows hardly anything of the scene.
constexpr double kMostlyNoise = 0.5;

using Sources = std::vector<std::shared_ptr<BlockSource>>;

torch::Tensor noise_of(const Sources& sources, const spectral::Bands& bands,
                       const PreprocessOptions& options) {
  spectral::NoiseFraction noise(bands.count);
  for (const auto& tile : sample_tiles(sources)) {
    std::optional<BandPicker> picker;
    try {
      picker.emplace(tile.source->bands(), bands, options);
    } catch (const ModelError&) {
      continue;  // Whoever binds a detector to this source says it in full.
    }
    auto block = tile.source->read(tile.window);
    block.values = picker->of(block.values);
    noise.add(block);
  }
  return noise.share();
}

}  // namespace

std::string listed(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> parts;
  for (std::size_t first = 0, last = 0; first < numbers.size(); first = ++last) {
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) {
      ++last;
    }
    parts.push_back(first == last ? text::concat(numbers[first])
                                  : text::concat(numbers[first], " to ", numbers[last]));
  }
  return text::join(parts, ", ");
}

PreprocessOptions without_noise_bands(PreprocessOptions options, const Sources& sources) {
  if (options.max_noise_fraction >= 1) {
    return options;
  }
  const auto& first = *sources.front();
  const auto indices = band_indices_in_use(first.bands(), options);
  const auto noise = noise_of(sources, spectral::select(first.bands(), indices), options);
  if (noise.median().item<double>() >= kMostlyNoise) {
    log::debug(text::concat(first.name(), ": most bands are mostly noise, all are kept"));
    return options;
  }
  std::vector<std::int64_t> dropped;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (noise[static_cast<std::int64_t>(i)].item<double>() > options.max_noise_fraction) {
      dropped.push_back(indices[i]);
    }
  }
  if (!dropped.empty()) {
    log::info(text::concat(
        first.name(), ": ", dropped.size(), " of ", text::pluralise(first.bands().count, "band"),
        " left out as noise (preprocess.max_noise_fraction), counted from 0: ", listed(dropped)));
    options.drop_bands.insert(options.drop_bands.end(), dropped.begin(), dropped.end());
  }
  return options;
}

}  // namespace hyperdefect::preprocess
