// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/band_match.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::spectral {
namespace {

constexpr std::size_t kNamedBands = 5;

double at(const std::vector<double>& values, std::int64_t index) {
  return values[static_cast<std::size_t>(index)];
}

struct Partner {
  std::int64_t lower;
  std::int64_t upper;
  double upper_weight;
};

/// A cube's bands in ascending order of wavelength; detectors that overlap are stored in any order.
class SortedBands {
 public:
  explicit SortedBands(const std::vector<double>& wavelengths_nm) : wavelengths_nm_(wavelengths_nm) {
    order_.resize(wavelengths_nm.size());
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    std::stable_sort(order_.begin(), order_.end(), [this](auto a, auto b) { return nm(a) < nm(b); });
  }

  /// @param before how many bands of the model have this wavelength too and come before: bands that share a
  /// wavelength are told apart by their order alone.
  std::optional<Partner> find(double wanted_nm, std::int64_t before, double tolerance_nm,
                              bool interpolate) const {
    const auto above = std::lower_bound(order_.begin(), order_.end(), wanted_nm,
                                        [this](auto band, double value) { return nm(band) < value; });
    const auto upper = above == order_.end() ? order_.back() : *above;
    const auto lower = above == order_.begin() ? order_.front() : *(above - 1);
    const auto nearest = distance(upper, wanted_nm) < distance(lower, wanted_nm) ? upper : lower;
    if (distance(nearest, wanted_nm) <= tolerance_nm) {
      const auto [first, last] = std::equal_range(order_.begin(), order_.end(), nearest,
                                                  [this](auto a, auto b) { return nm(a) < nm(b); });
      return before < last - first ? std::optional(Partner{first[before], first[before], 0.0}) : std::nullopt;
    }
    if (interpolate && nm(lower) < wanted_nm && wanted_nm < nm(upper)) {
      return Partner{lower, upper, (wanted_nm - nm(lower)) / (nm(upper) - nm(lower))};
    }
    return std::nullopt;
  }

 private:
  double nm(std::int64_t band) const { return at(wavelengths_nm_, band); }
  double distance(std::int64_t band, double wanted_nm) const { return std::abs(nm(band) - wanted_nm); }

  const std::vector<double>& wavelengths_nm_;
  std::vector<std::int64_t> order_;
};

void append(BandMatch& match, const Partner& partner) {
  match.lower.push_back(partner.lower);
  match.upper.push_back(partner.upper);
  match.upper_weight.push_back(partner.upper_weight);
}

BandMatch in_order(const Bands& cube, const Bands& model) {
  if (cube.count != model.count) {
    throw ModelError(
        text::concat("the cube has ", text::pluralise(cube.count, "band"), " and the model ", model.count,
                     ", and ", cube.wavelengths_nm.empty() ? "the cube" : "the model",
                     " states no wavelengths to match them by: give a cube with the model's bands, or "
                     "state the wavelengths in its header"));
  }
  BandMatch match{cube.count, {}, {}, {}};
  for (std::int64_t band = 0; band < cube.count; ++band) {
    append(match, {band, band, 0.0});
  }
  return match;
}

std::string listed(const std::vector<double>& missing_nm) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(kNamedBands, missing_nm.size()); ++i) {
    names.push_back(text::concat(text::to_text(missing_nm[i]), " nm"));
  }
  if (missing_nm.size() > kNamedBands) {
    names.emplace_back("…");
  }
  return text::join(names, ", ");
}

ModelError no_partner(const std::vector<double>& missing_nm, const Bands& cube, double tolerance_nm,
                      bool interpolate) {
  const auto [first, last] = std::minmax_element(cube.wavelengths_nm.begin(), cube.wavelengths_nm.end());
  return ModelError(
      text::concat("the cube lacks ", text::pluralise(static_cast<std::int64_t>(missing_nm.size()), "band"),
                   " of the model: ", listed(missing_nm), "; it has ", text::pluralise(cube.count, "band"),
                   " from ", text::to_text(*first), " to ", text::to_text(*last),
                   " nm, but each band of the model needs one within ", text::to_text(tolerance_nm), " nm",
                   interpolate ? " or one on each side"
                               : "; raise preprocess.wavelength_tolerance_nm or set preprocess.interpolate"));
}

void check_ranges(const std::vector<double>& ranges_nm) {
  if (ranges_nm.size() % 2 != 0) {
    throw ConfigError(text::concat("preprocess.drop_ranges_nm holds ", ranges_nm.size(),
                                   " numbers: give pairs of a first and a last wavelength"));
  }
  for (std::size_t i = 0; i < ranges_nm.size(); i += 2) {
    if (!(ranges_nm[i] <= ranges_nm[i + 1])) {
      throw ConfigError(text::concat("preprocess.drop_ranges_nm holds the range ",
                                     text::to_text(ranges_nm[i]), " to ", text::to_text(ranges_nm[i + 1]),
                                     ": the first must not be above the last"));
    }
  }
}

void check_dropped(const Bands& bands, const std::vector<std::int64_t>& dropped) {
  for (const auto band : dropped) {
    if (band < 0 || band >= bands.count) {
      throw InputError(text::concat("preprocess.drop_bands holds ", band, ", but the cube's bands are 0 to ",
                                    bands.count - 1, ": correct the list (bands count from 0)"));
    }
  }
}

bool asks_for_wavelengths(const BandSelection& selection) {
  return selection.min_wavelength_nm > 0 || selection.max_wavelength_nm > 0 ||
         !selection.drop_ranges_nm.empty();
}

bool keeps_wavelength(const BandSelection& selection, double nm) {
  if (nm < selection.min_wavelength_nm ||
      (selection.max_wavelength_nm > 0 && nm > selection.max_wavelength_nm)) {
    return false;
  }
  const auto& ranges = selection.drop_ranges_nm;
  for (std::size_t i = 0; i < ranges.size(); i += 2) {
    if (ranges[i] <= nm && nm <= ranges[i + 1]) {
      return false;
    }
  }
  return true;
}

bool keeps(const BandSelection& selection, const Bands& bands, std::int64_t band) {
  const auto& dropped = selection.drop_bands;
  return (!selection.use_bad_band_list || bands.is_good(band)) &&
         std::find(dropped.begin(), dropped.end(), band) == dropped.end() &&
         (bands.wavelengths_nm.empty() || keeps_wavelength(selection, at(bands.wavelengths_nm, band)));
}

template <class Value>
std::vector<Value> picked(const std::vector<Value>& values, const std::vector<std::int64_t>& indices) {
  std::vector<Value> result;
  for (const auto index : indices) {
    if (!values.empty()) {
      result.push_back(values[static_cast<std::size_t>(index)]);
    }
  }
  return result;
}

}  // namespace

BandMatch match_bands(const Bands& cube, const Bands& model, double tolerance_nm, bool interpolate) {
  if (cube.wavelengths_nm.empty() || model.wavelengths_nm.empty()) {
    return in_order(cube, model);
  }
  const SortedBands sorted(cube.wavelengths_nm);
  BandMatch match{cube.count, {}, {}, {}};
  std::vector<double> missing_nm;
  std::map<double, std::int64_t> sought;
  for (const double wanted_nm : model.wavelengths_nm) {
    if (const auto partner = sorted.find(wanted_nm, sought[wanted_nm]++, tolerance_nm, interpolate)) {
      append(match, *partner);
    } else {
      missing_nm.push_back(wanted_nm);
    }
  }
  if (!missing_nm.empty()) {
    throw no_partner(missing_nm, cube, tolerance_nm, interpolate);
  }
  return match;
}

torch::Tensor apply(const BandMatch& match, const torch::Tensor& values) {
  TORCH_CHECK(values.dim() == 3 && values.size(0) == match.cube_bands, "band match: expected (",
              match.cube_bands, ", rows, cols), got ", values.sizes());
  const auto lower = torch::tensor(match.lower, torch::kLong);
  const bool untouched = match.exact() && lower.equal(torch::arange(match.cube_bands));
  if (untouched) {
    return values;
  }
  const auto below = values.index_select(0, lower.to(values.device()));
  if (match.exact()) {
    return below;
  }
  const auto above = values.index_select(0, torch::tensor(match.upper, torch::kLong).to(values.device()));
  const auto weight = torch::tensor(match.upper_weight, torch::kDouble).to(values.options()).view({-1, 1, 1});
  return torch::lerp(below, above, weight);
}

std::vector<std::int64_t> usable_bands(const Bands& bands, const BandSelection& selection) {
  check_ranges(selection.drop_ranges_nm);
  check_dropped(bands, selection.drop_bands);
  if (bands.wavelengths_nm.empty() && asks_for_wavelengths(selection)) {
    throw InputError(
        "the configuration leaves out bands by wavelength, but the cube states no wavelengths: state them in "
        "its "
        "header, or use preprocess.drop_bands");
  }
  std::vector<std::int64_t> kept;
  for (std::int64_t band = 0; band < bands.count; ++band) {
    if (keeps(selection, bands, band)) {
      kept.push_back(band);
    }
  }
  if (kept.empty()) {
    throw InputError(
        text::concat("no band is left of the cube's ", bands.count,
                     ": check its bad band list (bbl) and the wavelengths in section preprocess"));
  }
  return kept;
}

Bands select(const Bands& bands, const std::vector<std::int64_t>& indices) {
  for (const auto index : indices) {
    TORCH_CHECK(index >= 0 && index < bands.count, "select: expected bands 0 to ", bands.count - 1, ", got ",
                index);
  }
  return {static_cast<std::int64_t>(indices.size()), picked(bands.wavelengths_nm, indices),
          picked(bands.fwhm_nm, indices), picked(bands.good, indices)};
}

}  // namespace hyperdefect::spectral
