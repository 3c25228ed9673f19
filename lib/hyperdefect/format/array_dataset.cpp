// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/array_dataset.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "hyperdefect/format/cube_array.h"
#include "hyperdefect/format/hdf5_references.h"

namespace hyperdefect::format {
namespace {

/// The part of an array that a window covers.
struct Part {
  int col, row, cols, rows;
};

/// Where values go.
struct Target {
  void* data;
  GDALDataType type;
  GSpacing pixel, line, band;
};

/// NC_FILL_SHORT ... of the netCDF format, which knows none for bytes. Those of unsigned types are left out:
/// they are the largest values, where a detector saturates.
std::optional<double> fill_of_netcdf(GDALDataType type) {
  switch (type) {
    case GDT_Int16:
      return -32767;
    case GDT_Int32:
      return -2147483647;
    case GDT_Float32:
    case GDT_Float64:
      return 9.9692099683868690e+36;
    default:
      return std::nullopt;
  }
}

class ArrayDataset;

class ArrayBand final : public GDALRasterBand {
 public:
  ArrayBand(ArrayDataset& dataset, int number, GDALDataType type, Size block);

  double GetNoDataValue(int* has) override;
  double GetScale(int* has) override;
  double GetOffset(int* has) override;

 protected:
  CPLErr IReadBlock(int block_col, int block_row, void* data) override;
  CPLErr IRasterIO(GDALRWFlag flag, int col, int row, int cols, int rows, void* data, int to_cols,
                   int to_rows, GDALDataType type, GSpacing pixel, GSpacing line,
                   GDALRasterIOExtraArg* extra) override;

 private:
  ArrayDataset& dataset_;
};

class ArrayDataset final : public GDALDataset {
 public:
  ArrayDataset(DatasetPtr file, ArrayPtr array, CubeArray place)
      : file_(std::move(file)), array_(std::move(array)), place_(std::move(place)) {
    nRasterXSize = gdal_int(static_cast<std::int64_t>(size_along(*array_, place_.col_axis)));
    nRasterYSize = gdal_int(static_cast<std::int64_t>(size_along(*array_, place_.row_axis)));
    poDriver = file_->GetDriver();
    const auto type = array_->GetDataType().GetNumericDataType();
    const int bands =
        place_.band_axis < 0 ? 1 : gdal_int(static_cast<std::int64_t>(size_along(*array_, place_.band_axis)));
    for (int band = 1; band <= bands; ++band) {
      SetBand(band, new ArrayBand(*this, band, type, block_size()));
    }
    SetMetadataItem("INTERLEAVE", interleave(), "IMAGE_STRUCTURE");
  }

  const GDALMDArray& array() const { return *array_; }

  /// What the netCDF library writes where nobody writes a value, if the file states no other.
  std::optional<double> default_fill() const {
    return EQUAL(file_->GetDriver()->GetDescription(), "netCDF")
               ? fill_of_netcdf(array_->GetDataType().GetNumericDataType())
               : std::nullopt;
  }

  /// The arrays beside this one: the wavelengths.
  std::shared_ptr<GDALGroup> GetRootGroup() const override { return file_->GetRootGroup(); }

  const OGRSpatialReference* GetSpatialRef() const override {
    crs_ = array_->GetSpatialRef();
    return crs_.get();
  }

  CPLErr GetGeoTransform(double* transform) override {
    const auto col = static_cast<std::size_t>(place_.col_axis);
    const auto row = static_cast<std::size_t>(place_.row_axis);
    return array_->GuessGeoTransform(col, row, false, transform) ? CE_None : CE_Failure;
  }

  /// Reads the part of these bands with one access, in the order of the file.
  CPLErr read(const Part& part, const std::vector<int>& bands, const Target& target) const {
    silence_hdf5();
    const auto [first, last] = std::minmax_element(bands.begin(), bands.end());
    const auto& dimensions = array_->GetDimensions();
    std::vector<GUInt64> begin(dimensions.size(), 0);
    std::vector<std::size_t> count(dimensions.size(), 1);
    const auto set = [&](int axis, int from, int length) {
      if (axis >= 0) {
        begin[static_cast<std::size_t>(axis)] = static_cast<GUInt64>(from);
        count[static_cast<std::size_t>(axis)] = static_cast<std::size_t>(length);
      }
    };
    set(place_.col_axis, part.col, part.cols);
    set(place_.row_axis, part.row, part.rows);
    set(place_.band_axis, *first - 1, *last - *first + 1);
    const auto type = array_->GetDataType();
    const auto values = std::accumulate(count.begin(), count.end(), std::size_t{1}, std::multiplies<>());
    std::vector<GByte> bytes(values * type.GetSize());
    if (!array_->Read(begin.data(), count.data(), nullptr, nullptr, type, bytes.data())) {
      return CE_Failure;
    }
    for (std::size_t i = 0; i < bands.size(); ++i) {
      const auto skipped = static_cast<std::size_t>(bands[i] - *first);
      copy_band(bytes.data() + skipped * step(count, place_.band_axis), count, part,
                {static_cast<GByte*>(target.data) + static_cast<GSpacing>(i) * target.band, target.type,
                 target.pixel, target.line, target.band});
    }
    return CE_None;
  }

 protected:
  // NOLINTNEXTLINE(readability-function-size): GDAL asks for these parameters.
  CPLErr IRasterIO(GDALRWFlag flag, int col, int row, int cols, int rows, void* data, int to_cols,
                   int to_rows, GDALDataType type, int bands, int* numbers, GSpacing pixel, GSpacing line,
                   GSpacing band, GDALRasterIOExtraArg* extra) override {
    if (flag == GF_Read && cols == to_cols && rows == to_rows) {
      return read({col, row, cols, rows}, {numbers, numbers + bands}, {data, type, pixel, line, band});
    }
    return GDALDataset::IRasterIO(flag, col, row, cols, rows, data, to_cols, to_rows, type, bands, numbers,
                                  pixel, line, band, extra);
  }

 private:
  /// Bytes from an element of the buffer, which has the order of the file, to the next one along an axis.
  std::size_t step(const std::vector<std::size_t>& count, int axis) const {
    if (axis < 0) {
      return 0;
    }
    return std::accumulate(count.begin() + axis + 1, count.end(), array_->GetDataType().GetSize(),
                           std::multiplies<>());
  }

  void copy_band(const GByte* source, const std::vector<std::size_t>& count, const Part& part,
                 const Target& target) const {
    const auto from = array_->GetDataType().GetNumericDataType();
    const auto col_step = static_cast<int>(step(count, place_.col_axis));
    const auto row_step = step(count, place_.row_axis);
    for (int row = 0; row < part.rows; ++row) {
      GDALCopyWords64(source + static_cast<std::size_t>(row) * row_step, from, col_step,
                      static_cast<GByte*>(target.data) + row * target.line, target.type,
                      static_cast<int>(target.pixel), part.cols);
    }
  }

  /// The chunk of the file, or a line.
  Size block_size() const {
    const auto blocks = array_->GetBlockSize();
    const auto along = [&](int axis, std::int64_t otherwise) {
      const auto block = blocks[static_cast<std::size_t>(axis)];
      return block == 0 ? otherwise : static_cast<std::int64_t>(block);
    };
    return {along(place_.row_axis, 1), along(place_.col_axis, nRasterXSize)};
  }

  const char* interleave() const {
    if (place_.band_axis < place_.row_axis && place_.band_axis < place_.col_axis) {
      return "BAND";
    }
    return place_.band_axis > place_.row_axis && place_.band_axis > place_.col_axis ? "PIXEL" : "LINE";
  }

  DatasetPtr file_;
  ArrayPtr array_;
  CubeArray place_;
  mutable std::shared_ptr<OGRSpatialReference> crs_;
};

ArrayBand::ArrayBand(ArrayDataset& dataset, int number, GDALDataType type, Size block) : dataset_(dataset) {
  poDS = &dataset;
  nBand = number;
  eDataType = type;
  nRasterXSize = dataset.GetRasterXSize();
  nRasterYSize = dataset.GetRasterYSize();
  nBlockXSize = gdal_int(std::min<std::int64_t>(block.cols, nRasterXSize));
  nBlockYSize = gdal_int(std::min<std::int64_t>(block.rows, nRasterYSize));
}

double ArrayBand::GetNoDataValue(int* has) {
  bool stated = false;
  double value = dataset_.array().GetNoDataValueAsDouble(&stated);
  if (const auto fill = dataset_.default_fill(); !stated && fill) {
    stated = true;
    value = *fill;
  }
  if (has != nullptr) {
    *has = stated ? TRUE : FALSE;
  }
  return value;
}

double ArrayBand::GetScale(int* has) {
  bool stated = false;
  const double value = dataset_.array().GetScale(&stated);
  if (has != nullptr) {
    *has = stated ? TRUE : FALSE;
  }
  return stated ? value : 1;
}

double ArrayBand::GetOffset(int* has) {
  bool stated = false;
  const double value = dataset_.array().GetOffset(&stated);
  if (has != nullptr) {
    *has = stated ? TRUE : FALSE;
  }
  return stated ? value : 0;
}

CPLErr ArrayBand::IReadBlock(int block_col, int block_row, void* data) {
  const int col = block_col * nBlockXSize;
  const int row = block_row * nBlockYSize;
  const GSpacing bytes = GDALGetDataTypeSizeBytes(eDataType);
  const Part part{col, row, std::min(nBlockXSize, nRasterXSize - col),
                  std::min(nBlockYSize, nRasterYSize - row)};
  return dataset_.read(part, {nBand}, {data, eDataType, bytes, bytes * nBlockXSize, 0});
}

// NOLINTNEXTLINE(readability-function-size): GDAL asks for these parameters.
CPLErr ArrayBand::IRasterIO(GDALRWFlag flag, int col, int row, int cols, int rows, void* data, int to_cols,
                            int to_rows, GDALDataType type, GSpacing pixel, GSpacing line,
                            GDALRasterIOExtraArg* extra) {
  if (flag == GF_Read && cols == to_cols && rows == to_rows) {
    return dataset_.read({col, row, cols, rows}, {nBand}, {data, type, pixel, line, 0});
  }
  return GDALRasterBand::IRasterIO(flag, col, row, cols, rows, data, to_cols, to_rows, type, pixel, line,
                                   extra);
}

}  // namespace

DatasetPtr open_array(DatasetPtr file, const CubeArray& place) {
  const auto root = file->GetRootGroup();
  auto array = root ? root->OpenMDArrayFromFullname(place.name) : nullptr;
  const auto axis = static_cast<std::size_t>(std::max({place.row_axis, place.col_axis, place.band_axis}));
  if (!array || axis >= array->GetDimensionCount()) {
    CPLError(CE_Failure, CPLE_OpenFailed, "the file holds no array named %s", place.name.c_str());
    return nullptr;
  }
  return DatasetPtr(new ArrayDataset(std::move(file), std::move(array), place));
}

}  // namespace hyperdefect::format
