// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <functional>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/file_access.h"
#include "hyperdefect/format/file_kind.h"

namespace hyperdefect::format {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kHeaderExtensions{".hdr", ".HDR", ".Hdr"};

/// How data files are usually called, besides having no extension at all.
constexpr std::array<std::string_view, 19> kDataExtensions{
    ".hyspex", ".img", ".dat", ".raw", ".bil", ".bip", ".bsq", ".bin", ".cube", ".rad",
    ".sli",    ".IMG", ".DAT", ".RAW", ".BIL", ".BIP", ".BSQ", ".BIN", ".envi"};

/// What programs put beside an image of the same name.
constexpr std::array<std::string_view, 12> kSidecarExtensions{".enp", ".sta", ".aux", ".ovr", ".msk", ".rrd",
                                                              ".prj", ".tfw", ".wld", ".glu", ".igm", ".roi"};

bool is_usual(const fs::path& data) {
  const auto extension = data.extension().string();
  return std::find(kDataExtensions.begin(), kDataExtensions.end(), extension) != kDataExtensions.end();
}

std::optional<fs::path> existing_header(const fs::path& without_extension) {
  for (const auto extension : kHeaderExtensions) {
    fs::path header = without_extension;
    header += extension;
    if (is_file(header)) {
      return header;
    }
  }
  return std::nullopt;
}

bool is_sidecar(const fs::path& file) {
  const auto extension = text::lower(file.extension().string());
  return std::find(kSidecarExtensions.begin(), kSidecarExtensions.end(), extension) !=
         kSidecarExtensions.end();
}

/// Whether the file, which has the stem of a header, may be what the header describes.
/// @param bytes that the header describes: pixels that begin like an archive are told from one by their size.
bool may_be_data(const fs::path& file, std::optional<std::uintmax_t> bytes) {
  const bool has_own_header = file.has_extension() && existing_header(file);
  if (!is_file(file) || has_header_extension(file) || is_sidecar(file) || has_own_header) {
    return false;
  }
  const auto kind = file_kind(file);
  const auto size = size_of_file(file);
  const bool binary = size > 0U && !is_text(file);
  if ((bytes && size == bytes) || is_usual(file)) {
    return !is_picture(kind);
  }
  return may_hold_cube(kind) || (kind == FileKind::unknown && binary);
}

/// Whether the file is raw and as large as its header says.
bool fits(const fs::path& file, std::optional<std::uintmax_t> bytes) {
  return bytes && size_of_file(file) == bytes && may_be_data(file, bytes);
}

void keep_if_any(std::vector<fs::path>& files, const std::function<bool(const fs::path&)>& condition) {
  if (std::any_of(files.begin(), files.end(), condition)) {
    std::erase_if(files, std::not_fn(condition));
  }
}

std::vector<fs::path> usual_files(const fs::path& stem) {
  std::vector<fs::path> files;
  for (const auto extension : kDataExtensions) {
    fs::path file = stem;
    files.push_back(file += extension);
  }
  return files;
}

/// All files of the header's folder that have its stem and may be its data, sorted by name.
std::vector<fs::path> files_of_stem(const fs::path& stem, std::optional<std::uintmax_t> bytes) {
  std::vector<fs::path> files;
  std::error_code unreadable;
  const auto folder = stem.parent_path();
  for (const auto& entry : fs::directory_iterator(folder.empty() ? fs::path(".") : folder, unreadable)) {
    const auto name = entry.path().filename();
    if (name.stem() == stem.filename() && may_be_data(folder / name, bytes)) {
      files.push_back(folder / name);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The files that may be the data of a header; more than one if nothing tells them apart.
std::vector<fs::path> data_of(const fs::path& header) {
  fs::path stem = header;
  stem.replace_extension();
  const auto bytes = described_bytes(header);
  const bool has_plain = is_file(stem);
  if (has_plain && (stem.has_extension() || fits(stem, bytes))) {
    return {stem};
  }
  // In a folder of thousands of cubes, listing it for each header would take minutes.
  auto usual = usual_files(stem);
  std::erase_if(usual, [&](const fs::path& file) { return !fits(file, bytes); });
  if (!usual.empty()) {
    return usual;
  }
  auto files = files_of_stem(stem, bytes);
  if (std::none_of(files.begin(), files.end(), [&](const auto& file) { return fits(file, bytes); }) &&
      has_plain) {
    return {stem};
  }
  keep_if_any(files, [&](const auto& file) { return fits(file, bytes); });
  keep_if_any(files, is_usual);
  return files;
}

}  // namespace

std::optional<fs::path> find_envi_header(const fs::path& data) {
  if (auto own = existing_header(data)) {
    return own;
  }
  fs::path stem = data;
  const auto header = data.has_extension() ? existing_header(stem.replace_extension()) : std::nullopt;
  if (!header) {
    return std::nullopt;
  }
  const auto files = data_of(*header);
  return std::find(files.begin(), files.end(), data) != files.end() ? header : std::nullopt;
}

std::optional<fs::path> image_with_own_header(const fs::path& header) {
  auto stem = header;
  const auto usual = usual_files(stem.replace_extension());
  const auto found = std::find_if(usual.begin(), usual.end(), [](const fs::path& file) {
    return is_file(file) && existing_header(file);
  });
  return found == usual.end() ? std::nullopt : std::optional(*found);
}

fs::path find_envi_data(const fs::path& header) {
  const auto found = data_of(header);
  const auto stem = header.stem().string();
  if (const auto image = image_with_own_header(header); found.empty() && image) {
    throw InputError(text::concat(header.string(), ": ", image->filename().string(),
                                  " has a header of its own, ", existing_header(*image)->filename().string(),
                                  ": give ", image->filename().string()));
  }
  if (found.empty()) {
    throw InputError(text::concat(header.string(), ": the header's data file is missing: neither ", stem,
                                  " nor a data file ", stem,
                                  ".img, .dat, .raw or with another extension is next to it"));
  }
  if (found.size() > 1) {
    throw InputError(text::concat(header.string(), ": both ", found[0].filename().string(), " and ",
                                  found[1].filename().string(),
                                  " could be its data file; give the data file instead"));
  }
  return found[0];
}

bool has_header_extension(const fs::path& path) {
  return text::lower(path.extension().string()) == ".hdr";
}

}  // namespace hyperdefect::format
