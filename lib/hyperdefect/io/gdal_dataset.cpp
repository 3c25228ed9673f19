// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/gdal_dataset.h"

#include <array>
#include <limits>
#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::io {
namespace {

constexpr const char* kSidecarOption = "GDAL_PAM_ENABLED";

void register_drivers() {
  [[maybe_unused]] static const bool registered = (GDALAllRegister(), true);
}

CPLStringList string_list(const std::vector<std::string>& strings) {
  CPLStringList list;
  for (const auto& string : strings) {
    list.AddString(string.c_str());
  }
  return list;
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
    log::debug(text::cat("GDAL: ", message));
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

DatasetPtr open_raster(const std::filesystem::path& path, const std::string& driver) {
  register_drivers();
  const char* const allowed[] = {driver.c_str(), nullptr};
  return DatasetPtr(static_cast<GDALDataset*>(
      GDALOpenEx(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR,
                 driver.empty() ? nullptr : allowed, nullptr, nullptr)));
}

DatasetPtr create_raster(const char* driver, const std::filesystem::path& path, int cols, int rows, int bands,
                         GDALDataType type, const std::vector<std::string>& options) {
  register_drivers();
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

int gdal_int(std::int64_t value) {
  if (value < 0 || value > std::numeric_limits<int>::max()) {
    throw InputError(text::cat("an image side of ", value, " pixels is out of range: at most 2147483647"));
  }
  return static_cast<int>(value);
}

}  // namespace hyperdefect::io
