// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/references.h"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/gdal_dataset.h"
#include "hyperdefect/format/open_cube.h"
#include "hyperdefect/format/pixel_flags.h"
#include "hyperdefect/format/pixel_state.h"
#include "hyperdefect/io/cube_survey.h"
#include "hyperdefect/io/raw_values.h"

namespace hyperdefect::io {
namespace {

/// Values that are read at once.
constexpr std::int64_t kReadValues = 4 << 20;
/// Two lists of wavelengths are of one camera if they differ by less than this part of the distance between
/// bands: headers are rounded differently, but a shift by one band is another axis.
constexpr double kPartOfABand = 0.25;

/// The largest value of an integer type, which a camera of its depth gives if it is saturated.
double largest_value(const format::CubeInfo& info) {
  const auto bits = static_cast<int>(8 * info.bytes_per_value);
  if (info.data_type.starts_with("uint")) {
    return std::ldexp(1.0, bits) - 1;
  }
  return info.data_type.starts_with("int") ? std::ldexp(1.0, bits - 1) - 1
                                           : std::numeric_limits<double>::infinity();
}

std::vector<format::BandRule> reference_rules(const format::CubeInfo& info,
                                              const format::ReadOptions& options) {
  auto rules = format::rules_of(info, options);
  for (auto& rule : rules) {
    rule.saturation = options.saturation.value_or(largest_value(info));
    // Zero is a dark signal like any other, also if it marks missing pixels in a cube.
    std::erase_if(rule.no_data, [](const format::ValueRange& r) { return r.least <= 0 && r.most >= 0; });
  }
  return rules;
}

/// What was read of a reference so far.
struct LineSums {
  explicit LineSums(const format::CubeInfo& info)
      : sums(torch::zeros({info.bands.count, info.cols}, torch::kDouble)),
        lines(torch::zeros_like(sums)),
        saturated(torch::zeros_like(sums, torch::kBool)) {}

  void add(const torch::Tensor& raw, std::int64_t band, const torch::Tensor& states) {
    const auto valid = states.eq(static_cast<std::uint8_t>(format::PixelState::valid));
    sums[band] += raw.to(torch::kDouble).masked_fill(valid.logical_not(), 0).sum(0);
    lines[band] += valid.sum(0);
    saturated[band].logical_or_(states.eq(static_cast<std::uint8_t>(format::PixelState::saturated)).any(0));
  }

  /// (bands, cols) float64; NaN for an element without a valid value or with a saturated one.
  torch::Tensor means() const {
    return (sums / lines).masked_fill(saturated, std::numeric_limits<double>::quiet_NaN());
  }

  torch::Tensor sums;
  torch::Tensor lines;
  torch::Tensor saturated;
};

torch::Tensor line_means(const format::CubeInfo& info, const format::ReadOptions& options) {
  const format::GdalErrors errors;
  const auto dataset = format::open_cube(info, options);
  if (!dataset) {
    throw InputError(text::concat(info.path.string(), ": cannot be read: ", errors.reason()));
  }
  const auto rules = reference_rules(info, options);
  LineSums sums(info);
  for (const auto& window : scan_windows(info, info.bands.count, kReadValues)) {
    const auto raw = raw_values(*dataset, info, window, all_bands(info));
    for (std::int64_t band = 0; band < info.bands.count; ++band) {
      format::PixelFlags flags(static_cast<std::size_t>(window.pixels()));
      judge(raw, band, rules[static_cast<std::size_t>(band)], flags);
      sums.add(raw[band], band, flags.states(window, false));
    }
  }
  return sums.means();
}

/// A reference and the cube that it is for.
class Reference {
 public:
  Reference(std::string_view kind, const format::CubeInfo& info, const format::CubeInfo& cube)
      : kind_(kind), info_(info), cube_(cube) {
    check_size(info_.cols, cube_.cols, "column");
    check_size(info_.bands.count, cube_.bands.count, "band");
    check_wavelengths();
  }

  torch::Tensor means(const format::ReadOptions& options) const { return line_means(info_, options); }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw InputError(text::concat(info_.path.string(), ": cannot be the ", kind_, " reference of ",
                                  cube_.path.string(), ": ", why, "; name another one with data.", kind_,
                                  ", or set data.references=none to keep the values of the file"));
  }

  void check_size(std::int64_t own, std::int64_t of_cube, std::string_view noun) const {
    if (own != of_cube) {
      refuse(text::concat("it has ", text::pluralise(own, noun), ", and the cube has ", of_cube));
    }
  }

  void check_wavelengths() const {
    const auto& own = info_.bands.wavelengths_nm;
    const auto& of_cube = cube_.bands.wavelengths_nm;
    if (own.size() != of_cube.size() || own.size() < 2) {
      return;
    }
    const double step = std::abs(of_cube.back() - of_cube.front()) / static_cast<double>(of_cube.size() - 1);
    for (std::size_t band = 0; band < own.size(); ++band) {
      if (std::abs(own[band] - of_cube[band]) > kPartOfABand * step) {
        refuse(text::concat("its band ", band, " (counted from 0) is at ", text::to_text(own[band]),
                            " nm, and that of the cube is at ", text::to_text(of_cube[band]), " nm"));
      }
    }
  }

  std::string_view kind_;
  const format::CubeInfo& info_;
  const format::CubeInfo& cube_;
};

void check_usable(const spectral::ReflectanceConverter& converter, const References& references) {
  const auto white = references.white.path.string();
  const auto of = text::concat(" of ", text::pluralise(converter.elements(), "detector element"));
  if (2 * converter.inverted_elements() > converter.elements()) {
    throw InputError(text::concat(white, ": the white reference is darker than the dark reference in ",
                                  converter.inverted_elements(), of,
                                  references.dark ? text::concat(" (", references.dark->path.string(),
                                                                 "): are the two files interchanged?")
                                                  : std::string()));
  }
  if (2 * converter.dead_elements() > converter.elements()) {
    throw InputError(text::concat(
        white, ": in ", converter.dead_elements(), of,
        " the white reference is saturated, is not finite or is not above the dark signal; record it again"));
  }
}

}  // namespace

bool seems_converted(const format::CubeInfo& cube, const format::CubeInfo& white) {
  const auto is_float = [](const format::CubeInfo& info) { return info.data_type.starts_with("float"); };
  const auto is_scaled = [](const format::CubeInfo& info) {
    return !info.scale.empty() || !info.offset.empty();
  };
  return (is_float(cube) && !is_float(white)) || (is_scaled(cube) && !is_scaled(white));
}

spectral::ReflectanceConverter read_references(const References& references, const format::CubeInfo& cube,
                                               const format::ReadOptions& options) {
  const auto white = Reference("white", references.white, cube).means(options);
  const auto dark =
      references.dark ? Reference("dark", *references.dark, cube).means(options) : torch::zeros_like(white);
  spectral::ReflectanceConverter converter(white, dark);
  check_usable(converter, references);
  return converter;
}

}  // namespace hyperdefect::io
