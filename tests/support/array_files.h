// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gdal_priv.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace hyperdefect::test {

/// An array of a netCDF file: its dimensions in the order of the file, and its values in that order.
struct FileArray {
  std::string name;
  std::vector<std::string> dimensions;
  std::vector<double> values;
  std::string unit = "";
  /// Called before the values are written, to add no data and scale.
  std::function<void(GDALMDArray&)> describe = nullptr;
};

struct FileDimension {
  std::string name;
  std::uint64_t size;
};

/// Writes a netCDF file by GDAL itself.
/// @param format "NC" for netCDF 3, "NC4" for netCDF 4, which is HDF5.
inline void write_arrays(const std::filesystem::path& path, const std::vector<FileDimension>& dimensions,
                         const std::vector<FileArray>& arrays, const std::string& format = "NC4") {
  GDALAllRegister();
  CPLStringList options;
  options.SetNameValue("FORMAT", format.c_str());
  const std::unique_ptr<GDALDataset> file(
      GetGDALDriverManager()->GetDriverByName("netCDF")->CreateMultiDimensional(path.c_str(), nullptr,
                                                                                options.List()));
  const auto root = file->GetRootGroup();
  std::vector<std::shared_ptr<GDALDimension>> made;
  for (const auto& dimension : dimensions) {
    made.push_back(root->CreateDimension(dimension.name, "", "", dimension.size));
  }
  for (const auto& wanted : arrays) {
    std::vector<std::shared_ptr<GDALDimension>> own;
    std::vector<std::size_t> count;
    for (const auto& name : wanted.dimensions) {
      for (const auto& dimension : made) {
        if (dimension->GetName() == name) {
          own.push_back(dimension);
          count.push_back(static_cast<std::size_t>(dimension->GetSize()));
        }
      }
    }
    const auto array =
        root->CreateMDArray(wanted.name, own, GDALExtendedDataType::Create(GDT_Float32), nullptr);
    if (!wanted.unit.empty()) {
      array->SetUnit(wanted.unit);
    }
    if (wanted.describe) {
      wanted.describe(*array);
    }
    const std::vector<GUInt64> begin(count.size(), 0);
    if (!array->Write(begin.data(), count.data(), nullptr, nullptr, GDALExtendedDataType::Create(GDT_Float64),
                      wanted.values.data())) {
      throw std::runtime_error("the test's array cannot be written");
    }
  }
}

}  // namespace hyperdefect::test
