// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/file_role.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <regex>
#include <string_view>

#include "hyperdefect/core/text.h"
#include "hyperdefect/files/result_names.h"
#include "hyperdefect/format/file_access.h"
#include "hyperdefect/format/file_kind.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

/// Files with these extensions were meant as images, so that one without an image in it is a fault to name.
constexpr std::array<std::string_view, 16> kCubeExtensions{".tif", ".tiff", ".img", ".raw",   ".bil", ".bip",
                                                           ".bsq", ".cube", ".nc",  ".h5",    ".he5", ".hdf5",
                                                           ".hdf", ".jp2",  ".j2k", ".hyspex"};

/// How the bands of scanners' geometry files begin, as AVIRIS, EMIT and PARGE write them.
constexpr std::array<std::string_view, 22> kGeometryBands{
    "longitude", "latitude", "elevation",      "altitude",  "easting", "northing",
    "igm",       "glt",      "path length",    "to-sensor", "to-sun",  "to sensor",
    "to sun",    "view ",    "sensor zenith",  "solar",     "phase",   "slope",
    "aspect",    "cosine",   "sensor azimuth", "utc time"};

constexpr std::int64_t kMostBandsOfMaps = 4;
constexpr std::int64_t kMostBandsOfObservations = 11;
constexpr std::int64_t kMostBandsOfLookups = 3;
constexpr std::int64_t kMostBandsOfEnviPictures = 3;
constexpr std::size_t kNamesOfAKind = 3;

/// What is known of an image without reading its pixels.
struct ImageFacts {
  std::int64_t bands = 0;
  std::int64_t rows = 0;
  bool is_8_bit = false;
  bool is_float = false;
  bool has_wavelengths = false;
  std::vector<std::string> band_names;
};

using Words = std::vector<std::string>;

/// The words of a name, in lower case and without digits: "scan_07.loc2" has scan, loc.
Words words_of(const fs::path& file) {
  Words words{""};
  for (const char c : text::lower(file.filename().string())) {
    if (c >= 'a' && c <= 'z') {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  return words;
}

bool has_any(const Words& words, std::initializer_list<std::string_view> sought) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(sought.begin(), sought.end(), word) != sought.end();
  });
}

fs::path sibling(const fs::path& file, const std::string& name) {
  return file.parent_path() / name;
}

bool is_named_like_a_result(const fs::path& file) {
  static const std::regex result(
      ".*_((score|sad|defects|p_value|part_[a-z_]+)[.]tif|overlay[.]png|objects[.]gpkg|model[.]safetensors)");
  return std::regex_match(text::lower(file.filename().string()), result);
}

/// The tables of a run and the rows of its cubes, which no image gives away.
bool is_table_of_a_run(const fs::path& file) {
  const auto name = file.filename().string();
  if (std::find(kRunFiles.begin(), kRunFiles.end(), name) != kRunFiles.end()) {
    return format::is_there(sibling(file, std::string(kSummary))) &&
           format::is_there(sibling(file, std::string(kScoresTable)));
  }
  return file.extension() == kRowEnding &&
         format::is_there(sibling(file, file.stem().string() + std::string(kScoreEnding)));
}

bool is_named_like_a_bad_pixel_map(const fs::path& file) {
  static const std::regex bad("bad[ _.-]?(pix|col|band)|(dead|hot)[ _.-]?pix");
  const auto name = text::lower(file.filename().string());
  return std::regex_search(name, bad) || has_any(words_of(file), {"bpr", "bpm"});
}

bool is_of_geometry(const std::string& band_name) {
  const auto name = text::lower(band_name);
  return std::any_of(kGeometryBands.begin(), kGeometryBands.end(),
                     [&](std::string_view begin) { return name.starts_with(begin); });
}

bool has_bands_of_geometry(const ImageFacts& facts) {
  const auto count = std::count_if(facts.band_names.begin(), facts.band_names.end(), is_of_geometry);
  return count > 0 && 2 * count >= std::ssize(facts.band_names);
}

bool is_geometry(const ImageFacts& facts, const fs::path& file) {
  const auto words = words_of(file);
  // Counts of a camera are whole numbers; angles and lengths of a path are not, but row and column are.
  const bool may_be = facts.is_float || facts.bands <= kMostBandsOfLookups;
  if (has_bands_of_geometry(facts)) {
    return true;
  }
  return may_be && ((facts.bands <= kMostBandsOfMaps &&
                     has_any(words, {"loc", "igm", "glt", "geo", "lonlat", "latlon", "dem", "dsm", "eph"})) ||
                    (facts.bands <= kMostBandsOfObservations && has_any(words, {"obs", "sca"})));
}

/// What an image is for that is no result, no class map and no reference.
FileRole role_of_image(const ImageFacts& facts, const fs::path& file, std::int64_t most_bands_of_pictures) {
  if (facts.has_wavelengths) {
    return FileRole::cube;
  }
  const bool few_bands = facts.bands <= kMostBandsOfMaps;
  const auto words = words_of(file);
  if ((few_bands && has_any(words, {"mask"})) || (facts.is_8_bit && has_any(words, {"pixelmask"}))) {
    return FileRole::mask;
  }
  if (facts.bands == 1 && is_named_like_a_result(file)) {
    return FileRole::result;
  }
  if (is_geometry(facts, file)) {
    return FileRole::geometry;
  }
  if ((few_bands || facts.is_8_bit || facts.rows == 1) && is_named_like_a_bad_pixel_map(file)) {
    return FileRole::bad_pixel_map;
  }
  const bool picture = facts.is_8_bit && (facts.bands <= most_bands_of_pictures || has_any(words, {"ql"}));
  return picture ? FileRole::picture : FileRole::cube;
}

bool states_wavelengths(GDALDataset& dataset) {
  auto& band = *dataset.GetRasterBand(1);
  return band.GetMetadataItem("CENTRAL_WAVELENGTH_UM", "IMAGERY") != nullptr ||
         band.GetMetadataItem("wavelength") != nullptr || band.GetMetadataItem("WAVELENGTH") != nullptr ||
         dataset.GetMetadataItem("wavelength", "ENVI") != nullptr;
}

ImageFacts facts_of(GDALDataset& dataset) {
  ImageFacts facts;
  facts.bands = dataset.GetRasterCount();
  facts.rows = dataset.GetRasterYSize();
  facts.is_8_bit = dataset.GetRasterBand(1)->GetRasterDataType() == GDT_Byte;
  facts.is_float = GDALDataTypeIsFloating(dataset.GetRasterBand(1)->GetRasterDataType()) != 0;
  facts.has_wavelengths = states_wavelengths(dataset);
  for (int band = 1; band <= dataset.GetRasterCount(); ++band) {
    facts.band_names.emplace_back(dataset.GetRasterBand(band)->GetDescription());
  }
  return facts;
}

/// A header beside the TIFF may add its wavelengths.
bool header_states_wavelengths(const fs::path& file) {
  try {
    const auto header = format::find_envi_header(file);
    return header && !format::read_envi_header(*header).text("wavelength").empty();
  } catch (const std::exception&) {
    return false;
  }
}

FileRole role_of_tiff(const fs::path& file) {
  const format::GdalErrors errors;
  const auto dataset = format::open_raster_with(file, {"GTiff"});
  // One band a page is how some cameras write their cubes; whether it can be read is the reader's to say.
  if (!dataset || dataset->GetRasterCount() == 0 || dataset->GetMetadata("SUBDATASETS") != nullptr) {
    return FileRole::cube;
  }
  if (dataset->GetMetadataItem("HYPERDEFECT_VERSION") != nullptr) {
    return FileRole::result;
  }
  if (dataset->GetRasterCount() == 1 && dataset->GetRasterBand(1)->GetColorTable() != nullptr) {
    return FileRole::class_map;
  }
  auto facts = facts_of(*dataset);
  facts.has_wavelengths = facts.has_wavelengths || header_states_wavelengths(file);
  return role_of_image(facts, file, kMostBandsOfMaps);
}

FileRole role_of_picture(const fs::path& file) {
  if (has_any(words_of(file), {"mask"})) {
    return FileRole::mask;
  }
  return is_named_like_a_result(file) ? FileRole::result : FileRole::picture;
}

/// EMIT delivers observation geometry, masks and uncertainties as netCDF files like its cubes.
bool is_companion_of_emit(const fs::path& file) {
  static const std::regex companion("emit_l[0-9][a-z]?_(obs|mask|rfluncert|masku).*");
  return std::regex_match(text::lower(file.filename().string()), companion);
}

/// Overviews and masks are TIFFs, called like the image that they belong to.
bool is_sidecar(const fs::path& file) {
  const auto extension = text::lower(file.extension().string());
  auto image = file;
  return (extension == ".ovr" || extension == ".msk") && format::is_there(image.replace_extension());
}

/// What a file with the extension of ENVI headers is for if it is another program's.
FileRole role_of_foreign_header(const fs::path& file) {
  std::string begin(4096, '\0');
  std::ifstream(file, std::ios::binary).read(begin.data(), static_cast<std::streamsize>(begin.size()));
  if (begin.starts_with("#?RADIANCE") || begin.starts_with("#?RGBE")) {
    return FileRole::picture;
  }
  const auto words = text::lower(begin);
  const bool esri = words.find("nrows") != std::string::npos && words.find("ncols") != std::string::npos;
  // Elevations have a band. An image of many is a cube, and has to be named as one that is not read.
  static const std::regex stated("(^|\\n)[ \\t]*nbands[ \\t]+([0-9]{1,9})");
  std::smatch match;
  const bool many = std::regex_search(words, match, stated) && std::stoll(match[2]) > kMostBandsOfMaps;
  return esri && !many ? FileRole::esri_image : FileRole::cube;
}

bool is_meant_as_cube(const fs::path& file) {
  const auto extension = text::lower(file.extension().string());
  return std::find(kCubeExtensions.begin(), kCubeExtensions.end(), extension) != kCubeExtensions.end();
}

FileRole role_of_unknown_content(const fs::path& file) {
  if (is_table_of_a_run(file) || is_named_like_a_result(file)) {
    return FileRole::result;
  }
  if (format::has_header_extension(file)) {
    return role_of_foreign_header(file);
  }
  if (!is_meant_as_cube(file)) {
    return FileRole::other;
  }
  return has_any(words_of(file), {"mask"}) ? FileRole::mask : FileRole::cube;
}

struct Noun {
  std::string_view one;
  std::string_view many;
};

Noun noun_of(FileRole role) {
  static const std::map<FileRole, Noun> nouns{
      {FileRole::cube, {"cube", "cubes"}},
      {FileRole::mask, {"mask", "masks"}},
      {FileRole::white_reference, {"white reference", "white references"}},
      {FileRole::dark_reference, {"dark reference", "dark references"}},
      {FileRole::result, {"earlier result", "earlier results"}},
      {FileRole::picture, {"picture", "pictures"}},
      {FileRole::class_map, {"class map", "class maps"}},
      {FileRole::spectral_library, {"spectral library", "spectral libraries"}},
      {FileRole::geometry, {"geometry file", "geometry files"}},
      {FileRole::bad_pixel_map, {"bad-pixel map", "bad-pixel maps"}},
      {FileRole::esri_image, {"image with an ESRI header", "images with an ESRI header"}},
      {FileRole::sidecar, {"overview or mask of another file", "overviews or masks of other files"}},
      {FileRole::second_header,
       {"header of an image with another header", "headers of images with other headers"}},
      {FileRole::hidden, {"hidden file or folder", "hidden files or folders"}},
      {FileRole::repeated_folder,
       {"link to a folder that is searched anyway", "links to folders that are searched anyway"}},
      {FileRole::special, {"pipe, socket or device", "pipes, sockets or devices"}},
      {FileRole::other, {"other file", "other files"}}};
  return nouns.at(role);
}

std::string described(FileRole role, const std::vector<std::string>& names) {
  // What counts as such by its name may be a cube all the same: each one is named.
  const bool all = role == FileRole::geometry || role == FileRole::bad_pixel_map;
  const auto named = all ? names.size() : std::min(names.size(), kNamesOfAKind);
  auto list = text::join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(named)}, ", ");
  if (named < names.size()) {
    list += text::concat(" and ", names.size() - named, " more");
  }
  const auto noun = noun_of(role);
  return text::concat(names.size(), ' ', names.size() == 1 ? noun.one : noun.many, " (", list, ')');
}

}  // namespace

FileRole role_of_envi(const format::EnviHeader& header, const fs::path& image) {
  switch (format::envi_file_type(header)) {
    case format::EnviFileType::classification:
      return FileRole::class_map;
    case format::EnviFileType::spectral_library:
      return FileRole::spectral_library;
    case format::EnviFileType::cube:
      break;
  }
  ImageFacts facts;
  facts.bands = header.integer("bands", 1);
  facts.rows = header.integer("lines", 1);
  const auto type = header.integer("data type", 1);
  facts.is_8_bit = type == 1;
  facts.is_float = type == 4 || type == 5;
  facts.has_wavelengths = !header.text("wavelength").empty();
  facts.band_names = header.words("band names");
  return role_of_image(facts, image, kMostBandsOfEnviPictures);
}

FileRole role_of_file(const fs::path& file) {
  if (is_sidecar(file)) {
    return FileRole::sidecar;
  }
  const auto kind = format::file_kind(file);
  switch (kind) {
    case format::FileKind::tiff:
      return role_of_tiff(file);
    case format::FileKind::png:
    case format::FileKind::jpeg:
    case format::FileKind::gif:
    case format::FileKind::bmp:
    case format::FileKind::webp:
      return role_of_picture(file);
    default:
      break;
  }
  if (format::may_hold_cube(kind)) {
    return is_companion_of_emit(file) ? FileRole::geometry : FileRole::cube;
  }
  return role_of_unknown_content(file);
}

std::string describe(const std::vector<LeftOut>& left_out) {
  std::map<FileRole, std::vector<std::string>> names;
  for (const auto& file : left_out) {
    names[file.role].push_back(file.path.filename().string());
  }
  std::vector<std::string> kinds;
  for (const auto& [role, files] : names) {
    kinds.push_back(described(role, files));
  }
  if (kinds.empty()) {
    return {};
  }
  return text::concat(
      "left out ", text::pluralise(std::ssize(left_out), "file"),
      left_out.size() == 1 ? " that is not a cube: " : " that are not cubes: ", text::join(kinds, ", "));
}

}  // namespace hyperdefect::files
