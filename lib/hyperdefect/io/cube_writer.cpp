// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/cube_writer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>
#include <string_view>
#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::io {
namespace {

namespace fs = std::filesystem;

/// So much of a cube is brought into the order and type of the file at a time.
constexpr std::int64_t kBytesAtATime = 16 << 20;

/// Appends the tensor's values as the file holds them.
using Encode = std::function<void(const torch::Tensor& values, std::string& bytes)>;

struct DataType {
  const char* name;
  int envi_code;
  Encode encode;
};

/// The nearest value of a whole-number type: halves away from zero, what does not fit is clamped, NaN is 0.
template <class T>
T nearest_whole(double value) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(value)) {
    return 0;
  }
  const double rounded = std::round(value);
  if (rounded <= static_cast<double>(Limits::lowest())) {
    return Limits::lowest();
  }
  return rounded >= static_cast<double>(Limits::max()) ? Limits::max() : static_cast<T>(rounded);
}

template <class T, class From>
void append_whole(const torch::Tensor& values, std::string& bytes) {
  const auto ordered = values.contiguous();
  const auto* from = ordered.const_data_ptr<From>();
  std::vector<T> whole(static_cast<std::size_t>(ordered.numel()));
  std::transform(from, from + ordered.numel(), whole.begin(),
                 [](From value) { return nearest_whole<T>(static_cast<double>(value)); });
  bytes.append(reinterpret_cast<const char*>(whole.data()), whole.size() * sizeof(T));
}

/// Values of single precision, as cubes have them, are not copied to double first.
template <class T>
void encode_whole(const torch::Tensor& values, std::string& bytes) {
  if (values.scalar_type() == torch::kFloat32) {
    append_whole<T, float>(values, bytes);
  } else {
    append_whole<T, double>(values.to(torch::kFloat64), bytes);
  }
}

template <class T>
void encode_real(const torch::Tensor& values, std::string& bytes) {
  const auto exact = values.to(c10::CppTypeToScalarType<T>::value).contiguous();
  bytes.append(static_cast<const char*>(exact.data_ptr()), exact.nbytes());
}

const DataType& data_type_named(const std::string& name) {
  static const std::vector<DataType> types{
      {"uint8", 1, encode_whole<std::uint8_t>},    {"int16", 2, encode_whole<std::int16_t>},
      {"uint16", 12, encode_whole<std::uint16_t>}, {"int32", 3, encode_whole<std::int32_t>},
      {"uint32", 13, encode_whole<std::uint32_t>}, {"float32", 4, encode_real<float>},
      {"float64", 5, encode_real<double>}};
  for (const auto& type : types) {
    if (type.name == name) {
      return type;
    }
  }
  throw UsageError(
      text::concat("data type '", name,
                   "' cannot be written: choose uint8, int16, uint16, int32, uint32, float32 or float64"));
}

/// A file that is written piece by piece under the temporary name of an AtomicFile.
class CheckedFile {
 public:
  explicit CheckedFile(const fs::path& target) : target_(target), file_(target) {
    errno = 0;
    stream_.open(file_.temporary(), std::ios::binary);
    check();
  }

  void write(std::string_view bytes) {
    errno = 0;
    stream_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    check();
  }

  void close() {
    errno = 0;
    stream_.close();
    check();
  }

  void commit() { file_.commit(); }

 private:
  void check() const {
    if (!stream_) {
      throw Error(
          text::concat("cannot write ", target_.string(), ": ", std::strerror(errno != 0 ? errno : EIO)));
    }
  }

  fs::path target_;
  AtomicFile file_;
  std::ofstream stream_;
};

/// (bands, rows, cols) with its axes in the order of the file.
torch::Tensor in_file_order(const torch::Tensor& values, format::Interleave interleave) {
  switch (interleave) {
    case format::Interleave::bip:
      return values.permute({1, 2, 0});
    case format::Interleave::bil:
      return values.permute({1, 0, 2});
    case format::Interleave::bsq:
      break;
  }
  return values;
}

/// Writes the cube some slices of its first axis in the file at a time, so that no second cube is held.
void write_values(CheckedFile& file, const torch::Tensor& values, const DataType& type,
                  format::Interleave interleave) {
  const auto ordered = in_file_order(values, interleave);
  const auto slices = ordered.size(0);
  const auto values_in_slice = std::max<std::int64_t>(1, ordered.size(1) * ordered.size(2));
  const auto step = std::max<std::int64_t>(
      1, kBytesAtATime / (values_in_slice * static_cast<std::int64_t>(sizeof(double))));
  std::string bytes;
  for (std::int64_t first = 0; first < slices; first += step) {
    bytes.clear();
    type.encode(ordered.slice(0, first, first + step).to(torch::kCPU), bytes);
    file.write(bytes);
  }
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
  return text::concat('{', text::join(words, ", "), '}');
}

/// The header as GDAL writes it for an image of one pixel that lies in memory.
std::string header_by_gdal(const format::Georeference& georeference) {
  static std::atomic<int> count = 0;
  const auto stem = text::concat("/vsimem/hyperdefect-header-", ++count);
  const format::GdalErrors errors;
  const format::NoSidecarFiles no_sidecars;
  auto dataset = format::create_raster("ENVI", stem + ".img", 1, 1, 1, GDT_Byte, {"SUFFIX=REPLACE"});
  format::set_georeference(*dataset, georeference);
  format::finish_raster(std::move(dataset), CE_None, errors, stem + ".hdr");
  vsi_l_offset size = 0;
  const auto* bytes = VSIGetMemFileBuffer((stem + ".hdr").c_str(), &size, FALSE);
  std::string header(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  VSIUnlink((stem + ".img").c_str());
  VSIUnlink((stem + ".hdr").c_str());
  return header;
}

/// The header's entries that place the image on the ground. How a transform and a CRS are expressed there is
/// GDAL's knowledge.
std::string georeference_entries(const format::Georeference& georeference) {
  if (georeference.empty()) {
    return {};
  }
  constexpr std::array<std::string_view, 4> kKeys{"map info", "projection info", "coordinate system string",
                                                  "geo points"};
  std::istringstream lines(header_by_gdal(georeference));
  std::string entries;
  bool wanted = false;
  bool inside_braces = false;
  for (std::string line; std::getline(lines, line);) {
    if (!inside_braces) {
      wanted = std::any_of(kKeys.begin(), kKeys.end(), [&](auto key) { return line.starts_with(key); });
      inside_braces = line.find('{') != std::string::npos;
    }
    inside_braces = inside_braces && line.find('}') == std::string::npos;
    entries += wanted ? line + '\n' : "";
  }
  return entries;
}

std::string spectral_entries(const spectral::Bands& bands) {
  std::string entries;
  if (!bands.wavelengths_nm.empty()) {
    entries += text::concat(
        "wavelength units = Nanometers\nwavelength = ", braced(bands.wavelengths_nm, text::to_text), '\n');
  }
  if (!bands.fwhm_nm.empty()) {
    entries += text::concat("fwhm = ", braced(bands.fwhm_nm, text::to_text), '\n');
  }
  if (!bands.good.empty()) {
    entries += text::concat("bbl = ", braced(bands.good, [](bool good) { return good ? "1" : "0"; }), '\n');
  }
  return entries;
}

std::string header_text(const torch::Tensor& values, const spectral::Bands& bands, const DataType& type,
                        const EnviWriteOptions& options) {
  constexpr int kByteOrder = std::endian::native == std::endian::big ? 1 : 0;
  auto header = text::concat("ENVI\ndescription = {", options.description, "}\nsamples = ", values.size(2),
                             "\nlines   = ", values.size(1), "\nbands   = ", values.size(0),
                             "\nheader offset = 0\nfile type = ENVI Standard\ndata type = ", type.envi_code,
                             "\ninterleave = ", format::to_string(options.interleave),
                             "\nbyte order = ", kByteOrder, '\n');
  header += georeference_entries(options.georeference) + spectral_entries(bands);
  if (options.no_data) {
    header += text::concat("data ignore value = ", text::to_text(*options.no_data), '\n');
  }
  return header;
}

/// Gives both files their names; a data file without its header would be no cube.
void commit(CheckedFile& data, CheckedFile& header, const fs::path& path) {
  data.commit();
  try {
    header.commit();
  } catch (const Error&) {
    std::error_code ignored;
    fs::remove(path, ignored);
    throw;
  }
}

void check_arguments(const fs::path& path, const torch::Tensor& values, const spectral::Bands& bands,
                     const EnviWriteOptions& options) {
  TORCH_CHECK(values.dim() == 3 && values.size(0) == bands.count, "write_envi: expected values (",
              bands.count, ", rows, cols), got ", values.sizes());
  TORCH_CHECK(options.description.find_first_of("{}") == std::string::npos,
              "write_envi: expected a description without braces, got ", options.description);
  if (format::has_header_extension(path)) {
    throw UsageError(
        text::concat(path.string(), ": give the name of the data file (.img), not of its header"));
  }
}

}  // namespace

// Not by GDAL's driver: on a full disk it crashes while it closes the file.
void write_envi(const fs::path& path, const torch::Tensor& values, const spectral::Bands& bands,
                const EnviWriteOptions& options) {
  check_arguments(path, values, bands, options);
  const auto& type = data_type_named(options.data_type);
  CheckedFile data(path);
  CheckedFile header(header_of(path));
  write_values(data, values, type, options.interleave);
  header.write(header_text(values, bands, type, options));
  data.close();
  header.close();
  commit(data, header, path);
}

}  // namespace hyperdefect::io
