// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/find_cubes.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string_view>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/io/envi_header.h"

namespace hyperdefect::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSought =
    "GeoTIFF files (.tif, .tiff) and files with an ENVI header (.hdr); masks, white and dark references, "
    "results and "
    "class maps are left out";
constexpr std::array<std::string_view, 6> kRawExtensions{".img", ".raw", ".bil", ".bip", ".bsq", ".cube"};

bool is_one_of(const std::string& extension, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), extension) != names.end();
}

bool is_reference_or_result(const fs::path& path) {
  static const std::regex reference("(white|dark)[ _.-]?ref(s|erences?)?([^a-z]|$)");
  static const std::regex result(".*_(mask|score|sad|defects|overlay|objects|part_[a-z_]+)");
  const auto stem = text::lower(path.stem().string());
  return stem == "white" || stem == "dark" || std::regex_search(stem, reference) ||
         std::regex_match(stem, result);
}

/// Whether the header describes a cube, or at least something whose fault a reader should name.
bool describes_cube(const fs::path& header) {
  if (!looks_like_envi_header(header)) {
    return false;
  }
  try {
    return envi_file_type(read_envi_header(header)) == EnviFileType::cube;
  } catch (const InputError&) {
    return true;
  }
}

/// The data file of a header, or the header itself where there is none.
fs::path data_or_header(const fs::path& header) {
  try {
    return find_envi_data(header);
  } catch (const InputError&) {
    return header;
  }
}

/// What in a folder stands for a cube: its data file, or nothing where the file is no cube.
std::optional<fs::path> cube_behind(const fs::path& file) {
  if (file.filename().string().starts_with('.') || is_reference_or_result(file)) {
    return std::nullopt;
  }
  if (has_header_extension(file)) {
    return describes_cube(file) ? std::optional(data_or_header(file)) : std::nullopt;
  }
  if (const auto header = find_envi_header(file)) {
    return describes_cube(*header) ? std::optional(file) : std::nullopt;
  }
  const auto extension = text::lower(file.extension().string());
  const bool raw = std::find(kRawExtensions.begin(), kRawExtensions.end(), extension) != kRawExtensions.end();
  return raw || is_one_of(extension, {".tif", ".tiff"}) ? std::optional(file) : std::nullopt;
}

/// A cube before its name is settled: `folder` is what the name keeps of its path.
struct Found {
  fs::path path;
  fs::path folder;
};

void sort_by_path(std::vector<Found>& found) {
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.path < b.path; });
}

std::vector<Found> cubes_below(const fs::path& root) {
  std::vector<Found> found;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto entry = fs::recursive_directory_iterator(root, options);
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory()) {
      if (entry->path().filename().string().starts_with('.')) {
        entry.disable_recursion_pending();
      }
    } else if (entry->is_regular_file()) {
      if (const auto cube = cube_behind(entry->path())) {
        found.push_back({*cube, cube->parent_path().lexically_relative(root)});
      }
    }
  }
  sort_by_path(found);
  return found;
}

bool has_wildcard(const std::string& text) {
  return text.find_first_of("*?[{") != std::string::npos;
}

/// The folders of a pattern before its first wildcard.
fs::path fixed_part(const fs::path& pattern) {
  fs::path fixed;
  for (const auto& part : pattern.parent_path()) {
    if (has_wildcard(part.string())) {
      break;
    }
    fixed /= part;
  }
  return fixed;
}

std::vector<fs::path> matches(const std::string& pattern) {
  glob_t results{};
  std::vector<fs::path> paths;
  if (::glob(pattern.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &results) == 0) {
    paths.assign(results.gl_pathv, results.gl_pathv + results.gl_pathc);
  }
  ::globfree(&results);
  return paths;
}

fs::path below(const fs::path& folder, const fs::path& base) {
  return base.empty() ? folder : folder.lexically_relative(base);
}

std::vector<Found> cubes_matching(const std::string& pattern) {
  std::vector<Found> found;
  const auto base = fixed_part(pattern);
  for (const auto& match : matches(pattern)) {
    if (fs::is_directory(match)) {
      for (auto& cube : cubes_below(match)) {
        found.push_back({cube.path, below(cube.path.parent_path(), base)});
      }
    } else if (const auto cube = cube_behind(match)) {
      found.push_back({*cube, below(cube->parent_path(), base)});
    }
  }
  if (found.empty()) {
    throw InputError(text::cat(pattern, ": no cube matches the pattern; looked for ", kSought));
  }
  return found;
}

std::vector<Found> cubes_of(const std::string& input);

std::vector<Found> cubes_listed(const fs::path& list) {
  std::ifstream stream(list);
  if (!stream) {
    throw InputError(text::cat(list.string(), ": the list of inputs cannot be read"));
  }
  std::vector<Found> found;
  for (std::string line; std::getline(stream, line);) {
    const auto entry = text::trimmed(line);
    if (entry.empty() || entry.starts_with('#')) {
      continue;
    }
    if (entry.starts_with('@')) {
      throw InputError(text::cat(list.string(), ": a list cannot name another list (", entry, ")"));
    }
    const auto cubes = cubes_of((list.parent_path() / entry).string());
    found.insert(found.end(), cubes.begin(), cubes.end());
  }
  if (found.empty()) {
    throw InputError(
        text::cat(list.string(), ": the list names no input; write one file, folder or pattern a line"));
  }
  return found;
}

std::vector<Found> cubes_of(const std::string& input) {
  const fs::path path = input;
  if (fs::is_directory(path)) {
    auto found = cubes_below(path);
    if (found.empty()) {
      throw InputError(text::cat(input, ": the folder holds no cube; looked for ", kSought));
    }
    return found;
  }
  if (fs::exists(path)) {
    return {{has_header_extension(path) ? data_or_header(path) : path, {}}};
  }
  if (has_wildcard(input)) {
    return cubes_matching(input);
  }
  throw InputError(text::cat(input, ": there is no such file or folder"));
}

std::vector<Found> without_duplicates(std::vector<Found> found) {
  std::set<fs::path> seen;
  std::erase_if(found,
                [&](const Found& cube) { return !seen.insert(fs::weakly_canonical(cube.path)).second; });
  return found;
}

fs::path common_folder(const fs::path& a, const fs::path& b) {
  fs::path common;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end() && *i == *j; ++i, ++j) {
    common /= *i;
  }
  return common;
}

using Groups = std::map<fs::path, std::vector<std::size_t>>;

Groups same_names(const std::vector<CubeInput>& cubes) {
  Groups groups;
  for (std::size_t i = 0; i < cubes.size(); ++i) {
    groups[cubes[i].relative].push_back(i);
  }
  std::erase_if(groups, [](const auto& group) { return group.second.size() < 2; });
  return groups;
}

void keep_extensions(const std::vector<std::size_t>& group, std::vector<CubeInput>& cubes) {
  const auto folder_of = [&](std::size_t i) { return fs::weakly_canonical(cubes[i].path).parent_path(); };
  for (const auto i : group) {
    const bool shares = std::any_of(group.begin(), group.end(),
                                    [&](std::size_t j) { return j != i && folder_of(i) == folder_of(j); });
    if (shares) {
      cubes[i].relative.replace_filename(cubes[i].path.filename());
    }
  }
}

void keep_folders(const std::vector<std::size_t>& group, std::vector<CubeInput>& cubes) {
  auto common = fs::weakly_canonical(cubes[group[0]].path).parent_path();
  for (const auto i : group) {
    common = common_folder(common, fs::weakly_canonical(cubes[i].path).parent_path());
  }
  for (const auto i : group) {
    const auto folder = fs::weakly_canonical(cubes[i].path).parent_path().lexically_relative(common);
    cubes[i].relative = (folder / cubes[i].relative.filename()).lexically_normal();
  }
}

std::vector<CubeInput> named(const std::vector<Found>& found) {
  std::vector<CubeInput> cubes;
  for (const auto& cube : found) {
    cubes.push_back({cube.path, (cube.folder / cube.path.stem()).lexically_normal()});
  }
  for (const auto& [name, group] : same_names(cubes)) {
    keep_extensions(group, cubes);
  }
  for (const auto& [name, group] : same_names(cubes)) {
    keep_folders(group, cubes);
  }
  if (const auto clashes = same_names(cubes); !clashes.empty()) {
    const auto& group = clashes.begin()->second;
    throw InputError(text::cat(cubes[group[0]].path.string(), " and ", cubes[group[1]].path.string(),
                               ": their results would have the same name; run them one after the other"));
  }
  return cubes;
}

}  // namespace

std::vector<CubeInput> find_cubes(const std::vector<std::string>& inputs) {
  std::vector<Found> found;
  for (const auto& input : inputs) {
    const auto cubes = input.starts_with('@') ? cubes_listed(input.substr(1)) : cubes_of(input);
    found.insert(found.end(), cubes.begin(), cubes.end());
  }
  return named(without_duplicates(std::move(found)));
}

}  // namespace hyperdefect::io
