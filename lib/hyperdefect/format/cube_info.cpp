// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/cube_info.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/cube_array.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/file_access.h"
#include "hyperdefect/format/file_kind.h"
#include "hyperdefect/format/gdal_dataset.h"
#include "hyperdefect/format/netcdf_size.h"
#include "hyperdefect/format/open_cube.h"
#include "hyperdefect/format/pixel_flags.h"
#include "hyperdefect/format/raw_dataset.h"
#include "hyperdefect/format/spectral_axis.h"

namespace hyperdefect::format {
namespace {

namespace fs = std::filesystem;

template <class... Parts>
[[noreturn]] void refuse(const fs::path& path, const Parts&... why) {
  throw InputError(text::concat(path.string(), ": ", why...));
}

struct CubeFiles {
  fs::path data;
  std::optional<fs::path> header;
};

/// Two headers can claim one data file; which one is used must not be a secret.
void tell_of_second_header(const fs::path& data, const fs::path& header) {
  fs::path other = data;
  other.replace_extension(".hdr");
  if (data.has_extension() && is_file(other) && !is_same_file(other, header)) {
    log::warning(text::concat(data.string(), ": ", header.filename().string(), " is used as its header, not ",
                              other.filename().string()));
  }
}

CubeFiles locate(const fs::path& path) {
  check_is_readable_file(path);
  if (!has_header_extension(path)) {
    return {path, find_envi_header(path)};
  }
  if (!looks_like_envi_header(path)) {
    read_envi_header(path);
  }
  return {find_envi_data(path), path};
}

std::string type_name(GDALDataType type) {
  switch (type) {
    case GDT_Byte:
      return "uint8";
    case GDT_Unknown:
      return "unknown";
    default:
      return text::lower(GDALGetDataTypeName(type));
  }
}

Interleave interleave_of(GDALDataset& dataset) {
  const char* stated = dataset.GetMetadataItem("INTERLEAVE", "IMAGE_STRUCTURE");
  const std::string name = stated == nullptr ? "BAND" : stated;
  if (name == "PIXEL") {
    return Interleave::bip;
  }
  return name == "LINE" ? Interleave::bil : Interleave::bsq;
}

/// A truncated raw file reads as zeros without any error, so its size is the only witness.
void check_size(const EnviLayout& layout, const CubeFiles& files) {
  const auto found = static_cast<std::int64_t>(fs::file_size(files.data));
  const auto needed = layout.file_bytes();
  const auto sizes =
      text::concat("has ", found, " bytes, but its header ", files.header->filename().string(), " describes ",
                   needed, " (", layout.header_offset, " + ", layout.rows, " lines x ", layout.cols,
                   " samples x ", layout.bands, " bands x ", layout.bytes_per_value, ")");
  if (found < needed) {
    refuse(files.data, "is truncated: it ", sizes, "; copy or record it again, or correct the header");
  }
  if (found > needed) {
    log::warning(text::concat(files.data.string(), ": ", sizes, "; the rest is ignored"));
  }
}

/// Says which no-data values no value of the file can equal.
void check_no_data(const CubeInfo& info, const ReadOptions& options) {
  std::set<std::string> told;
  for (std::int64_t band = 0; band < info.bands.count; ++band) {
    for (const double value : no_data_values(info, options, band)) {
      const bool matches = std::isnan(value)
                               ? info.data_type.starts_with("float")
                               : no_data_range(value, info.data_type, info.bytes_per_value).has_value();
      if (!matches && told.insert(text::to_text(value)).second) {
        log::warning(text::concat(info.path.string(), ": the no-data value ", text::to_text(value),
                                  " does not exist in ", info.data_type, ", so no pixel is marked by it"));
      }
    }
  }
}

bool same_no_data(const std::optional<double>& a, const std::optional<double>& b) {
  return a == b || (a && b && std::isnan(*a) && std::isnan(*b));
}

/// @param stated by the file, one a band.
void set_no_data(std::vector<std::optional<double>> stated, const ReadOptions& options, CubeInfo& info) {
  const auto& first = stated.front();
  if (options.no_data.size() == 1) {
    info.no_data = options.no_data.front();
  } else if (options.no_data.empty()) {
    const bool one = std::all_of(stated.begin(), stated.end(),
                                 [&](const auto& value) { return same_no_data(value, first); });
    if (one) {
      info.no_data = first;
    } else {
      info.band_no_data = std::move(stated);
    }
  }
  check_no_data(info, options);
}

std::vector<std::optional<double>> no_data_of_bands(GDALDataset& dataset) {
  std::vector<std::optional<double>> stated;
  for (const int band : band_numbers(dataset).spectral) {
    stated.push_back(no_data_of(*dataset.GetRasterBand(band)));
  }
  return stated;
}

void check_finite(const std::vector<double>& values, std::string_view what, const CubeInfo& info) {
  const auto wrong =
      std::find_if_not(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  if (wrong != values.end()) {
    refuse(info.path, "the ", what, " of band ", wrong - values.begin(), " (counted from 0) is ",
           text::to_text(*wrong), "; correct it in the file");
  }
}

/// A scale of ones and an offset of zeros are left out: there is nothing to apply.
void set_scale(std::vector<double> scale, std::vector<double> offset, CubeInfo& info) {
  check_finite(scale, "scale", info);
  check_finite(offset, "offset", info);
  if (const auto none = std::find(scale.begin(), scale.end(), 0); none != scale.end()) {
    refuse(info.path, "the scale of band ", none - scale.begin(),
           " (counted from 0) is 0 or not a number, so that all its values would be the same; correct it in "
           "the file");
  }
  if (std::any_of(scale.begin(), scale.end(), [](double v) { return v != 1; })) {
    info.scale = std::move(scale);
  }
  if (std::any_of(offset.begin(), offset.end(), [](double v) { return v != 0; })) {
    info.offset = std::move(offset);
  }
}

void set_envi_scale(const EnviHeader& header, CubeInfo& info) {
  auto gains = header.numbers_per_band("data gain values", info.bands.count);
  auto offsets = header.numbers_per_band("data offset values", info.bands.count);
  const auto factor = header.number("reflectance scale factor");
  if (factor && (!std::isfinite(*factor) || *factor <= 0)) {
    refuse(header.path(), "reflectance scale factor = ", text::to_text(*factor),
           ": it must be a positive number");
  }
  if (factor && gains.empty() && offsets.empty()) {
    gains.assign(static_cast<std::size_t>(info.bands.count), 1 / *factor);
  } else if (factor && *factor != 1) {
    log::warning(text::concat(header.path().string(),
                              ": data gain values and offsets are applied, but the reflectance ",
                              "scale factor ", text::to_text(*factor), " is not"));
  }
  set_scale(std::move(gains), std::move(offsets), info);
}

void set_band_scale(GDALDataset& dataset, CubeInfo& info) {
  std::vector<double> scale;
  std::vector<double> offset;
  for (const int band : band_numbers(dataset).spectral) {
    scale.push_back(dataset.GetRasterBand(band)->GetScale());
    offset.push_back(dataset.GetRasterBand(band)->GetOffset());
  }
  set_scale(std::move(scale), std::move(offset), info);
}

void set_envi_names(const EnviHeader& header, CubeInfo& info) {
  auto names = header.words("band names");
  if (static_cast<std::int64_t>(names.size()) == info.bands.count) {
    info.band_names = std::move(names);
  } else if (!names.empty()) {
    log::warning(text::concat(header.place("band names"), " has ", names.size(), " entries for ",
                              text::pluralise(info.bands.count, "band"), "; the names are left out"));
  }
}

void set_band_names(GDALDataset& dataset, CubeInfo& info) {
  for (const int band : band_numbers(dataset).spectral) {
    info.band_names.emplace_back(dataset.GetRasterBand(band)->GetDescription());
  }
  if (std::all_of(info.band_names.begin(), info.band_names.end(), [](const auto& n) { return n.empty(); })) {
    info.band_names.clear();
  }
}

/// GDAL before 3.7 gives signed bytes as bytes, with a note.
bool has_signed_bytes(GDALRasterBand& band) {
  const char* type = band.GetMetadataItem("PIXELTYPE", "IMAGE_STRUCTURE");
  return band.GetRasterDataType() == GDT_Byte && type != nullptr && std::string_view(type) == "SIGNEDBYTE";
}

void set_bands(GDALDataset& dataset, CubeInfo& info) {
  auto numbers = band_numbers(dataset);
  auto type = dataset.GetRasterBand(numbers.spectral.front())->GetRasterDataType();
  for (const int band : numbers.spectral) {
    type = GDALDataTypeUnion(type, dataset.GetRasterBand(band)->GetRasterDataType());
  }
  info.bands.count = static_cast<std::int64_t>(numbers.spectral.size());
  info.data_type =
      has_signed_bytes(*dataset.GetRasterBand(numbers.spectral.front())) ? "int8" : type_name(type);
  info.bytes_per_value = GDALGetDataTypeSizeBytes(type);
  if (!numbers.alpha.empty()) {
    log::info(text::concat(info.path.string(), ": band ", numbers.alpha.front(),
                           " of the file (counted from 1) is its alpha band: it is not taken as spectral, "
                           "and pixels where it is zero are missing data"));
    info.file_bands = std::move(numbers.spectral);
    info.alpha_bands = std::move(numbers.alpha);
  }
}

void set_raster_facts(GDALDataset& dataset, CubeInfo& info) {
  auto& first = *dataset.GetRasterBand(1);
  int block_cols = 0;
  int block_rows = 0;
  first.GetBlockSize(&block_cols, &block_rows);
  info.driver = info.layout ? "ENVI" : dataset.GetDriver()->GetDescription();
  info.rows = dataset.GetRasterYSize();
  info.cols = dataset.GetRasterXSize();
  set_bands(dataset, info);
  info.interleave = interleave_of(dataset);
  info.storage_block = {block_rows, block_cols};
}

void check_is_cube(GDALDataset& dataset, const fs::path& path) {
  if (dataset.GetRasterCount() == 0) {
    refuse(path, "holds no image that can be read directly; convert the image in it to ENVI or GeoTIFF");
  }
  if (band_numbers(dataset).spectral.empty()) {
    refuse(path, "holds only an alpha band; a cube holds spectral bands");
  }
  auto& first = *dataset.GetRasterBand(1);
  if (GDALDataTypeIsComplex(first.GetRasterDataType()) != 0) {
    refuse(path, "holds complex values (", type_name(first.GetRasterDataType()),
           "); a cube holds real numbers");
  }
  if (dataset.GetRasterCount() == 1 && first.GetColorTable() != nullptr) {
    refuse(path, "is a class map (one band with a colour table), not a cube");
  }
}

CubeInfo envi_info(const CubeFiles& files, const ReadOptions& options) {
  const auto header = read_envi_header(*files.header);
  check_overlooked_keys(header);
  CubeInfo info;
  info.path = files.data;
  info.header = *files.header;
  info.layout = envi_layout(header);
  check_size(*info.layout, files);
  tell_of_second_header(files.data, *files.header);
  const GdalErrors errors;
  const auto dataset = open_cube(info, options);
  if (!dataset) {
    refuse(files.data, "cannot be read: ", errors.reason());
  }
  set_raster_facts(*dataset, info);
  info.georeference = georeference_of(header);
  read_spectral_axis(header, options.wavelength_unit, info);
  const auto ignored = header.number("data ignore value");
  set_no_data(ignored ? std::vector{ignored} : no_data_of_bands(*dataset), options, info);
  set_envi_scale(header, info);
  set_envi_names(header, info);
  return info;
}

/// What is said of a file that no driver can open.
[[noreturn]] void refuse_unreadable(const CubeFiles& files, const ReadOptions& options,
                                    const GdalErrors& errors) {
  const auto& path = files.data;
  if (const auto driver = other_driver_of(path, options.drivers); !driver.empty()) {
    refuse(path, "is of the format ", driver,
           ", which may refer to other files or to the network, and is not opened; if you trust it, "
           "allow it with data.drivers=[",
           driver, "]");
  }
  if (const auto kind = file_kind(path); kind != FileKind::unknown) {
    refuse(path, "is ", name_of(kind), " by its content, but cannot be read: ", errors.reason());
  }
  fs::path header = path;
  header.replace_extension(".hdr");
  if (is_file(header)) {
    refuse(path, "is not an image that can be read, and is not the data file of ", header.filename().string(),
           ", which is ", find_envi_data(header).filename().string());
  }
  refuse(path, "is not an image that can be read, and there is no ENVI header (", path.filename().string(),
         ".hdr or ", header.filename().string(), ") next to it: ", errors.reason());
}

bool holds_arrays(FileKind kind) {
  return kind == FileKind::netcdf || kind == FileKind::hdf4 || kind == FileKind::hdf5;
}

/// The array of the file that is the cube.
CubeArray cube_array(const CubeFiles& files, const ReadOptions& options) {
  const GdalErrors errors;
  const auto file = open_arrays(files.data, options.drivers);
  if (!file) {
    refuse_unreadable(files, options, errors);
  }
  return find_cube_array(*file, files.data);
}

/// The header beside a file that describes itself, if it speaks of such a cube.
std::optional<EnviHeader> fitting_header(const CubeFiles& files, const CubeInfo& info) {
  if (!files.header || !looks_like_envi_header(*files.header)) {
    return std::nullopt;
  }
  auto header = read_envi_header(*files.header);
  if (envi_file_type(header) != EnviFileType::cube) {
    refuse(header.path(), "says that ", info.path.filename().string(), " is a ", header.text("file type"),
           ", not a cube");
  }
  const std::pair<const char*, std::int64_t> sizes[]{
      {"bands", info.bands.count}, {"lines", info.rows}, {"samples", info.cols}};
  for (const auto& [key, found] : sizes) {
    if (header.has(key) && header.integer(key, 1) != found) {
      log::warning(text::concat(info.path.string(), ": has ", found, ' ', key, ", but its header ",
                                header.path().filename().string(), " describes ", header.integer(key, 1),
                                "; the header is left out"));
      return std::nullopt;
    }
  }
  check_overlooked_keys(header);
  return header;
}

/// Adds what the header states and the file does not.
void add_header(const EnviHeader& header, CubeInfo& info) {
  info.header = header.path();
  if (info.scale.empty() && info.offset.empty()) {
    set_envi_scale(header, info);
  }
  if (info.band_names.empty()) {
    set_envi_names(header, info);
  }
}

/// One a band, or one for all.
std::vector<std::optional<double>> stated_no_data(GDALDataset& dataset,
                                                  const std::optional<EnviHeader>& header) {
  auto stated = no_data_of_bands(dataset);
  const bool none =
      std::none_of(stated.begin(), stated.end(), [](const auto& value) { return value.has_value(); });
  if (none && header) {
    return {header->number("data ignore value")};
  }
  return stated;
}

void tell_of_limits(GDALDataset& dataset, const CubeInfo& info) {
  for (const auto& limit : info.array ? limits_of(dataset, *info.array) : std::vector<std::string>{}) {
    log::warning(text::concat(info.path.string(), ": the attribute ", limit, " of ", info.array->name,
                              " is not applied: values beyond it count as valid; mark them with _FillValue"));
  }
}

void check_netcdf_size(const fs::path& path) {
  const auto found = fs::file_size(path);
  if (const auto needed = classic_netcdf_bytes(path); needed && found < *needed) {
    refuse(path, "is truncated: it has ", found, " bytes, but its netCDF header describes ", *needed,
           "; copy or record it again");
  }
}

CubeInfo raster_info(const CubeFiles& files, FileKind kind, const ReadOptions& options) {
  CubeInfo info;
  info.path = files.data;
  if (kind == FileKind::netcdf) {
    check_netcdf_size(info.path);
  }
  if (holds_arrays(kind)) {
    info.array = cube_array(files, options);
  }
  const GdalErrors errors;
  const auto dataset = open_cube(info, options);
  if (!dataset) {
    refuse_unreadable(files, options, errors);
  }
  check_one_page(*dataset, info.path);
  check_is_cube(*dataset, info.path);
  set_raster_facts(*dataset, info);
  info.georeference = georeference_of(*dataset);
  check_tiff_blocks(*dataset, info.path);
  tell_of_limits(*dataset, info);
  const auto header = fitting_header(files, info);
  read_spectral_axis(*dataset, header, options.wavelength_unit, info);
  if (info.array) {
    info.more_no_data = missing_values_of(*dataset, *info.array, info.path);
  }
  set_no_data(stated_no_data(*dataset, header), options, info);
  set_band_scale(*dataset, info);
  set_band_names(*dataset, info);
  if (header) {
    add_header(*header, info);
  }
  return info;
}

/// A header makes raw data of a file whose content is of no known kind. A document, a text or an archive is
/// no raw data either, unless it happens to have just the size that the header says.
bool is_raw(const CubeFiles& files, FileKind kind) {
  if (!files.header || may_hold_cube(kind) || is_picture(kind)) {
    return false;
  }
  const auto size = fs::file_size(files.data);
  const auto described = described_bytes(*files.header);
  if (kind == FileKind::unknown && described && size > *described && is_text(files.data)) {
    refuse(files.data, "is text, not the ", *described, " bytes of pixels that ",
           files.header->filename().string(), " describes: give the data file");
  }
  return kind == FileKind::unknown || size == described;
}

}  // namespace

CubeInfo read_cube_info(const fs::path& path, const ReadOptions& options) {
  const auto files = locate(path);
  const auto kind = file_kind(files.data);
  return is_raw(files, kind) ? envi_info(files, options) : raster_info(files, kind, options);
}

}  // namespace hyperdefect::format
