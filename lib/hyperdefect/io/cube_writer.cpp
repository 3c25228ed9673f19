// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/cube_writer.h"

#include <map>
#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/io/envi_header.h"
#include "hyperdefect/io/gdal_dataset.h"

namespace hyperdefect::io {
namespace {

namespace fs = std::filesystem;

GDALDataType gdal_type(const std::string& name) {
  static const std::map<std::string, GDALDataType> types{
      {"uint8", GDT_Byte},    {"int16", GDT_Int16},     {"uint16", GDT_UInt16},  {"int32", GDT_Int32},
      {"uint32", GDT_UInt32}, {"float32", GDT_Float32}, {"float64", GDT_Float64}};
  const auto found = types.find(name);
  if (found == types.end()) {
    throw UsageError(
        text::cat("data type '", name,
                  "' cannot be written: take uint8, int16, uint16, int32, uint32, float32 or float64"));
  }
  return found->second;
}

fs::path header_of(const fs::path& data) {
  auto header = data;
  return data.has_extension() ? header.replace_extension(".hdr") : header += ".hdr";
}

template <class Values, class Format>
std::string braced(const Values& values, Format format) {
  std::vector<std::string> words;
  for (const auto& value : values) {
    words.push_back(format(value));
  }
  return text::cat('{', text::join(words, ", "), '}');
}

void set_spectral_axis(GDALDataset& dataset, const spectral::Bands& bands) {
  const auto set = [&](const char* key, const std::string& value) {
    dataset.SetMetadataItem(key, value.c_str(), "ENVI");
  };
  if (!bands.wavelengths_nm.empty()) {
    set("wavelength_units", "Nanometers");
    set("wavelength", braced(bands.wavelengths_nm, text::number));
  }
  if (!bands.fwhm_nm.empty()) {
    set("fwhm", braced(bands.fwhm_nm, text::number));
  }
  if (!bands.good.empty()) {
    set("bbl", braced(bands.good, [](bool good) { return std::string(good ? "1" : "0"); }));
  }
}

CPLErr write_pixels(GDALDataset& dataset, const torch::Tensor& values) {
  const auto rows = gdal_int(values.size(1));
  const auto cols = gdal_int(values.size(2));
  const auto pixels = values.to(torch::kCPU, torch::kFloat64).contiguous();
  const auto step = static_cast<GSpacing>(sizeof(double));
  return dataset.RasterIO(GF_Write, 0, 0, cols, rows, pixels.data_ptr<double>(), cols, rows, GDT_Float64,
                          gdal_int(values.size(0)), nullptr, step, step * cols, step * cols * rows, nullptr);
}

}  // namespace

void write_envi(const fs::path& path, const torch::Tensor& values, const spectral::Bands& bands,
                const EnviWriteOptions& options) {
  TORCH_CHECK(values.dim() == 3 && values.size(0) == bands.count, "write_envi: expected values (",
              bands.count, ", rows, cols), got ", values.sizes());
  if (has_header_extension(path)) {
    throw UsageError(text::cat(path.string(), ": give the name of the data file (.img), not of its header"));
  }
  AtomicFile data(path);
  AtomicFile header(header_of(path), data);
  const GdalErrors errors;
  const NoSidecarFiles no_sidecars;
  // The header's temporary name is the one that GDAL derives from that of the data.
  auto dataset = create_raster("ENVI", data.temporary(), gdal_int(values.size(2)), gdal_int(values.size(1)),
                               gdal_int(values.size(0)), gdal_type(options.data_type),
                               {"INTERLEAVE=" + to_string(options.interleave),
                                path.has_extension() ? "SUFFIX=REPLACE" : "SUFFIX=ADD"});
  set_spectral_axis(*dataset, bands);
  set_georeference(*dataset, options.georeference);
  if (options.no_data) {
    dataset->GetRasterBand(1)->SetNoDataValue(*options.no_data);
  }
  dataset->SetDescription(options.description.c_str());
  const auto written = write_pixels(*dataset, values);
  finish_raster(std::move(dataset), written, errors, path);
  data.commit();
  header.commit();
}

}  // namespace hyperdefect::io
