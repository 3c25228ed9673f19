// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/region_reader.h"

#include <gdal_alg.h>
#include <ogr_spatialref.h>
#include <ogrsf_frmts.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/gdal_dataset.h"
#include "hyperdefect/io/mask_reader.h"

namespace hyperdefect::io {
namespace {

namespace fs = std::filesystem;

/// In the image: a GDAL transform from pixel corners. Identity if the image has no georeference.
constexpr std::array<double, 6> kPixels{0, 1, 0, 0, 0, 1};

/// Null if the file holds no shapes.
format::DatasetPtr open_shapes(const fs::path& file) {
  const format::GdalErrors errors;
  return format::open_shapes(file);
}

/// @throws InputError, also if the file does not say which of its layers is meant.
OGRLayer& layer_of(GDALDataset& shapes, const fs::path& file) {
  std::vector<std::string> names;
  for (int i = 0; i < shapes.GetLayerCount(); ++i) {
    names.emplace_back(shapes.GetLayer(i)->GetName());
  }
  if (names.size() != 1) {
    throw InputError(text::concat(
        file.string(), ": the region is a file with one layer of polygons, but ",
        names.empty() ? "this file has none" : "this file has the layers " + text::join(names, ", "),
        ": write the polygons to a file of their own"));
  }
  return *shapes.GetLayer(0);
}

bool is_area(const OGRGeometry& geometry) {
  const auto type = wkbFlatten(geometry.getGeometryType());
  return OGR_GT_IsSubClassOf(type, wkbCurvePolygon) != FALSE || type == wkbMultiPolygon ||
         type == wkbMultiSurface;
}

using Polygons = std::vector<OGRGeometryUniquePtr>;

Polygons polygons_of(OGRLayer& layer, const fs::path& file) {
  Polygons polygons;
  const format::GdalErrors errors;
  for (auto& feature : layer) {
    const auto* geometry = feature->GetGeometryRef();
    if (geometry == nullptr || geometry->IsEmpty()) {
      continue;
    }
    if (!is_area(*geometry)) {
      throw InputError(text::concat(file.string(), ": holds a ", geometry->getGeometryName(),
                                    ", which encloses nothing: a region is made of polygons"));
    }
    polygons.emplace_back(geometry->getLinearGeometry());
    polygons.back()->flattenTo2D();
  }
  if (errors.any()) {
    throw InputError(text::concat(file.string(), ": the polygons cannot be read: ", errors.reason()));
  }
  if (polygons.empty()) {
    throw InputError(text::concat(file.string(), ": holds no polygon: draw the region, or give a mask"));
  }
  return polygons;
}

/// Brings polygons to the CRS of the image.
void reproject(Polygons& polygons, const OGRSpatialReference* from, const format::CubeInfo& cube,
               const fs::path& file) {
  OGRSpatialReference to;
  to.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
  if (from == nullptr || from->IsEmpty() || cube.georeference.wkt.empty() ||
      to.importFromWkt(cube.georeference.wkt.c_str()) != OGRERR_NONE || from->IsSame(&to) != FALSE) {
    return;
  }
  const format::GdalErrors errors;
  const std::unique_ptr<OGRCoordinateTransformation> transformation(
      OGRCreateCoordinateTransformation(from, &to));
  for (auto& polygon : polygons) {
    if (!transformation || polygon->transform(transformation.get()) != OGRERR_NONE) {
      throw InputError(text::concat(file.string(), ": its polygons cannot be brought to the CRS of ",
                                    cube.path.string(), ": ", errors.reason()));
    }
  }
}

/// From pixel corners to the coordinates of the polygons.
std::array<double, 6> transform_of(const format::CubeInfo& cube, const fs::path& file) {
  const auto& georeference = cube.georeference;
  if (!georeference.transform && !georeference.gcps.empty()) {
    throw InputError(text::concat(cube.path.string(),
                                  ": only control points say where it lies, which is too little to place the "
                                  "polygons of ",
                                  file.string(), ": give a mask image of the region"));
  }
  return georeference.transform.value_or(kPixels);
}

std::string extent_text(const OGREnvelope& extent) {
  return text::concat("x ", text::to_text(extent.MinX), " to ", text::to_text(extent.MaxX), ", y ",
                      text::to_text(extent.MinY), " to ", text::to_text(extent.MaxY));
}

/// Where the polygons lie and where the image does: what does not meet is seen at once.
std::string extents_text(const Polygons& polygons, const std::array<double, 6>& transform, const Size& size) {
  OGREnvelope shapes;
  for (const auto& polygon : polygons) {
    OGREnvelope one;
    polygon->getEnvelope(&one);
    shapes.Merge(one);
  }
  OGREnvelope image;
  for (const auto& [col, row] : {std::pair{0.0, 0.0}, std::pair{0.0, static_cast<double>(size.rows)},
                                 std::pair{static_cast<double>(size.cols), 0.0},
                                 std::pair{static_cast<double>(size.cols), static_cast<double>(size.rows)}}) {
    image.Merge(transform[0] + col * transform[1] + row * transform[2],
                transform[3] + col * transform[4] + row * transform[5]);
  }
  return text::concat("the polygons cover ", extent_text(shapes), ", the image ", extent_text(image));
}

/// (rows, cols) bool: the centre of the pixel lies in a polygon.
torch::Tensor burnt(const Polygons& polygons, std::array<double, 6> transform, const Size& size) {
  const auto image = format::memory_raster(size);
  if (transform != kPixels) {
    image->SetGeoTransform(transform.data());
  }
  std::vector<OGRGeometryH> shapes;
  for (const auto& polygon : polygons) {
    // Else GDAL would look for a CRS of the image.
    polygon->assignSpatialReference(nullptr);
    shapes.push_back(OGRGeometry::ToHandle(polygon.get()));
  }
  const std::vector<double> values(shapes.size(), 255);
  int band = 1;
  const format::GdalErrors errors;
  auto bytes = torch::zeros({size.rows, size.cols}, torch::kByte);
  if (GDALRasterizeGeometries(GDALDataset::ToHandle(image.get()), 1, &band, static_cast<int>(shapes.size()),
                              shapes.data(), nullptr, nullptr, values.data(), nullptr, nullptr,
                              nullptr) != CE_None ||
      image->GetRasterBand(1)->RasterIO(
          GF_Read, 0, 0, format::gdal_int(size.cols), format::gdal_int(size.rows), bytes.data_ptr(),
          format::gdal_int(size.cols), format::gdal_int(size.rows), GDT_Byte, 0, 0, nullptr) != CE_None) {
    throw InputError(text::concat("the polygons cannot be drawn: ", errors.reason()));
  }
  return bytes.ne(0);
}

torch::Tensor region_of_polygons(GDALDataset& shapes, const fs::path& file, const format::CubeInfo& cube) {
  auto& layer = layer_of(shapes, file);
  auto polygons = polygons_of(layer, file);
  const auto transform = transform_of(cube, file);
  if (cube.georeference.transform) {
    reproject(polygons, layer.GetSpatialRef(), cube, file);
  }
  auto region = burnt(polygons, transform, cube.size());
  if (!region.any().item<bool>()) {
    throw InputError(text::concat(file.string(), ": no pixel of ", cube.path.string(),
                                  " lies in its polygons: ", extents_text(polygons, transform, cube.size())));
  }
  return region;
}

torch::Tensor region_of_mask(const fs::path& file, const format::CubeInfo& cube) {
  auto region = read_mask(file, ExpectedSize{cube.size(), cube.path.string()}, MaskOf::product);
  if (!region.any().item<bool>()) {
    throw InputError(text::concat(file.string(),
                                  ": the mask marks no pixel, but the product's pixels are those that are "
                                  "not zero"));
  }
  return region;
}

}  // namespace

void check_region_file(const fs::path& file) {
  if (const auto shapes = open_shapes(file)) {
    layer_of(*shapes, file);
  } else {
    mask_size(file);
  }
}

torch::Tensor read_region(const fs::path& file, const format::CubeInfo& cube) {
  const auto shapes = open_shapes(file);
  return shapes ? region_of_polygons(*shapes, file, cube) : region_of_mask(file, cube);
}

}  // namespace hyperdefect::io
