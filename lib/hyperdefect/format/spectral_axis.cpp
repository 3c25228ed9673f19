// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/spectral_axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/format/cube_array.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::format {
namespace {

/// Wavelengths below this many units can only be micrometres, above it only nanometres (0.2 um to 50 um are
/// in use).
constexpr double kMicrometreLimit = 100.0;
constexpr double kNanometresPerCentimetre = 1e7;
/// No imaging spectrometer measures outside; a value there has the wrong unit.
constexpr double kShortestNanometres = 100;
constexpr double kLongestNanometres = 100'000;

/// A spectral axis as a file states it.
struct StatedAxis {
  std::vector<double> wavelengths;
  std::vector<double> fwhm;
  std::vector<double> bbl;
  std::string unit;
  std::string source;
};

enum class Unit { length, wavenumber, unstated, unusable };

struct ReadUnit {
  Unit kind;
  double nanometres = 0;
};

ReadUnit read_unit(const std::string& stated) {
  static const std::map<std::string, double> lengths{
      {"nm", 1},           {"nanometer", 1},     {"nanometers", 1},   {"nanometre", 1},
      {"nanometres", 1},   {"um", 1e3},          {"\xC2\xB5m", 1e3},  {"\xCE\xBCm", 1e3},
      {"micrometer", 1e3}, {"micrometers", 1e3}, {"micrometre", 1e3}, {"micrometres", 1e3},
      {"micron", 1e3},     {"microns", 1e3},     {"mm", 1e6},         {"millimeters", 1e6},
      {"angstroms", 0.1},  {"m", 1e9},           {"meters", 1e9}};
  const auto unit = text::lower(text::trimmed(stated));
  if (const auto found = lengths.find(unit); found != lengths.end()) {
    return {Unit::length, found->second};
  }
  if (unit.starts_with("wavenumber") || unit == "cm-1" || unit == "1/cm") {
    return {Unit::wavenumber};
  }
  return {unit.empty() || unit == "unknown" || unit == "none" ? Unit::unstated : Unit::unusable};
}

/// Whether the values only count the bands (0, 1, 2 ... or 1, 2, 3 ...), which some programs write as
/// wavelengths.
bool counts_bands(const std::vector<double>& values) {
  if (values.size() < 2 || (values[0] != 0 && values[0] != 1)) {
    return false;
  }
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] != values[i - 1] + 1) {
      return false;
    }
  }
  return true;
}

bool are_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

bool are_positive(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v) && v > 0; });
}

ReadUnit guessed_unit(const StatedAxis& axis, const std::string& file) {
  const auto [least, most] = std::minmax_element(axis.wavelengths.begin(), axis.wavelengths.end());
  const bool micrometres = *most < kMicrometreLimit;
  log::warning(text::concat(file, ": no wavelength unit is stated; ", text::to_text(*least), " to ",
                            text::to_text(*most), " are taken as ",
                            micrometres ? "micrometres" : "nanometres",
                            "; set the wavelength unit to nm or um to be sure"));
  return {Unit::length, micrometres ? 1e3 : 1.0};
}

/// The unit that counts: the user's before the file's before a guess.
ReadUnit decided_unit(const StatedAxis& axis, spectral::WavelengthUnit user_unit, const std::string& file) {
  if (user_unit != spectral::WavelengthUnit::automatic) {
    return read_unit(user_unit == spectral::WavelengthUnit::nm ? "nm" : "um");
  }
  const auto stated = read_unit(axis.unit);
  return stated.kind == Unit::unstated ? guessed_unit(axis, file) : stated;
}

void convert_lengths(double nanometres, StatedAxis& axis) {
  for (auto* list : {&axis.wavelengths, &axis.fwhm}) {
    for (auto& value : *list) {
      value *= nanometres;
    }
  }
}

void convert_wavenumbers(StatedAxis& axis) {
  for (std::size_t i = 0; i < axis.wavelengths.size(); ++i) {
    const double wavenumber = axis.wavelengths[i];
    axis.wavelengths[i] = kNanometresPerCentimetre / wavenumber;
    if (!axis.fwhm.empty()) {
      axis.fwhm[i] *= kNanometresPerCentimetre / (wavenumber * wavenumber);
    }
  }
}

void convert(const ReadUnit& unit, StatedAxis& axis) {
  if (unit.kind == Unit::wavenumber) {
    convert_wavenumbers(axis);
  } else {
    convert_lengths(unit.nanometres, axis);
  }
}

std::string reason_against(const StatedAxis& axis, const ReadUnit& unit) {
  if (!are_positive(axis.wavelengths)) {
    return "are not all positive";
  }
  return unit.kind == Unit::unusable
             ? text::concat("have the unit ", text::shown(axis.unit), ", which is not a length")
             : "";
}

void check_finite(const std::vector<double>& values, std::string_view what, const CubeInfo& info) {
  const auto wrong =
      std::find_if_not(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  if (wrong != values.end()) {
    throw InputError(text::concat(info.path.string(), ": the ", what, " of band ", wrong - values.begin(),
                                  " (counted from 0) is ", text::to_text(*wrong),
                                  "; correct it, or remove it from the file"));
  }
}

/// @param axis in nanometres.
void tell_of_odd_lengths(const StatedAxis& axis, const std::string& file) {
  const auto [least, most] = std::minmax_element(axis.wavelengths.begin(), axis.wavelengths.end());
  if (*least < kShortestNanometres || *most > kLongestNanometres) {
    log::warning(text::concat(file, ": the wavelengths (", axis.source, ") are ", text::to_text(*least),
                              " to ", text::to_text(*most), " nm, which no spectrometer covers: the unit ",
                              axis.unit.empty() ? std::string("(none)") : text::shown(axis.unit),
                              " in the file may be wrong; data.wavelength_unit overrides it"));
  }
}

void adopt(StatedAxis axis, spectral::WavelengthUnit user_unit, CubeInfo& info) {
  check_finite(axis.wavelengths, "wavelength", info);
  check_finite(axis.fwhm, "fwhm", info);
  check_finite(axis.bbl, "bad-band flag", info);
  for (const double flag : axis.bbl) {
    info.bands.good.push_back(flag != 0);
  }
  if (axis.wavelengths.empty() ||
      (read_unit(axis.unit).kind == Unit::unstated && counts_bands(axis.wavelengths))) {
    return;
  }
  const auto file = info.path.string();
  const auto unit = decided_unit(axis, user_unit, file);
  auto why = reason_against(axis, unit);
  if (why.empty()) {
    convert(unit, axis);
    // A value near the largest number has no place in nanometres.
    why = are_positive(axis.wavelengths) && are_finite(axis.fwhm) ? "" : "cannot be given in nanometres";
  }
  if (!why.empty()) {
    log::warning(
        text::concat(file, ": the wavelengths (", axis.source, ") ", why, "; the cube is read without them"));
    return;
  }
  if (user_unit == spectral::WavelengthUnit::automatic) {
    tell_of_odd_lengths(axis, file);
  }
  info.bands.wavelengths_nm = std::move(axis.wavelengths);
  info.bands.fwhm_nm = std::move(axis.fwhm);
  info.wavelength_source = axis.source;
}

std::string stated_unit(const EnviHeader& header) {
  const auto unit = header.text("wavelength units");
  const bool wavenumbers = text::lower(header.text("z plot titles")).starts_with("wavenumber");
  return unit.empty() && wavenumbers ? "wavenumber" : unit;
}

/// A list that the cube can do without: one of a wrong length is left out.
std::vector<double> spare_list(const EnviHeader& header, const std::string& key, std::int64_t bands) {
  auto values = header.numbers(key);
  if (header.has(key) && static_cast<std::int64_t>(values.size()) != bands) {
    log::warning(text::concat(header.place(key), " has ", values.size(), " entries for ",
                              text::pluralise(bands, "band"), "; the list is left out"));
    values.clear();
  }
  return values;
}

StatedAxis axis_of(const EnviHeader& header, std::int64_t bands, std::string source) {
  return {header.numbers_per_band("wavelength", bands), spare_list(header, "fwhm", bands),
          spare_list(header, "bbl", bands), stated_unit(header), std::move(source)};
}

/// The metadata item `key` of every band as numbers; empty unless each band has one.
std::vector<double> band_items(GDALDataset& dataset, const char* key, const char* domain) {
  std::vector<double> values;
  for (const int band : band_numbers(dataset).spectral) {
    const char* item = dataset.GetRasterBand(band)->GetMetadataItem(key, domain);
    if (item == nullptr || CPLGetValueType(item) == CPL_VALUE_STRING) {
      return {};
    }
    values.push_back(CPLAtof(item));
  }
  return values;
}

std::string first_item(GDALRasterBand& band, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (const char* item = band.GetMetadataItem(key); item != nullptr) {
      return item;
    }
  }
  return {};
}

StatedAxis imagery_axis(GDALDataset& dataset) {
  return {band_items(dataset, "CENTRAL_WAVELENGTH_UM", "IMAGERY"), band_items(dataset, "FWHM_UM", "IMAGERY"),
          band_items(dataset, "bbl", nullptr), "um", "band metadata CENTRAL_WAVELENGTH_UM"};
}

StatedAxis band_metadata_axis(GDALDataset& dataset) {
  return {band_items(dataset, "wavelength", nullptr), band_items(dataset, "fwhm", nullptr),
          band_items(dataset, "bbl", nullptr),
          first_item(*dataset.GetRasterBand(1), {"wavelength_units", "wavelength_unit", "wavelengthunits"}),
          "band metadata wavelength"};
}

/// The dataset's domain ENVI as if it were a header; its keys have underscores for blanks.
EnviHeader envi_domain(GDALDataset& dataset, const std::filesystem::path& path) {
  std::string header = "ENVI\n";
  for (const auto* key : {"wavelength", "wavelength_units", "fwhm", "bbl"}) {
    if (const char* item = dataset.GetMetadataItem(key, "ENVI"); item != nullptr) {
      std::string name = key;
      std::replace(name.begin(), name.end(), '_', ' ');
      header += text::concat(name, " = ", item, '\n');
    }
  }
  return parse_envi_header(header, path);
}

std::vector<double> values_of(const GDALMDArray& array) {
  std::vector<double> values(static_cast<std::size_t>(array.GetDimensions()[0]->GetSize()));
  const GUInt64 begin = 0;
  const std::size_t count = values.size();
  const bool read =
      array.Read(&begin, &count, nullptr, nullptr, GDALExtendedDataType::Create(GDT_Float64), values.data());
  return read ? values : std::vector<double>();
}

/// The first array of one entry a band that is called so; or null.
template <class IsCalled>
ArrayPtr list_called(const std::vector<ArrayPtr>& arrays, std::int64_t bands, IsCalled is_called) {
  const auto found = std::find_if(arrays.begin(), arrays.end(), [&](const ArrayPtr& array) {
    return array->GetDimensionCount() == 1 &&
           array->GetDimensions()[0]->GetSize() == static_cast<GUInt64>(bands) && is_called(*array);
  });
  return found == arrays.end() ? nullptr : *found;
}

StatedAxis array_axis(GDALDataset& dataset) {
  const auto arrays = arrays_of(dataset);
  const auto named = [](std::initializer_list<std::string_view> names) {
    return [names](const GDALMDArray& array) {
      const auto name = text::lower(array.GetName());
      return std::find(names.begin(), names.end(), name) != names.end();
    };
  };
  const std::int64_t bands = dataset.GetRasterCount();
  StatedAxis axis;
  if (const auto wavelengths = list_called(arrays, bands, is_wavelength_array)) {
    axis.wavelengths = values_of(*wavelengths);
    axis.unit = wavelengths->GetUnit();
    axis.source = text::concat("array ", wavelengths->GetFullName());
  }
  if (const auto fwhm = list_called(arrays, bands, named({"fwhm", "fwhms", "bandwidth"}))) {
    axis.fwhm = values_of(*fwhm);
  }
  if (const auto good = list_called(arrays, bands, named({"good_wavelengths", "good_bands", "bbl"}))) {
    axis.bbl = values_of(*good);
  }
  return axis;
}

/// The axis that the file itself states.
StatedAxis dataset_axis(GDALDataset& dataset, const CubeInfo& info) {
  if (info.array) {
    return array_axis(dataset);
  }
  auto axis = imagery_axis(dataset);
  if (axis.wavelengths.empty()) {
    axis = band_metadata_axis(dataset);
  }
  if (axis.wavelengths.empty()) {
    auto bbl = std::move(axis.bbl);
    axis = axis_of(envi_domain(dataset, info.path), info.bands.count, "metadata domain ENVI");
    axis.bbl = axis.bbl.empty() ? std::move(bbl) : std::move(axis.bbl);
  }
  return axis;
}

/// What the header states counts before what the file does. Wavelengths and fwhm share their unit, and so
/// come from the same place.
StatedAxis completed(StatedAxis axis, StatedAxis header) {
  if (!header.bbl.empty()) {
    axis.bbl = std::move(header.bbl);
  }
  if (header.wavelengths.empty()) {
    return axis;
  }
  header.bbl = std::move(axis.bbl);
  return header;
}

}  // namespace

void read_spectral_axis(const EnviHeader& header, spectral::WavelengthUnit unit, CubeInfo& info) {
  adopt(axis_of(header, info.bands.count, "ENVI header"), unit, info);
}

void read_spectral_axis(GDALDataset& dataset, const std::optional<EnviHeader>& header,
                        spectral::WavelengthUnit unit, CubeInfo& info) {
  auto axis = dataset_axis(dataset, info);
  if (header) {
    axis = completed(std::move(axis), axis_of(*header, info.bands.count, "ENVI header"));
  }
  adopt(std::move(axis), unit, info);
}

}  // namespace hyperdefect::format
