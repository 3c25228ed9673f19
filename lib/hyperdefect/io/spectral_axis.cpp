// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/spectral_axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/io/gdal_dataset.h"

namespace hyperdefect::io {
namespace {

/// Wavelengths below this many units can only be micrometres, above it only nanometres (0.2 um to 50 um are
/// in use).
constexpr double kMicrometreLimit = 100.0;
constexpr double kNanometresPerCentimetre = 1e7;

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

bool are_positive(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v) && v > 0; });
}

ReadUnit guessed_unit(const StatedAxis& axis, const std::string& file) {
  const auto [least, most] = std::minmax_element(axis.wavelengths.begin(), axis.wavelengths.end());
  const bool micrometres = *most < kMicrometreLimit;
  log::warning(text::cat(file, ": no wavelength unit is stated; ", text::number(*least), " to ",
                         text::number(*most), " are taken as ", micrometres ? "micrometres" : "nanometres",
                         "; set the wavelength unit to nm or um to be sure"));
  return {Unit::length, micrometres ? 1e3 : 1.0};
}

/// The unit that counts: the user's before the file's before a guess.
ReadUnit decided_unit(const StatedAxis& axis, const std::string& user_unit, const std::string& file) {
  if (user_unit != "auto") {
    return read_unit(user_unit);
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

std::string reason_against(const StatedAxis& axis, const ReadUnit& unit) {
  if (!are_positive(axis.wavelengths)) {
    return "are not all positive";
  }
  return unit.kind == Unit::unusable ? text::cat("have the unit '", axis.unit, "', which is no length") : "";
}

void adopt(StatedAxis axis, const std::string& user_unit, CubeInfo& info) {
  for (const double flag : axis.bbl) {
    info.bands.good.push_back(flag != 0);
  }
  if (axis.wavelengths.empty() ||
      (read_unit(axis.unit).kind == Unit::unstated && counts_bands(axis.wavelengths))) {
    return;
  }
  const auto file = info.path.string();
  const auto unit = decided_unit(axis, user_unit, file);
  if (const auto why = reason_against(axis, unit); !why.empty()) {
    log::warning(
        text::cat(file, ": the wavelengths (", axis.source, ") ", why, "; the cube is read without them"));
    return;
  }
  if (unit.kind == Unit::wavenumber) {
    convert_wavenumbers(axis);
  } else {
    convert_lengths(unit.nanometres, axis);
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

StatedAxis axis_of(const EnviHeader& header, std::int64_t bands, std::string source) {
  return {header.numbers_per_band("wavelength", bands), header.numbers_per_band("fwhm", bands),
          header.numbers_per_band("bbl", bands), stated_unit(header), std::move(source)};
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
      header += text::cat(name, " = ", item, '\n');
    }
  }
  return parse_envi_header(header, path);
}

}  // namespace

void read_spectral_axis(const EnviHeader& header, const std::string& unit, CubeInfo& info) {
  adopt(axis_of(header, info.bands.count, "ENVI header"), unit, info);
}

void read_spectral_axis(GDALDataset& dataset, const std::string& unit, CubeInfo& info) {
  auto axis = imagery_axis(dataset);
  if (axis.wavelengths.empty()) {
    axis = band_metadata_axis(dataset);
  }
  if (axis.wavelengths.empty()) {
    auto bbl = std::move(axis.bbl);
    axis = axis_of(envi_domain(dataset, info.path), info.bands.count, "metadata domain ENVI");
    axis.bbl = axis.bbl.empty() ? std::move(bbl) : std::move(axis.bbl);
  }
  adopt(std::move(axis), unit, info);
}

}  // namespace hyperdefect::io
