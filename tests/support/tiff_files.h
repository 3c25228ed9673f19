// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gdal_priv.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace hyperdefect::test {

/// A small TIFF, made by GDAL itself.
struct TiffCube {
  int rows = 20;
  int cols = 18;
  int bands = 3;
  GDALDataType type = GDT_UInt16;
  std::vector<std::string> options;
  /// Called before the pixels are written, to add metadata.
  std::function<void(GDALDataset&)> describe;
  /// The pixels of blocks below this row are not written; -1 writes all.
  int last_row = -1;
};

inline void write_tiff_cube(const std::filesystem::path& path, const TiffCube& cube,
                            const std::function<double(int, int, int)>& value) {
  GDALAllRegister();
  CPLStringList options;
  for (const auto& option : cube.options) {
    options.AddString(option.c_str());
  }
  auto* dataset = GetGDALDriverManager()->GetDriverByName("GTiff")->Create(
      path.c_str(), cube.cols, cube.rows, cube.bands, cube.type, options.List());
  if (cube.describe) {
    cube.describe(*dataset);
  }
  const int rows = cube.last_row < 0 ? cube.rows : cube.last_row;
  std::vector<double> line(static_cast<std::size_t>(cube.cols));
  for (int band = 0; band < cube.bands; ++band) {
    for (int row = 0; row < rows; ++row) {
      for (int col = 0; col < cube.cols; ++col) {
        line[static_cast<std::size_t>(col)] = value(band, row, col);
      }
      const auto result = dataset->GetRasterBand(band + 1)->RasterIO(
          GF_Write, 0, row, cube.cols, 1, line.data(), cube.cols, 1, GDT_Float64, 0, 0, nullptr);
      if (result != CE_None) {
        throw std::runtime_error("the test's TIFF cannot be written");
      }
    }
  }
  GDALClose(dataset);
}

/// Adds an image of uint16 behind those that the TIFF holds.
inline void append_page(const std::filesystem::path& path, int bands) {
  auto& memory = *GetGDALDriverManager()->GetDriverByName("MEM");
  auto* page = memory.Create("", 18, 20, bands, GDT_UInt16, nullptr);
  CPLStringList options;
  options.SetNameValue("APPEND_SUBDATASET", "YES");
  auto* copy = GetGDALDriverManager()->GetDriverByName("GTiff")->CreateCopy(path.c_str(), page, FALSE,
                                                                            options.List(), nullptr, nullptr);
  GDALClose(page);
  if (copy == nullptr) {
    throw std::runtime_error("the test's TIFF cannot be extended");
  }
  GDALClose(copy);
}

}  // namespace hyperdefect::test
