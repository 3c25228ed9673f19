// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/drift.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/preprocess/source_decorator.h"

namespace hyperdefect::engine {
namespace {

constexpr double kPixels = 8192;
constexpr std::int64_t kFewestPixels = 16;
/// From here on single rows are read, so that a large cube is not read as a whole.
constexpr std::int64_t kWideStride = 4;
constexpr std::size_t kWantedParts = 5;
constexpr std::int64_t kFewestRows = 4;

/// Pairs of neighbouring valid pixels.
struct Pairs {
  std::vector<torch::Tensor> spectra;
  std::vector<torch::Tensor> neighbours;

  /// Every so many rows and columns of the block, in the detector's bands. Neighbours lie beside each other;
  /// in a single column, below each other.
  void add(const spectral::Block& block, std::int64_t row_stride, std::int64_t col_stride) {
    const auto along = block.valid.size(1) > 1 ? -1 : -2;
    const auto pairs = block.valid.size(along) - 1;
    const auto sampled = [&](const torch::Tensor& map, std::int64_t shift) {
      return map.slice(along, shift, pairs + shift)
          .slice(-2, 0, std::nullopt, row_stride)
          .slice(-1, 0, std::nullopt, col_stride);
    };
    const auto valid = sampled(block.valid, 0).logical_and(sampled(block.valid, 1));
    const auto picked = [&](std::int64_t shift) {
      return sampled(block.values, shift).permute({1, 2, 0}).index({valid});
    };
    spectra.push_back(picked(0));
    neighbours.push_back(picked(1));
  }
};

std::optional<spectral::Bulk> bulk_of(const detector::Pipeline& detector, preprocess::BlockSource& source,
                                      const Window& part) {
  const auto picker = detector.picker(source.bands());
  const auto stride = std::max<std::int64_t>(
      1,
      static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(part.rows * part.cols) / kPixels))));
  Pairs pairs;
  if (stride < kWideStride) {
    pairs.add(picker.of(source.read(part)), stride, stride);
  } else {
    const std::int64_t rows = part.cols > 1 ? 1 : 2;
    for (auto row = part.row; row + rows <= part.end_row(); row += stride) {
      pairs.add(picker.of(source.read({row, part.col, rows, part.cols})), 1, stride);
    }
  }
  const auto spectra = torch::cat(pairs.spectra);
  return spectra.size(0) < kFewestPixels
             ? std::nullopt
             : std::optional(spectral::bulk_of(spectra, torch::cat(pairs.neighbours)));
}

/// Another factor for each band.
class AdaptedSource : public preprocess::SourceDecorator {
 public:
  /// @param factors (bands, 1, 1)
  AdaptedSource(std::shared_ptr<preprocess::BlockSource> source, torch::Tensor factors)
      : SourceDecorator(std::move(source)), factors_(std::move(factors)) {}

  spectral::Block read(const Window& window) override {
    auto block = source().read(window);
    block.values = block.values * factors_;
    return block;
  }

 private:
  torch::Tensor factors_;
};

/// The factors of a cube's bands from those of the model's, interpolated where the model's bands lie.
torch::Tensor factors_of_cube(const preprocess::BandPicker& picker, std::int64_t bands,
                              const std::vector<double>& factors) {
  const auto places =
      picker.of(torch::arange(bands, torch::kFloat).reshape({bands, 1, 1})).flatten().to(torch::kDouble);
  std::vector<std::pair<double, double>> known;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    known.emplace_back(places[static_cast<std::int64_t>(i)].item<double>(), factors[i]);
  }
  std::sort(known.begin(), known.end());
  auto all = torch::empty({bands, 1, 1});
  for (std::int64_t band = 0; band < bands; ++band) {
    const auto place = static_cast<double>(band);
    const auto next = std::lower_bound(known.begin(), known.end(), place,
                                       [](const auto& one, double wanted) { return one.first < wanted; });
    if (next == known.begin() || next == known.end()) {
      all[band] = next == known.end() ? known.back().second : next->second;
      continue;
    }
    const auto& [left, left_factor] = *std::prev(next);
    const double part = next->first > left ? (place - left) / (next->first - left) : 1.0;
    all[band] = left_factor + part * (next->second - left_factor);
  }
  return all;
}

}  // namespace

std::optional<spectral::Bulk> bulk_of(const detector::Pipeline& detector, preprocess::BlockSource& source) {
  return bulk_of(detector, source, whole(source.size()));
}

CubeBulks bulks_of(const detector::Pipeline& detector, preprocess::BlockSource& source, std::size_t cubes) {
  CubeBulks bulks;
  bulks.whole = bulk_of(detector, source);
  const auto size = source.size();
  const auto wanted = static_cast<std::int64_t>((kWantedParts + cubes - 1) / cubes);
  const auto parts = std::clamp<std::int64_t>(size.rows / kFewestRows, 1, wanted);
  for (std::int64_t i = 0; i < parts; ++i) {
    const auto first = size.rows * i / parts;
    const auto part =
        parts == 1 ? bulks.whole
                   : bulk_of(detector, source, {first, 0, size.rows * (i + 1) / parts - first, size.cols});
    if (part) {
      bulks.parts.push_back(*part);
    }
  }
  return bulks;
}

std::shared_ptr<preprocess::BlockSource> adapted(std::shared_ptr<preprocess::BlockSource> source,
                                                 const model::FittedModel& model,
                                                 const std::optional<spectral::Bulk>& bulk) {
  const auto adapt = model.config.drift.adapt;
  if (adapt == model::DriftAdaptation::none || !model.drift || !bulk) {
    return source;
  }
  const auto picker = model.detector->picker(source->bands());
  auto factors =
      factors_of_cube(picker, source->bands().count, model::adapting_factors(*bulk, *model.drift, adapt));
  return std::make_shared<AdaptedSource>(std::move(source), std::move(factors));
}

void set_drift(model::FittedModel& model, std::vector<std::shared_ptr<preprocess::BlockSource>>& sources) {
  std::vector<spectral::Bulk> parts;
  std::vector<std::optional<spectral::Bulk>> wholes;
  for (const auto& source : sources) {
    auto bulks = bulks_of(*model.detector, *source, sources.size());
    wholes.push_back(bulks.whole);
    parts.insert(parts.end(), bulks.parts.begin(), bulks.parts.end());
  }
  set_drift(model, parts);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    sources[i] = adapted(sources[i], model, wholes[i]);
  }
}

void set_drift(model::FittedModel& model, const std::vector<spectral::Bulk>& parts) {
  if (parts.size() < model::kLeastForDrift) {
    log::warning(
        "the cubes are too small to tell how much they vary as a whole, so that drift is not judged");
    model.drift.reset();
    return;
  }
  const bool keeps = model.drift && model.config.drift.adapt != model::DriftAdaptation::none;
  model.drift =
      keeps ? model::drift_reference(parts, model.drift->log_spectrum) : model::drift_reference(parts);
}

}  // namespace hyperdefect::engine
