// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/gdal_dataset.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <string_view>
#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/file_kind.h"
#include "hyperdefect/format/hdf5_references.h"

namespace hyperdefect::format {
namespace {

constexpr const char* kSidecarOption = "GDAL_PAM_ENABLED";

/// Drivers that read the named file alone: no description of other files, no network, no pixels in a file
/// beside it. HDF5 files may refer to others: each one is looked through. HDF4 files may as well, and are not
/// among them.
constexpr std::array<const char*, 14> kPlainDrivers{"GTiff", "PNG",       "JPEG", "GIF",        "BIGGIF",
                                                    "BMP",   "WEBP",      "PNM",  "FITS",       "netCDF",
                                                    "HDF5",  "HDF5Image", "HEIF", "JP2OpenJPEG"};

/// Drivers of files of shapes that read these alone.
constexpr std::array<const char*, 8> kShapeDrivers{
    "GeoJSON", "GeoJSONSeq", "TopoJSON", "GPKG", "ESRI Shapefile", "FlatGeobuf", "KML", "MapInfo File"};

/// Written, and read only for the georeference of a header that we wrote ourselves.
constexpr const char* kEnviDriver = "ENVI";

bool is_plain(const char* name) {
  return EQUAL(name, kEnviDriver) || std::any_of(kPlainDrivers.begin(), kPlainDrivers.end(),
                                                 [&](const char* plain) { return EQUAL(name, plain); });
}

/// The drivers of GDAL that this process may use. A file may bring others with it (a mask beside it, an
/// overview) that GDAL opens with any registered driver; so only the plain ones are, until a user names more.
class Drivers {
 public:
  Drivers() {
    GDALAllRegister();
    auto& manager = *GetGDALDriverManager();
    for (int i = manager.GetDriverCount() - 1; i >= 0; --i) {
      if (auto* driver = manager.GetDriver(i); !is_plain(driver->GetDescription())) {
        manager.DeregisterDriver(driver);
        set_aside_.push_back(driver);
      }
    }
    CPLSetConfigOption(kNetworkOption, "");
    // The end that a JPEG lacks would be grey.
    CPLSetConfigOption("GDAL_ERROR_ON_LIBJPEG_WARNING", "TRUE");
  }

  /// @throws ConfigError if there is no such driver.
  void add(const std::string& name) {
    const std::lock_guard lock(mutex_);
    auto& manager = *GetGDALDriverManager();
    if (is_plain(name.c_str())) {
      return;
    }
    const auto found = std::find_if(set_aside_.begin(), set_aside_.end(), [&](GDALDriver* driver) {
      return opens_rasters(*driver) && EQUAL(driver->GetDescription(), name.c_str());
    });
    if (found == set_aside_.end()) {
      refuse(name);
    }
    if (manager.GetDriverByName(name.c_str()) == nullptr) {
      manager.RegisterDriver(*found);
    }
    CPLSetConfigOption(kNetworkOption, nullptr);
  }

  /// One of those set aside, which may be used without being registered; null if GDAL has none of this name.
  GDALDriver* set_aside(std::string_view name) const {
    const auto found = std::find_if(set_aside_.begin(), set_aside_.end(),
                                    [&](GDALDriver* driver) { return name == driver->GetDescription(); });
    return found == set_aside_.end() ? nullptr : *found;
  }

  /// Registers drivers of shapes, so that GDALOpenEx finds them.
  std::vector<std::string> add_shape_drivers() {
    const std::lock_guard lock(mutex_);
    auto& manager = *GetGDALDriverManager();
    std::vector<std::string> names;
    for (const auto* name : kShapeDrivers) {
      if (auto* driver = set_aside(name)) {
        manager.RegisterDriver(driver);
        names.emplace_back(name);
      }
    }
    return names;
  }

  /// The driver, of those set aside, that recognises the file; or "".
  std::string recognising(const std::string& path) const {
    GDALOpenInfo info(path.c_str(), GDAL_OF_RASTER);
    const auto found = std::find_if(set_aside_.begin(), set_aside_.end(), [&](GDALDriver* driver) {
      return opens_rasters(*driver) && driver->pfnIdentify != nullptr && driver->pfnIdentify(&info) == TRUE;
    });
    return found == set_aside_.end() ? std::string() : (*found)->GetDescription();
  }

 private:
  /// The only file that GDAL's network file systems may open; an empty name allows none.
  static constexpr const char* kNetworkOption = "CPL_VSIL_CURL_ALLOWED_FILENAME";

  static bool opens_rasters(GDALDriver& driver) {
    return driver.GetMetadataItem(GDAL_DCAP_RASTER) != nullptr &&
           driver.GetMetadataItem(GDAL_DCAP_OPEN) != nullptr;
  }

  [[noreturn]] void refuse(const std::string& name) const {
    std::vector<std::string> names;
    for (auto* driver : set_aside_) {
      if (opens_rasters(*driver)) {
        names.emplace_back(driver->GetDescription());
      }
    }
    const auto near = text::closest_match(name, names);
    throw ConfigError(text::concat(
        "data.drivers: '", name, "' is not a raster driver of GDAL ", GDALVersionInfo("RELEASE_NAME"),
        near.empty() ? std::string() : text::concat("; did you mean ", near, "?")));
  }

  std::vector<GDALDriver*> set_aside_;
  std::mutex mutex_;
};

Drivers& drivers() {
  static Drivers drivers;
  return drivers;
}

CPLStringList string_list(const std::vector<std::string>& strings) {
  CPLStringList list;
  for (const auto& string : strings) {
    list.AddString(string.c_str());
  }
  return list;
}

/// An absolute path is that of a file, whatever it is called: "NETCDF:x" would be a connection.
std::string file_name(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).string();
}

DatasetPtr open_file(const std::filesystem::path& path, unsigned kind,
                     const std::vector<std::string>& allowed) {
  drivers();
  return DatasetPtr(static_cast<GDALDataset*>(GDALOpenEx(file_name(path).c_str(),
                                                         kind | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR,
                                                         string_list(allowed).List(), nullptr, nullptr)));
}

/// The plain drivers and those that the user trusts.
/// @throws ConfigError if a driver has no such name.
std::vector<std::string> with_trusted(std::vector<std::string> plain,
                                      const std::vector<std::string>& trusted) {
  for (const auto& name : trusted) {
    drivers().add(name);
    plain.push_back(name);
  }
  return plain;
}

bool trusts_hdf5(const std::vector<std::string>& trusted) {
  return std::any_of(trusted.begin(), trusted.end(), [](const std::string& name) {
    return EQUAL(name.c_str(), "HDF5") || EQUAL(name.c_str(), "netCDF");
  });
}

/// Whether the file holds all of its data, or is trusted; if not, GDAL's error says why.
bool is_self_contained(const std::filesystem::path& path, const std::vector<std::string>& trusted) {
  if (file_kind(path) != FileKind::hdf5) {
    return true;
  }
  silence_hdf5();
  std::string refusal;
  try {
    if (const auto reference = trusts_hdf5(trusted) ? std::string() : reference_out_of_hdf5(path);
        !reference.empty()) {
      refusal = text::concat(reference, ", which is not opened; if you trust the file, allow it with ",
                             "data.drivers=[HDF5]");
    }
  } catch (const InputError& reason) {
    refusal = reason.what();
  }
  if (!refusal.empty()) {
    CPLError(CE_Failure, CPLE_OpenFailed, "%s", refusal.c_str());
  }
  return refusal.empty();
}

std::string wkt_of(const OGRSpatialReference* crs) {
  char* text = nullptr;
  std::string wkt;
  if (crs != nullptr && !crs->IsEmpty() && crs->exportToWkt(&text) == OGRERR_NONE) {
    wkt = text;
  }
  CPLFree(text);
  return wkt;
}

OGRSpatialReference crs_from(const std::string& wkt) {
  OGRSpatialReference crs;
  crs.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
  if (!wkt.empty()) {
    crs.importFromWkt(wkt.c_str());
  }
  return crs;
}

std::string text_or_empty(const char* text) {
  return text != nullptr ? text : "";
}

void set_control_points(GDALDataset& dataset, const Georeference& georeference) {
  std::vector<GDAL_GCP> points(georeference.gcps.size());
  GDALInitGCPs(static_cast<int>(points.size()), points.data());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& from = georeference.gcps[i];
    CPLFree(points[i].pszId);
    points[i].pszId = CPLStrdup(from.id.c_str());
    points[i].dfGCPPixel = from.col;
    points[i].dfGCPLine = from.row;
    points[i].dfGCPX = from.x;
    points[i].dfGCPY = from.y;
    points[i].dfGCPZ = from.z;
  }
  const auto crs = crs_from(georeference.gcp_wkt);
  dataset.SetGCPs(static_cast<int>(points.size()), points.data(), crs.IsEmpty() ? nullptr : &crs);
  GDALDeinitGCPs(static_cast<int>(points.size()), points.data());
}

bool is_tiff(GDALDataset& dataset) {
  const auto* driver = dataset.GetDriver();
  return driver != nullptr && std::string_view(driver->GetDescription()) == "GTiff";
}

/// What GDAL can tell of a block of a TIFF: its place in the file and its size there.
std::int64_t block_item(GDALRasterBand& band, const char* what, int x, int y) {
  const char* item = band.GetMetadataItem(text::concat("BLOCK_", what, '_', x, '_', y).c_str(), "TIFF");
  return item == nullptr ? 0 : std::strtoll(item, nullptr, 10);
}

void check_blocks(GDALRasterBand& band, std::int64_t file_bytes, const std::filesystem::path& path) {
  int block_cols = 0;
  int block_rows = 0;
  band.GetBlockSize(&block_cols, &block_rows);
  const int across = (band.GetXSize() + block_cols - 1) / block_cols;
  const int down = (band.GetYSize() + block_rows - 1) / block_rows;
  for (int y = 0; y < down; ++y) {
    for (int x = 0; x < across; ++x) {
      const auto offset = block_item(band, "OFFSET", x, y);
      const auto size = block_item(band, "SIZE", x, y);
      if (offset <= 0 || size <= 0 || offset + size > file_bytes) {
        throw InputError(
            text::concat(path.string(), ": block (", x, ", ", y, ") of band ", band.GetBand(),
                         offset <= 0 || size <= 0 ? " is missing" : " extends beyond the end of the file",
                         "; the file is incomplete (or sparse): write it again in full"));
      }
    }
  }
}

}  // namespace

GdalErrors::GdalErrors() {
  CPLPushErrorHandlerEx(&GdalErrors::collect, this);
}

GdalErrors::~GdalErrors() {
  CPLPopErrorHandler();
}

std::string GdalErrors::reason() const {
  return any() ? failures_.front() : "no reason given";
}

void GdalErrors::collect(CPLErr level, CPLErrorNum, const char* message) {
  if (level >= CE_Failure) {
    static_cast<GdalErrors*>(CPLGetErrorHandlerUserData())->failures_.emplace_back(message);
  } else {
    log::debug(text::concat("GDAL: ", message));
  }
}

NoSidecarFiles::NoSidecarFiles() {
  CPLSetThreadLocalConfigOption(kSidecarOption, "NO");
}

NoSidecarFiles::~NoSidecarFiles() {
  CPLSetThreadLocalConfigOption(kSidecarOption, nullptr);
}

void CloseDataset::operator()(GDALDataset* dataset) const {
  GDALClose(dataset);
}

DatasetPtr open_raster(const std::filesystem::path& path, const std::vector<std::string>& more_drivers) {
  const auto allowed = with_trusted({kPlainDrivers.begin(), kPlainDrivers.end()}, more_drivers);
  if (!is_self_contained(path, more_drivers)) {
    return nullptr;
  }
  DatasetPtr dataset;
  std::string failure;
  {
    const GdalErrors errors;
    dataset = open_raster_with(path, allowed);
    failure = errors.any() ? errors.reason() : std::string();
  }
  if (const auto other = dataset ? std::string() : other_driver_of(path, more_drivers); !other.empty()) {
    failure = text::concat("files of GDAL's driver ", other,
                           " are not read: they may open other files or the network");
  }
  if (!failure.empty()) {
    CPLError(CE_Failure, CPLE_OpenFailed, "%s", failure.c_str());
  }
  return dataset;
}

std::string other_driver_of(const std::filesystem::path& path, const std::vector<std::string>& more_drivers) {
  auto name = drivers().recognising(file_name(path));
  const bool is_allowed = std::any_of(more_drivers.begin(), more_drivers.end(), [&](const std::string& more) {
    return EQUAL(more.c_str(), name.c_str());
  });
  return is_allowed ? std::string() : std::move(name);
}

DatasetPtr open_raster_with(const std::filesystem::path& path, const std::vector<std::string>& drivers) {
  return open_file(path, GDAL_OF_RASTER, drivers);
}

DatasetPtr open_arrays(const std::filesystem::path& path, const std::vector<std::string>& more_drivers) {
  const auto allowed = with_trusted({"netCDF", "HDF5"}, more_drivers);
  return is_self_contained(path, more_drivers) ? open_file(path, GDAL_OF_MULTIDIM_RASTER, allowed) : nullptr;
}

DatasetPtr open_shapes(const std::filesystem::path& path) {
  return open_file(path, GDAL_OF_VECTOR, drivers().add_shape_drivers());
}

DatasetPtr memory_raster(const Size& size) {
  const GdalErrors errors;
  auto* driver = drivers().set_aside("MEM");
  DatasetPtr dataset(
      driver == nullptr ? nullptr
                        : driver->Create("", gdal_int(size.cols), gdal_int(size.rows), 1, GDT_Byte, nullptr));
  if (!dataset) {
    throw Error(text::concat("GDAL cannot make an image in memory: ", errors.reason()));
  }
  return dataset;
}

// NOLINTNEXTLINE(readability-function-size): GDAL asks for these parameters.
DatasetPtr create_raster(const char* driver, const std::filesystem::path& path, int cols, int rows, int bands,
                         GDALDataType type, const std::vector<std::string>& options) {
  drivers();
  const GdalErrors errors;
  DatasetPtr dataset(GetGDALDriverManager()->GetDriverByName(driver)->Create(
      path.c_str(), cols, rows, bands, type, string_list(options).List()));
  if (!dataset) {
    throw_cannot_write(path, errors.reason());
  }
  return dataset;
}

void finish_raster(DatasetPtr dataset, CPLErr written, const GdalErrors& errors,
                   const std::filesystem::path& target) {
  dataset.reset();
  if (written != CE_None || errors.any()) {
    throw_cannot_write(target, errors.reason());
  }
}

std::string crs_name(const std::string& wkt) {
  const auto crs = crs_from(wkt);
  const auto name = text_or_empty(crs.GetName());
  if (name != "unnamed") {
    return name;
  }
  return text::concat(text_or_empty(crs.GetAttrValue("GEOGCS")), ", ",
                      text_or_empty(crs.GetAttrValue("PROJECTION")));
}

Georeference georeference_of(GDALDataset& dataset) {
  Georeference georeference;
  georeference.wkt = wkt_of(dataset.GetSpatialRef());
  std::array<double, 6> transform{};
  if (dataset.GetGeoTransform(transform.data()) == CE_None) {
    georeference.transform = transform;
  }
  const GDAL_GCP* points = dataset.GetGCPs();
  for (int i = 0; i < dataset.GetGCPCount(); ++i) {
    const auto& p = points[i];
    georeference.gcps.push_back({p.pszId, p.dfGCPPixel, p.dfGCPLine, p.dfGCPX, p.dfGCPY, p.dfGCPZ});
  }
  if (!georeference.gcps.empty()) {
    georeference.gcp_wkt = wkt_of(dataset.GetGCPSpatialRef());
  }
  return georeference;
}

void set_georeference(GDALDataset& dataset, const Georeference& georeference) {
  if (const auto crs = crs_from(georeference.wkt); !crs.IsEmpty()) {
    dataset.SetSpatialRef(&crs);
  }
  if (georeference.transform) {
    auto transform = *georeference.transform;
    dataset.SetGeoTransform(transform.data());
  } else if (!georeference.gcps.empty()) {
    set_control_points(dataset, georeference);
  }
}

void check_one_page(GDALDataset& dataset, const std::filesystem::path& path) {
  if (!is_tiff(dataset)) {
    return;
  }
  // Two entries a page: its name and its description. Overviews and masks are none.
  const int pages = CSLCount(dataset.GetMetadata("SUBDATASETS")) / 2;
  if (pages > 1) {
    throw InputError(text::concat(path.string(), ": holds ", pages,
                                  " images, one per page: write them as the bands of one image"));
  }
}

void check_tiff_blocks(GDALDataset& dataset, const std::filesystem::path& path) {
  if (!is_tiff(dataset)) {
    return;
  }
  const auto file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  const char* interleave = dataset.GetMetadataItem("INTERLEAVE", "IMAGE_STRUCTURE");
  const bool together = interleave != nullptr && std::string_view(interleave) == "PIXEL";
  for (int band = 1; band <= (together ? 1 : dataset.GetRasterCount()); ++band) {
    check_blocks(*dataset.GetRasterBand(band), file_bytes, path);
  }
}

std::optional<double> no_data_of(GDALRasterBand& band) {
  int has = 0;
  double value = 0;
  switch (band.GetRasterDataType()) {
    case GDT_Int64:
      value = static_cast<double>(band.GetNoDataValueAsInt64(&has));
      break;
    case GDT_UInt64:
      value = static_cast<double>(band.GetNoDataValueAsUInt64(&has));
      break;
    default:
      value = band.GetNoDataValue(&has);
  }
  return has != 0 ? std::optional(value) : std::nullopt;
}

BandNumbers band_numbers(GDALDataset& dataset) {
  const auto* driver = dataset.GetDriver();
  const bool may_have_alpha = driver == nullptr || std::string_view(driver->GetDescription()) != "ENVI";
  BandNumbers numbers;
  for (int band = 1; band <= dataset.GetRasterCount(); ++band) {
    const auto meaning = dataset.GetRasterBand(band)->GetColorInterpretation();
    (may_have_alpha && meaning == GCI_AlphaBand ? numbers.alpha : numbers.spectral).push_back(band);
  }
  return numbers;
}

int gdal_int(std::int64_t value) {
  if (value < 0 || value > std::numeric_limits<int>::max()) {
    throw InputError(text::concat("an image side of ", value, " pixels is out of range: at most 2147483647"));
  }
  return static_cast<int>(value);
}

}  // namespace hyperdefect::format
