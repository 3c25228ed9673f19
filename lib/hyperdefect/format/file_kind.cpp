// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/file_kind.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <string>

#include "hyperdefect/core/text.h"

namespace hyperdefect::format {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr std::size_t kTextSample = 512;
/// An HDF5 file may keep bytes of its user before its signature, which then stands at 512, 1024, 2048 ...
constexpr std::size_t kLastHdf5Signature = 8192;

struct Signature {
  std::string_view bytes;
  FileKind kind;
};

/// Only signatures of four bytes or more: raw pixels look like shorter ones too often.
constexpr std::array<Signature, 54> kSignatures{{{"II*\0"sv, FileKind::tiff},
                                                 {"MM\0*"sv, FileKind::tiff},
                                                 {"II+\0\x08\0\0\0"sv, FileKind::tiff},
                                                 {"MM\0+\0\x08\0\0"sv, FileKind::tiff},
                                                 {"\0\0\0\x0CjP  \r\n\x87\n"sv, FileKind::jpeg2000},
                                                 {"\xFFO\xFFQ"sv, FileKind::jpeg2000},
                                                 {"CDF\x01"sv, FileKind::netcdf},
                                                 {"CDF\x02"sv, FileKind::netcdf},
                                                 {"CDF\x05"sv, FileKind::netcdf},
                                                 {"\x0E\x03\x13\x01"sv, FileKind::hdf4},
                                                 {"SIMPLE  ="sv, FileKind::fits},
                                                 {"\x89PNG\r\n\x1A\n"sv, FileKind::png},
                                                 {"\xFF\xD8\xFF\xDB"sv, FileKind::jpeg},
                                                 {"\xFF\xD8\xFF\xE0"sv, FileKind::jpeg},
                                                 {"\xFF\xD8\xFF\xE1"sv, FileKind::jpeg},
                                                 {"\xFF\xD8\xFF\xEE"sv, FileKind::jpeg},
                                                 {"GIF87a"sv, FileKind::gif},
                                                 {"GIF89a"sv, FileKind::gif},
                                                 {"<?xml"sv, FileKind::xml},
                                                 {"<VRTDataset"sv, FileKind::xml},
                                                 {"%PDF-"sv, FileKind::pdf},
                                                 {"PK\x03\x04"sv, FileKind::zip},
                                                 {"\x1F\x8B\x08\0"sv, FileKind::gzip},
                                                 {"\x1F\x8B\x08\x08"sv, FileKind::gzip},
                                                 {"SQLite format 3\0"sv, FileKind::sqlite},
                                                 {"BZh11AY&SY"sv, FileKind::bzip2},
                                                 {"BZh21AY&SY"sv, FileKind::bzip2},
                                                 {"BZh31AY&SY"sv, FileKind::bzip2},
                                                 {"BZh41AY&SY"sv, FileKind::bzip2},
                                                 {"BZh51AY&SY"sv, FileKind::bzip2},
                                                 {"BZh61AY&SY"sv, FileKind::bzip2},
                                                 {"BZh71AY&SY"sv, FileKind::bzip2},
                                                 {"BZh81AY&SY"sv, FileKind::bzip2},
                                                 {"BZh91AY&SY"sv, FileKind::bzip2},
                                                 {"PK\x05\x06"sv, FileKind::zip},
                                                 {"\xFD"
                                                  "7zXZ\0"sv,
                                                  FileKind::xz},
                                                 {"\x28\xB5\x2F\xFD"sv, FileKind::zstd},
                                                 {"\x04\x22\x4D\x18"sv, FileKind::lz4},
                                                 {"7z\xBC\xAF\x27\x1C"sv, FileKind::seven_zip},
                                                 {"Rar!\x1A\x07"sv, FileKind::rar},
                                                 {"MATLAB 5.0 MAT-file"sv, FileKind::matlab},
                                                 {"\x93NUMPY"sv, FileKind::numpy},
                                                 {"PAR1"sv, FileKind::parquet},
                                                 {"\x7F"
                                                  "ELF"sv,
                                                  FileKind::elf},
                                                 {"NITF02."sv, FileKind::nitf},
                                                 {"NSIF01."sv, FileKind::nitf},
                                                 {"Object = IsisCube"sv, FileKind::isis},
                                                 {"CCSD3ZF0"sv, FileKind::pds},
                                                 {"PDS_VERSION_ID"sv, FileKind::pds},
                                                 {"PCIDSK  "sv, FileKind::pcidsk},
                                                 {"EHFA_HEADER_TAG"sv, FileKind::erdas},
                                                 {"KRO\x01"sv, FileKind::kro},
                                                 {"\x76\x2F\x31\x01"sv, FileKind::openexr},
                                                 {"GRIB"sv, FileKind::grib}}};

constexpr std::array<std::string_view, 37> kNames{
    "unknown", "TIFF",          "JPEG 2000",   "netCDF",    "HDF4", "HDF5", "FITS", "PNG",
    "JPEG",    "GIF",           "BMP",         "WebP",      "XML",  "PDF",  "ZIP",  "gzip",
    "SQLite",  "bzip2",         "xz",          "Zstandard", "LZ4",  "7z",   "RAR",  "tar",
    "MATLAB",  "NumPy",         "safetensors", "Parquet",   "ELF",  "NITF", "ISIS", "PDS",
    "PCIDSK",  "Erdas Imagine", "KRO",         "OpenEXR",   "GRIB",
};

std::string first_bytes(const fs::path& path, std::size_t most) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(most, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(most));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

bool is_hdf5(std::string_view bytes) {
  constexpr auto kSignature = "\x89HDF\r\n\x1A\n"sv;
  for (std::size_t at = 0; at <= kLastHdf5Signature; at = at == 0 ? 512 : 2 * at) {
    if (at < bytes.size() && bytes.substr(at).starts_with(kSignature)) {
      return true;
    }
  }
  return false;
}

/// "BM" alone is two bytes: the size of the file, the reserved zeros and the size of the next header join it.
bool is_bmp(std::string_view bytes) {
  return bytes.size() > 18 && bytes.starts_with("BM") && bytes.substr(6, 4) == "\0\0\0\0"sv &&
         bytes.substr(15, 3) == "\0\0\0"sv && (bytes[14] == 12 || bytes[14] == 40 || bytes[14] >= 108);
}

bool is_webp(std::string_view bytes) {
  return bytes.size() > 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP";
}

bool is_tar(std::string_view bytes) {
  constexpr std::size_t kPlace = 257;
  return bytes.size() > kPlace && bytes.substr(kPlace).starts_with("ustar");
}

/// The length of its JSON in eight bytes, then the JSON.
bool is_safetensors(std::string_view bytes) {
  return bytes.size() > 10 && bytes.substr(5, 3) == "\0\0\0"sv && bytes.substr(8, 2) == "{\"";
}

/// "<Name ...>", and not just pixels that look like text.
bool is_markup(std::string_view text) {
  return text.size() > 2 && text[0] == '<' && std::isalpha(static_cast<unsigned char>(text[1])) != 0 &&
         text.find('>') != std::string_view::npos;
}

bool is_control(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code == 127 || (code < 32 && c != '\t' && c != '\n' && c != '\r');
}

}  // namespace

FileKind file_kind(const fs::path& path) {
  const auto bytes = first_bytes(path, kLastHdf5Signature + 8);
  const auto known = std::find_if(kSignatures.begin(), kSignatures.end(), [&](const Signature& signature) {
    return std::string_view(bytes).starts_with(signature.bytes);
  });
  if (known != kSignatures.end()) {
    return known->kind;
  }
  if (is_tar(bytes) || is_safetensors(bytes)) {
    return is_tar(bytes) ? FileKind::tar : FileKind::safetensors;
  }
  if (is_bmp(bytes) || is_webp(bytes)) {
    return is_bmp(bytes) ? FileKind::bmp : FileKind::webp;
  }
  if (is_hdf5(bytes)) {
    return FileKind::hdf5;
  }
  return is_markup(text::trimmed(std::string_view(bytes).substr(0, kTextSample))) && is_text(path)
             ? FileKind::xml
             : FileKind::unknown;
}

std::string_view name_of(FileKind kind) {
  return kNames.at(static_cast<std::size_t>(kind));
}

bool may_hold_cube(FileKind kind) {
  return kind >= FileKind::tiff && kind <= FileKind::fits;
}

bool is_picture(FileKind kind) {
  return kind >= FileKind::png && kind <= FileKind::webp;
}

bool is_text(const fs::path& path) {
  const auto bytes = first_bytes(path, kTextSample);
  return !bytes.empty() && std::none_of(bytes.begin(), bytes.end(), is_control);
}

}  // namespace hyperdefect::format
