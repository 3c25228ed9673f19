// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/extreme_pixels.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/preprocess/band_picker.h"
#include "hyperdefect/preprocess/sample_tiles.h"
#include "hyperdefect/preprocess/source_decorator.h"
#include "hyperdefect/spectral/usual_range.h"

namespace hyperdefect::preprocess {
namespace {

/// Enough for quantiles of 1 %, and soon sorted.
constexpr std::int64_t kSampledPixels = 1 << 13;
constexpr double kMostLeftOut = 0.1;
constexpr const char* kAdvice = "; if such values mark missing data, set data.no_data";

using Sources = std::vector<std::shared_ptr<BlockSource>>;

/// The pixels of a block where `which` (rows, cols) is true, as (bands, n), and their places (n).
struct Columns {
  torch::Tensor values;
  torch::Tensor places;
};

Columns columns_where(const torch::Tensor& which, const torch::Tensor& values) {
  const auto places = which.flatten().nonzero().flatten();
  return {values.flatten(-2).index_select(-1, places), places};
}

/// The most extreme of pixels (bands, n) that lie outside the range.
ExtremePixels::Example example_of(const Columns& outside, const spectral::UsualRange& range,
                                  const Window& window, const std::string& cube) {
  const auto usual = outside.values.ge(range.lowest.unsqueeze(1))
                         .logical_and_(outside.values.le(range.highest.unsqueeze(1)));
  const auto sizes = outside.values.abs().masked_fill(usual, 0).nan_to_num(0.0);
  const auto place = sizes.argmax().item<std::int64_t>();
  const auto band = place / sizes.size(1);
  const auto pixel = outside.places[place % sizes.size(1)].item<std::int64_t>();
  return {outside.values[band][place % sizes.size(1)].item<double>(), band, window.row + pixel / window.cols,
          window.col + pixel % window.cols, cube};
}

/// A source in which extreme pixels are not valid. Each pixel is looked at once.
class UsualPixels : public SourceDecorator {
 public:
  UsualPixels(std::shared_ptr<BlockSource> source, BandPicker picker, std::vector<std::int64_t> bands_in_cube,
              spectral::UsualRange range, std::shared_ptr<ExtremePixels> record)
      : SourceDecorator(std::move(source)),
        picker_(std::move(picker)),
        bands_in_cube_(std::move(bands_in_cube)),
        range_(std::move(range)),
        record_(std::move(record)),
        seen_(torch::zeros({size().rows, size().cols}, torch::kBool)),
        extreme_(torch::zeros_like(seen_)) {}

  spectral::Block read(const Window& window) override {
    auto block = source().read(window);
    if (!image::crop(seen_, window).all().item<bool>()) {
      look_at(block);
    }
    const auto extreme = image::crop(extreme_, window);
    if (extreme.any().item<bool>()) {
      block.valid = block.valid.logical_and(extreme.logical_not());
    }
    return block;
  }

 private:
  void look_at(const spectral::Block& block) {
    const torch::NoGradGuard no_gradient;
    const auto seen = image::crop(seen_, block.window);
    const auto fresh = block.valid.logical_and(seen.logical_not());
    const auto values = picker_.of(block.values);
    const auto extreme = spectral::is_outside(values, range_).logical_and_(fresh);
    seen.fill_(true);
    image::crop(extreme_, block.window).logical_or_(extreme);
    const auto outside = columns_where(extreme, values);
    record_->count(fresh.sum().item<std::int64_t>(), outside.places.numel());
    if (outside.places.numel() > 0) {
      auto example = example_of(outside, range_, block.window, name());
      example.band = bands_in_cube_[static_cast<std::size_t>(example.band)];
      record_->remember(example);
    }
  }

  BandPicker picker_;
  std::vector<std::int64_t> bands_in_cube_;
  spectral::UsualRange range_;
  std::shared_ptr<ExtremePixels> record_;
  torch::Tensor seen_;
  torch::Tensor extreme_;
};

/// The number that each band of the model has in the cube; if it is mixed of several, its number in the
/// model.
std::vector<std::int64_t> numbers_in_cube(const spectral::Bands& cube, const spectral::Bands& bands,
                                          const PreprocessOptions& options) {
  auto numbers = band_indices_in_use(cube, options);
  if (static_cast<std::int64_t>(numbers.size()) != bands.count) {
    numbers.resize(static_cast<std::size_t>(bands.count));
    std::iota(numbers.begin(), numbers.end(), 0);
  }
  return numbers;
}

/// (bands, n): valid spectra, evenly spread.
torch::Tensor sampled_spectra(const Sources& sources, const spectral::Bands& bands,
                              const PreprocessOptions& options) {
  const auto tiles = sample_tiles(sources);
  const auto share = std::max<std::int64_t>(1, kSampledPixels / static_cast<std::int64_t>(tiles.size()));
  std::vector<torch::Tensor> spectra{torch::empty({bands.count, 0})};
  for (const auto& tile : tiles) {
    const auto block = tile.source->read(tile.window);
    const auto pixels = block.valid.flatten().nonzero().flatten();
    const auto step = std::max<std::int64_t>(1, (pixels.numel() + share - 1) / share);
    const auto chosen = pixels.slice(0, 0, pixels.numel(), step);
    const auto columns = block.values.flatten(1).index_select(1, chosen).unsqueeze(-1);
    spectra.push_back(BandPicker(tile.source->bands(), bands, options).of(columns).squeeze(-1));
  }
  return torch::cat(spectra, 1);
}

}  // namespace

std::string ExtremePixels::Example::words() const {
  return text::concat(value, " in band ", band, " at row ", row, ", column ", col, " of ", cube,
                      ", all counted from 0");
}

void ExtremePixels::count(std::int64_t pixels, std::int64_t left_out) {
  pixels_ += pixels;
  left_out_ += left_out;
}

void ExtremePixels::remember(const Example& example) {
  if (std::abs(example.value) > std::abs(worst_.value)) {
    worst_ = example;
  }
}

void ExtremePixels::warn() const {
  if (left_out_ > 0) {
    log::warning(text::concat("left ", left_out_, " of ", text::pluralise(pixels_, "pixel"),
                              " out of the fit, because their values are far outside the usual range (",
                              worst_.words(), ")", kAdvice));
  }
}

std::shared_ptr<ExtremePixels> ExtremePixels::leave_out(Sources& sources, const spectral::Bands& bands,
                                                        const PreprocessOptions& options) {
  auto record = std::make_shared<ExtremePixels>();
  const auto sample = sampled_spectra(sources, bands, options);
  if (sample.size(1) == 0) {
    return record;
  }
  auto range = spectral::usual_range(sample);
  const auto widest = spectral::widest_range(bands.count);
  const auto share = spectral::is_outside(sample, range)
                         .logical_and(spectral::is_outside(sample, widest).logical_not())
                         .to(torch::kDouble)
                         .mean()
                         .item<double>();
  if (share > kMostLeftOut) {
    log::warning(
        text::concat(sources.front()->name(), ": the values of ", std::round(share * 100),
                     " % of the pixels are far outside the range of the others: too many to be left out "
                     "of the fit",
                     kAdvice));
    range = widest;
  }
  for (auto& source : sources) {
    const auto& cube = source->bands();
    source = std::make_shared<UsualPixels>(source, BandPicker(cube, bands, options),
                                           numbers_in_cube(cube, bands, options), range, record);
  }
  return record;
}

}  // namespace hyperdefect::preprocess
