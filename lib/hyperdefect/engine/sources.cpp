// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/sources.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/preprocess/band_picker.h"
#include "hyperdefect/preprocess/noise_bands.h"

namespace hyperdefect::engine {
namespace {

/// No scene has as many pixels that are equal in every digit, but for missing data.
constexpr double kSuspiciousShare = 0.1;
constexpr std::size_t kNamedSpectra = 3;
constexpr std::size_t kNamedValues = 3;
constexpr std::size_t kNamedWavelengths = 5;

bool is_flat(const io::CommonSpectrum& spectrum) {
  const auto& values = spectrum.values;
  return std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); });
}

/// "-9999 in all bands", "one spectrum (12, 40, 7, ...)".
std::string described(const io::CommonSpectrum& spectrum) {
  if (is_flat(spectrum)) {
    return text::concat(text::to_text(spectrum.values.front()), " in all bands");
  }
  std::vector<std::string> values;
  for (std::size_t i = 0; i < std::min(kNamedValues, spectrum.values.size()); ++i) {
    values.push_back(text::to_text(spectrum.values[i]));
  }
  return text::concat("one and the same spectrum (", text::join(values, ", "),
                      spectrum.values.size() > kNamedValues ? ", ..." : "", ")");
}

}  // namespace

format::ReadOptions read_options(const model::DataOptions& options) {
  format::ReadOptions read;
  read.no_data = options.no_data;
  if (!options.saturation.empty()) {
    read.saturation = options.saturation.front();
  }
  read.apply_scale = options.apply_scale;
  read.zero_is_invalid = options.zero_is_invalid;
  read.wavelength_unit = options.wavelength_unit;
  read.drivers = options.drivers;
  return read;
}

CubeSource::CubeSource(const std::filesystem::path& file, const model::DataOptions& options)
    : reader_(format::read_cube_info(file, read_options(options)), read_options(options)),
      options_(read_options(options)) {
  convert_to_reflectance(options);
}

void CubeSource::convert_to_reflectance(const model::DataOptions& options) {
  auto reflectance = reflectance_of(info(), options);
  if (!reflectance.converter) {
    return;
  }
  references_ = reflectance.references;
  dead_elements_ = reflectance.converter->dead_elements();
  const bool has_scale = options.apply_scale && !(info().scale.empty() && info().offset.empty());
  log::info(text::concat(
      name(), ": converted to reflectance with ", described(references_),
      has_scale ? ", in place of its own scale and offset" : "",
      options.white.empty() ? " (found next to it; data.references=none keeps its values)" : ""));
  reader_.convert_to_reflectance(std::move(*reflectance.converter));
}

std::string CubeSource::name() const {
  return info().path.string();
}
Size CubeSource::size() const {
  return {info().rows, info().cols};
}
const spectral::Bands& CubeSource::bands() const {
  return info().bands;
}
spectral::Block CubeSource::read(const Window& window) {
  return reader_.read(window);
}

void CubeSource::prepare_to_fit(const preprocess::PreprocessOptions& options, ProgressMonitor& monitor) {
  reader_.use_bands(preprocess::band_flags_in_use(bands(), options));
  empty_bands_ = bands_without_values(monitor);
  reader_.leave_out(empty_bands_);
  if (!empty_bands_.empty()) {
    log::warning(text::concat(name(), ": ", named(empty_bands_),
                              empty_bands_.size() == 1 ? " holds" : " hold",
                              " no valid value in the whole image: left out"));
  }
  warn_of_undeclared_fill();
}

void CubeSource::prepare_for(const spectral::Bands& model, const preprocess::PreprocessOptions& options,
                             ProgressMonitor& monitor) {
  const auto read = preprocess::BandPicker(bands(), model, options).bands_read();
  reader_.use_bands(read);
  if (options.use_bad_band_list) {
    warn_of_bad_bands(read);
  }
  if (const auto empty = bands_without_values(monitor); !empty.empty()) {
    throw InputError(text::concat(name(), ": ", named(empty), ", which the model needs, ",
                                  empty.size() == 1 ? "holds" : "hold",
                                  " no valid value in the whole image: record the cube again, or leave these "
                                  "bands out in training (preprocess.drop_bands)"));
  }
  warn_of_undeclared_fill();
}

void CubeSource::warn_of_bad_bands(const std::vector<bool>& read) const {
  std::vector<std::int64_t> bad;
  for (std::int64_t band = 0; band < bands().count; ++band) {
    if (read[static_cast<std::size_t>(band)] && !bands().is_good(band)) {
      bad.push_back(band);
    }
  }
  if (!bad.empty()) {
    log::warning(text::concat(name(), ": ", named(bad), ", which the cube's own list (bbl) marks as bad, ",
                              bad.size() == 1 ? "is" : "are", " used anyway: the model needs ",
                              bad.size() == 1 ? "it" : "them"));
  }
}

std::vector<std::int64_t> CubeSource::bands_without_values(ProgressMonitor& monitor) {
  return reader_.empty_bands([&](std::int64_t done, std::int64_t total) {
    if (monitor.stop_requested()) {
      throw Interrupted(text::concat("stopped while looking for empty bands in ", name()));
    }
    monitor.progress({"empty bands", done, total, {}});
  });
}

/// "bands 3, 7 (counted from 0; 650 nm, 700 nm)".
std::string CubeSource::named(const std::vector<std::int64_t>& numbers) const {
  std::vector<std::string> wavelengths;
  for (const auto band : numbers) {
    if (!bands().wavelengths_nm.empty() && wavelengths.size() < kNamedWavelengths) {
      wavelengths.push_back(
          text::concat(text::to_text(bands().wavelengths_nm[static_cast<std::size_t>(band)]), " nm"));
    }
  }
  if (!wavelengths.empty() && wavelengths.size() < numbers.size()) {
    wavelengths.emplace_back("...");
  }
  return text::concat(numbers.size() == 1 ? "band " : "bands ", preprocess::listed(numbers),
                      " (counted from 0", wavelengths.empty() ? "" : "; ", text::join(wavelengths, ", "),
                      ")");
}

void CubeSource::warn_of_undeclared_fill() {
  const auto common = reader_.common_spectra(kSuspiciousShare);
  common_share_ = common.empty() ? 0 : common.front().share;
  for (std::size_t i = 0; i < std::min(common.size(), kNamedSpectra); ++i) {
    const auto percent = std::round(100 * common[i].share);
    log::warning(text::concat(name(), ": ", percent, " % of the pixels hold ", described(common[i]),
                              ", which nothing marks as no data: if it is missing data, ",
                              advice_on(common[i])));
  }
}

/// What to do if the spectrum stands for missing data.
std::string CubeSource::advice_on(const io::CommonSpectrum& spectrum) const {
  if (!is_flat(spectrum)) {
    return "mark these pixels in the file, by its no-data value, a mask or an alpha band";
  }
  if (spectrum.values.front() == 0) {
    return "set data.zero_is_invalid=true";
  }
  // What is set replaces what the file states, and so must hold that too.
  std::vector<std::string> words;
  for (const double value : no_data_values()) {
    words.push_back(text::to_text(value));
  }
  words.push_back(text::to_text(spectrum.values.front()));
  return text::concat("set data.no_data=[", text::join(words, ","), "]");
}

/// The numbers that mark missing data in any band.
std::set<double> CubeSource::no_data_values() const {
  std::vector<std::optional<double>> stated(options_.no_data.begin(), options_.no_data.end());
  if (stated.empty()) {
    stated = info().band_no_data;
    stated.push_back(info().no_data);
    stated.insert(stated.end(), info().more_no_data.begin(), info().more_no_data.end());
  }
  std::set<double> numbers;
  for (const auto& value : stated) {
    if (value && !std::isnan(*value)) {
      numbers.insert(*value);
    }
  }
  return numbers;
}

MemorySource::MemorySource(preprocess::BlockSource& source)
    : name_(source.name()),
      bands_(source.bands()),
      empty_bands_(source.empty_bands()),
      is_reflectance_(source.is_reflectance()) {
  auto block = source.read(whole(source.size()));
  values_ = std::move(block.values);
  valid_ = std::move(block.valid);
}

MemorySource::MemorySource(std::string name, spectral::Bands bands, torch::Tensor values, torch::Tensor valid)
    : name_(std::move(name)),
      bands_(std::move(bands)),
      values_(std::move(values)),
      valid_(std::move(valid)) {}

spectral::Block MemorySource::read(const Window& window) {
  return {image::crop(values_, window), image::crop(valid_, window), window, size()};
}

}  // namespace hyperdefect::engine
