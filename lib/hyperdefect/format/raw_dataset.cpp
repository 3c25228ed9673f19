// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/raw_dataset.h"

#include <rawdataset.h>

#include <atomic>
#include <limits>
#include <string>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/file_access.h"

namespace hyperdefect::format {
namespace {

/// A line of GDAL's ENVI parser may have no more.
constexpr std::size_t kLongestGdalLine = 9000;

GDALDataType gdal_type(std::int64_t envi_code) {
  switch (envi_code) {
    case 1:
      return GDT_Byte;
    case 2:
      return GDT_Int16;
    case 3:
      return GDT_Int32;
    case 4:
      return GDT_Float32;
    case 5:
      return GDT_Float64;
    case 12:
      return GDT_UInt16;
    default:
      return GDT_UInt32;
  }
}

/// Bytes from one value to the next one of the same band: along a line, to the next line, to the next band.
struct Steps {
  std::int64_t pixel;
  std::int64_t line;
  std::int64_t band;
};

Steps steps_of(const EnviLayout& layout) {
  const auto bytes = layout.bytes_per_value;
  switch (layout.interleave) {
    case Interleave::bsq:
      return {bytes, bytes * layout.cols, bytes * layout.cols * layout.rows};
    case Interleave::bil:
      return {bytes, bytes * layout.cols * layout.bands, bytes * layout.cols};
    case Interleave::bip:
      break;
  }
  return {bytes * layout.bands, bytes * layout.bands * layout.cols, bytes};
}

/// What RawDataset's own reading of all bands at once asks for.
const char* gdal_interleave(Interleave interleave) {
  switch (interleave) {
    case Interleave::bsq:
      return "BAND";
    case Interleave::bil:
      return "LINE";
    case Interleave::bip:
      break;
  }
  return "PIXEL";
}

class EnviData final : public RawDataset {
 public:
  /// Takes the file over.
  EnviData(VSILFILE* file, const std::filesystem::path& path, const EnviLayout& layout) : file_(file) {
    SetDescription(path.c_str());
    // Finds the mask beside the file.
    oOvManager.Initialize(this, path.c_str());
    nRasterXSize = gdal_int(layout.cols);
    nRasterYSize = gdal_int(layout.rows);
    nPamFlags |= GPF_NOSAVE;
    const auto steps = steps_of(layout);
    const auto order = layout.big_endian ? RawRasterBand::ByteOrder::ORDER_BIG_ENDIAN
                                         : RawRasterBand::ByteOrder::ORDER_LITTLE_ENDIAN;
    for (std::int64_t band = 0; band < layout.bands; ++band) {
      // NOLINTNEXTLINE(bugprone-misplaced-widening-cast): both types have 64 bits.
      const auto begin = static_cast<vsi_l_offset>(layout.header_offset + band * steps.band);
      SetBand(gdal_int(band + 1),
              new RawRasterBand(this, gdal_int(band + 1), file, begin, gdal_int(steps.pixel),
                                gdal_int(steps.line), gdal_type(layout.type_code), order,
                                RawRasterBand::OwnFP::NO));
    }
    // What GDAL or QGIS noted in FILE.aux.xml: no data, for one.
    TryLoadXML();
    // Past GDALPamDataset, which would write the item to FILE.aux.xml.
    // NOLINTNEXTLINE(bugprone-parent-virtual-call)
    GDALDataset::SetMetadataItem("INTERLEAVE", gdal_interleave(layout.interleave), "IMAGE_STRUCTURE");
  }

  ~EnviData() override {
    FlushCache(true);
    VSIFCloseL(file_);
  }

 private:
  VSILFILE* file_;
};

/// Names in GDAL's memory that no other thread uses.
std::string memory_name() {
  static std::atomic<std::int64_t> count{0};
  return text::concat("/vsimem/hyperdefect_georeference_", ++count, ".img");
}

/// A file in GDAL's memory; it goes with this.
class MemoryFile {
 public:
  MemoryFile(std::string name, std::string bytes) : name_(std::move(name)), bytes_(std::move(bytes)) {
    VSIFCloseL(
        VSIFileFromMemBuffer(name_.c_str(), reinterpret_cast<GByte*>(bytes_.data()), bytes_.size(), FALSE));
  }
  ~MemoryFile() { VSIUnlink(name_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

 private:
  std::string name_;
  std::string bytes_;
};

/// The lines of the header that place an image, in the spelling that GDAL reads.
std::string georeference_lines(const EnviHeader& header) {
  std::string lines;
  for (const std::string key : {"map info", "projection info", "coordinate system string", "geo points"}) {
    auto value = header.text(key);
    std::erase_if(value, [](char c) { return c == '\n' || c == '\r'; });
    if (value.size() > kLongestGdalLine) {
      log::warning(text::concat(header.place(key), " has ", value.size(), " characters, more than ",
                                kLongestGdalLine, ", and is ignored"));
    } else if (!value.empty()) {
      lines += text::concat(key, " = {", value, "}\n");
    }
  }
  return lines;
}

}  // namespace

DatasetPtr open_raw(const std::filesystem::path& data, const EnviLayout& layout) {
  if (const auto line = steps_of(layout).line; line > std::numeric_limits<int>::max()) {
    throw InputError(text::concat(data.string(), ": one line of all bands has ", line, " bytes; at most ",
                                  std::numeric_limits<int>::max(), " can be read"));
  }
  // GDAL reads zeros behind the end of a file.
  if (const auto bytes = size_of_file(data);
      bytes && *bytes < static_cast<std::uintmax_t>(layout.file_bytes())) {
    throw InputError(text::concat(data.string(), ": has changed since it was checked: now ", *bytes,
                                  " bytes, but its header described ", layout.file_bytes(), "; start again"));
  }
  auto* file = VSIFOpenL(data.c_str(), "rb");
  if (file == nullptr) {
    CPLError(CE_Failure, CPLE_OpenFailed, "the file cannot be opened");
    return nullptr;
  }
  return DatasetPtr(new EnviData(file, data, layout));
}

Georeference georeference_of(const EnviHeader& header) {
  const auto lines = georeference_lines(header);
  if (lines.empty()) {
    return {};
  }
  const auto name = memory_name();
  const MemoryFile data(name, "any pixel");
  const MemoryFile described(name.substr(0, name.size() - 3) + "hdr",
                             "ENVI\nsamples = 1\nlines = 1\nbands = 1\nheader offset = 0\n"
                             "file type = ENVI Standard\ndata type = 1\ninterleave = bsq\nbyte order = 0\n" +
                                 lines);
  const GdalErrors errors;
  const auto dataset = open_raster_with(name, {"ENVI"});
  if (!dataset || errors.any()) {
    log::warning(text::concat(header.path().string(), ": its georeference cannot be read: ", errors.reason(),
                              "; the results are not georeferenced"));
  }
  return dataset ? georeference_of(*dataset) : Georeference();
}

}  // namespace hyperdefect::format
