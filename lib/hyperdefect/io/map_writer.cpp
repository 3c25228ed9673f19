// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/map_writer.h"

#include <utility>
#include <vector>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::io {
namespace {

std::vector<std::string> tiff_options(bool is_float) {
  return {"COMPRESS=DEFLATE", is_float ? "PREDICTOR=3" : "PREDICTOR=2", "TILED=YES", "BIGTIFF=IF_SAFER"};
}

}  // namespace

void write_map(const std::filesystem::path& path, const torch::Tensor& map,
               const format::Georeference& georeference, const std::map<std::string, std::string>& tags,
               std::optional<double> no_data) {
  const bool is_float = map.scalar_type() == torch::kFloat32;
  TORCH_CHECK(map.dim() == 2 && (is_float || map.scalar_type() == torch::kUInt8),
              "write_map: expected (rows, cols) float32 or uint8, got ", map.sizes(), " ", map.scalar_type());
  const auto values = map.to(torch::kCPU).contiguous();
  const auto type = is_float ? GDT_Float32 : GDT_Byte;
  const int rows = format::gdal_int(map.size(0));
  const int cols = format::gdal_int(map.size(1));
  AtomicFile file(path);
  const format::GdalErrors errors;
  const format::NoSidecarFiles no_sidecars;
  auto dataset =
      format::create_raster("GTiff", file.temporary(), cols, rows, 1, type, tiff_options(is_float));
  format::set_georeference(*dataset, georeference);
  for (const auto& [key, value] : tags) {
    dataset->SetMetadataItem(key.c_str(), value.c_str());
  }
  auto& band = *dataset->GetRasterBand(1);
  if (no_data) {
    band.SetNoDataValue(*no_data);
  }
  const auto written =
      band.RasterIO(GF_Write, 0, 0, cols, rows, values.data_ptr(), cols, rows, type, 0, 0, nullptr);
  format::finish_raster(std::move(dataset), written, errors, path);
  file.commit();
}

}  // namespace hyperdefect::io
