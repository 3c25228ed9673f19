// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/product_region.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/window_plan.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/io/region_reader.h"
#include "hyperdefect/io/regions.h"
#include "hyperdefect/preprocess/band_picker.h"
#include "hyperdefect/preprocess/sample_tiles.h"
#include "hyperdefect/preprocess/spectrum_sample.h"

namespace hyperdefect::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::array kMaskEndings{".png", ".tif"};

/// Of the optics: on public wafers and food, pixels that are mixed with the background reach this far.
constexpr std::int64_t kMixedBorderPx = 2;
constexpr std::int64_t kSampledPixels = 20'000;
/// FoundSplit::between: two materials have 0.01 to 0.12 on public wafers and food, one that is cut in halves
/// has 0.2 to 0.35.
constexpr double kClearlyApart = 0.15;
/// A material of less than this share is the smaller one; which of two nearly equal ones is, chance decides.
constexpr double kClearlySmaller = 0.4;
/// Brightest by darkest pixels of one material.
constexpr double kOneMaterial = 2.0;
/// Of the product's pixels.
constexpr double kLargestHole = 0.02;
/// The logarithm and the values of a band of a pixel, and what is made of them.
constexpr std::int64_t kBytesPerValue = 32;

std::int64_t border_of(const model::DataOptions& options, std::int64_t by_default) {
  return options.region_border_px >= 0 ? options.region_border_px : by_default;
}

std::string percent(double share) {
  return text::to_text(std::round(share * 1000) / 10) + " %";
}

/// The cube's names below a folder of masks, the best first, without ending.
std::vector<fs::path> names_of(const files::CubeInput& cube) {
  std::vector<fs::path> names;
  for (const auto& folder : {cube.relative.parent_path(), fs::path()}) {
    names.push_back(folder / cube.relative.filename());
    names.push_back(folder / cube.path.stem());
  }
  return names;
}

/// The masks of one name.
std::vector<fs::path> masks_named(const fs::path& name, const fs::path& cube) {
  std::vector<fs::path> found;
  for (const auto* ending : kMaskEndings) {
    fs::path file = name.string() + ending;
    std::error_code failure;
    if (fs::is_regular_file(file, failure) && !fs::equivalent(file, cube, failure)) {
      found.push_back(std::move(file));
    }
  }
  return found;
}

fs::path mask_in(const fs::path& folder, const files::CubeInput& cube) {
  const auto names = names_of(cube);
  for (const auto& name : names) {
    const auto found = masks_named(folder / name, cube.path);
    if (found.size() > 1) {
      throw InputError(text::concat(found[0].string(), " and ", found[1].filename().string(),
                                    ": are both the region of ", cube.path.string(), "; keep one of them"));
    }
    if (!found.empty()) {
      return found.front();
    }
  }
  throw InputError(text::concat(cube.path.string(), ": has no mask of the product in ", folder.string(),
                                " (data.region): there is no ", (folder / names.front()).string(),
                                ".png or .tif"));
}

}  // namespace

bool names_a_file(const model::DataOptions& options) {
  return options.region != model::kNoRegion && !model::automatic_region(options.region);
}

void check_region(const model::DataOptions& options) {
  if (!names_a_file(options)) {
    return;
  }
  const fs::path path(options.region);
  std::error_code failure;
  if (path.empty() || !fs::exists(path, failure)) {
    throw ConfigError(text::concat("data.region: ", path.empty() ? "the path is empty" : path.string(),
                                   path.empty() ? "" : " does not exist",
                                   ": give polygons, a mask image, a folder of masks, auto, or none"));
  }
  if (!fs::is_directory(path, failure)) {
    io::check_region_file(path);
  }
}

std::optional<fs::path> region_file_of(const files::CubeInput& cube, const model::DataOptions& options) {
  if (!names_a_file(options)) {
    return std::nullopt;
  }
  std::error_code failure;
  const fs::path path(options.region);
  return fs::is_directory(path, failure) ? mask_in(path, cube) : path;
}

void apply_region_file(CubeSource& source, const files::CubeInput& cube, const model::DataOptions& options) {
  const auto file = region_file_of(cube, options);
  if (!file) {
    return;
  }
  const auto border = border_of(options, 0);
  const auto region = io::eroded(io::read_region(*file, source.info()), border);
  if (!region.any().item<bool>()) {
    throw InputError(text::concat(file->string(), ": no pixel of the region is ", border,
                                  " pixels inside its border: lower data.region_border_px"));
  }
  source.set_region(region);
}

namespace {

/// The bands of the first source that the options leave in use, without empty ones.
std::vector<std::int64_t> indices_in_use(const spectral::Bands& bands, const std::vector<std::int64_t>& empty,
                                         preprocess::PreprocessOptions options) {
  options.drop_bands.insert(options.drop_bands.end(), empty.begin(), empty.end());
  return preprocess::band_indices_in_use(bands, options);
}

void refuse_equal_materials(const spectral::FoundSplit& found, model::ProductMaterial product) {
  const bool by_size =
      product == model::ProductMaterial::larger || product == model::ProductMaterial::smaller;
  if (by_size && std::min(found.upper_share, 1 - found.upper_share) > kClearlySmaller) {
    throw InputError(text::concat("data.region: the two materials are nearly equally large (",
                                  percent(found.upper_share), " and ", percent(1 - found.upper_share),
                                  "): choose auto_brighter or auto_darker"));
  }
}

bool upper_is(const spectral::FoundSplit& found, model::ProductMaterial product) {
  switch (product) {
    case model::ProductMaterial::larger:
      return found.upper_share >= 0.5;
    case model::ProductMaterial::smaller:
      return found.upper_share < 0.5;
    case model::ProductMaterial::brighter:
      return found.brightness_ratio > 1;
    default:
      return found.brightness_ratio <= 1;
  }
}

/// The split with the product above it, moved to a third of the way from the background: what is half
/// background is a defect, or lies at the border, which is left out by its width.
spectral::MaterialSplit towards_background(const spectral::FoundSplit& found, bool product_is_upper) {
  auto split = product_is_upper ? found.split : found.split.opposite();
  split.offset -= found.half_distance / 3;
  return split;
}

std::string remark_on(const spectral::FoundSplit& found, bool product_is_upper) {
  const double share = product_is_upper ? found.upper_share : 1 - found.upper_share;
  const bool brighter = (found.brightness_ratio > 1) == product_is_upper;
  return text::concat("data.region: the product is the ", brighter ? "brighter" : "darker",
                      " of two materials and has ", percent(share), " of the pixels; ",
                      percent(found.share_between), " lie between the two. If that is the background, ",
                      "choose the other one: ", brighter ? "auto_darker" : "auto_brighter");
}

/// What is not in the product by its spectra is a hole if it is small and enclosed.
torch::Tensor without_holes(const torch::Tensor& product) {
  const auto pixels = product.sum().item<double>();
  return io::with_small_holes_filled(product, static_cast<std::int64_t>(kLargestHole * pixels));
}

}  // namespace

ProductSample::ProductSample(const Sources& sources, const preprocess::PreprocessOptions& options)
    : bands_(sources.front()->bands()),
      empty_(sources.front()->empty_bands()),
      indices_(indices_in_use(bands_, empty_, options)) {
  auto matched = options;
  matched.drop_bands.insert(matched.drop_bands.end(), empty_.begin(), empty_.end());
  const auto wanted = preprocess::bands_in_use(bands_, matched);
  preprocess::SpectrumSample sample(kSampledPixels);
  for (const auto& tile : preprocess::sample_tiles(sources)) {
    std::optional<preprocess::BandPicker> picker;
    try {
      picker.emplace(tile.source->bands(), wanted, matched);
    } catch (const ModelError&) {
      continue;  // Whoever binds a detector to this source says it in full.
    }
    const auto block = tile.source->read(tile.window);
    std::int64_t cube = 0;
    while (sources[static_cast<std::size_t>(cube)].get() != tile.source) {
      ++cube;
    }
    sample.add(picker->of(block.values), block.valid, tile.window, cube);
  }
  if (sample.count() == 0) {
    throw InputError(text::concat(sources.front()->name(),
                                  ": no pixel is valid, so that data.region=auto finds no product; check "
                                  "no-data values and the cube's content"));
  }
  spectra_ = sample.spectra();
}

ProductSplit ProductSample::split(const preprocess::PreprocessOptions& options,
                                  model::ProductMaterial product) const {
  std::vector<std::int64_t> columns;
  const auto wanted = indices_in_use(bands_, empty_, options);
  for (std::size_t i = 0; i < indices_.size(); ++i) {
    if (std::find(wanted.begin(), wanted.end(), indices_[i]) != wanted.end()) {
      columns.push_back(static_cast<std::int64_t>(i));
    }
  }
  const auto spectra = spectra_.index_select(1, torch::tensor(columns, torch::kLong));
  const auto found = spectral::find_material_split(spectra);
  if (found && found->between <= kClearlyApart) {
    refuse_equal_materials(*found, product);
    const bool upper = upper_is(*found, product);
    return {towards_background(*found, upper), remark_on(*found, upper)};
  }
  const double range = std::round(spectral::brightness_range(spectra) * 100) / 100;
  if (range <= kOneMaterial) {
    return {std::nullopt,
            text::concat("data.region: there is one material only (the brightest pixels are ", range,
                         " times as bright as the darkest), so that the whole image is the product")};
  }
  throw InputError(text::concat(
      "data.region=auto cannot tell the product from the background: ",
      found ? percent(found->share_between) + " of the pixels lie between the two materials"
            : std::string("no two materials differ clearly"),
      ", and the brightest pixels are ", range,
      " times as bright as the darkest: give polygons or masks of the product (data.region), or none"));
}

void apply_product_split(CubeSource& source, const spectral::Bands& bands, const model::RunConfig& config,
                         const std::optional<spectral::MaterialSplit>& split, ProgressMonitor& monitor) {
  if (!split) {
    return;
  }
  source.set_region({});
  const preprocess::BandPicker picker(source.bands(), bands, config.detector.preprocess);
  const auto size = source.size();
  auto product = torch::zeros({size.rows, size.cols}, torch::kBool);
  const PlanLimits limits{source.bands().count * kBytesPerValue, config.run.ram_mb << 20, {1, 1}};
  for (const auto& tile : plan_windows(size, ReceptiveField{}, limits)) {
    if (monitor.stop_requested()) {
      throw Interrupted(text::concat("stopped while looking for the product in ", source.name()));
    }
    const auto block = source.read(tile.write);
    const auto is_product = spectral::split_values(picker.of(block.values), *split) > 0;
    image::crop(product, tile.write).copy_(is_product.logical_or(block.valid.logical_not()));
  }
  const auto border = border_of(config.data, kMixedBorderPx);
  const auto region = io::eroded(without_holes(product), border);
  if (!region.any().item<bool>()) {
    throw InputError(
        text::concat(source.name(), ": no pixel looks like the product (data.region=", config.data.region,
                     ") and is ", border, " pixels inside its border: look at the cube, or give a mask"));
  }
  source.set_region(region);
}

}  // namespace hyperdefect::engine
