// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/find_cubes.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/files/cube_names.h"
#include "hyperdefect/files/folder_search.h"
#include "hyperdefect/files/input_list.h"
#include "hyperdefect/files/path_pattern.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/file_access.h"
#include "hyperdefect/format/file_kind.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSought =
    "GeoTIFF files (.tif, .tiff) and files with an ENVI header (.hdr), netCDF, HDF and JPEG 2000 files";

bool is_folder(const fs::path& path) {
  std::error_code failure;
  return fs::is_directory(path, failure);
}

std::string but_left_out(const std::vector<LeftOut>& left_out) {
  return left_out.empty() ? std::string() : text::concat("; ", describe(left_out));
}

fs::path common_folder(const fs::path& a, const fs::path& b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  fs::path common;
  for (auto part = a.begin(); part != end; ++part) {
    common /= *part;
  }
  return common;
}

/// A leading ~ is the user's own folder, which a shell does not expand within quotes.
std::string with_home(const std::string& pattern) {
  const char* const home = std::getenv("HOME");
  return pattern.starts_with("~/") && home != nullptr ? home + pattern.substr(1) : pattern;
}

/// Follows the inputs one by one.
class Inputs {
 public:
  explicit Inputs(const StopRequested& stop_requested)
      : step_([&stop_requested] {
          if (stop_requested && stop_requested()) {
            throw Interrupted("stopped while looking for cubes");
          }
        }) {}

  void add(const std::string& input) {
    step_();
    if (input.starts_with('@') && !format::is_named(input)) {
      add_list(input.substr(1));
    } else {
      add_one(input, {});
    }
  }

  SearchResult result() { return std::move(all_); }

 private:
  /// @param start what a relative input is relative to; empty is the working directory.
  void add_one(const std::string& input, const fs::path& start) {
    const auto path = start / input;
    if (is_folder(path)) {
      add_folder(path);
    } else if (format::is_named(path)) {
      add_file(path);
    } else if (has_wildcard(input)) {
      add_pattern(with_home(input), start);
    } else {
      throw InputError(text::concat(path.string(), ": there is no such file or folder"));
    }
  }

  /// Sorted by path, since a folder hands out its files in any order.
  void take(SearchResult found) {
    std::stable_sort(found.cubes.begin(), found.cubes.end(),
                     [](const FoundCube& a, const FoundCube& b) { return a.path < b.path; });
    std::stable_sort(found.left_out.begin(), found.left_out.end(),
                     [](const LeftOut& a, const LeftOut& b) { return a.path < b.path; });
    all_.cubes.insert(all_.cubes.end(), found.cubes.begin(), found.cubes.end());
    all_.left_out.insert(all_.left_out.end(), found.left_out.begin(), found.left_out.end());
  }

  void add_folder(const fs::path& folder) {
    SearchResult found;
    // Without a slash behind it, or the names of its files would be relative to something else.
    const auto root = folder.has_filename() ? folder : folder.parent_path();
    search_folder(root, root, step_, found);
    if (found.cubes.empty()) {
      throw InputError(text::concat(folder.string(), ": the folder holds no cube; looked for ", kSought,
                                    but_left_out(found.left_out)));
    }
    take(std::move(found));
  }

  void add_file(const fs::path& file) {
    format::check_is_readable_file(file);
    all_.cubes.push_back({format::has_header_extension(file) ? data_or_header(file) : file, {}});
  }

  void add_pattern(const std::string& pattern, const fs::path& start) {
    SearchResult found;
    const auto patterns = expand_braces(pattern);
    auto base = start / fixed_part(patterns.front());
    for (const auto& one : patterns) {
      base = common_folder(base, start / fixed_part(one));
    }
    for (const auto& one : patterns) {
      for (const auto& match : matches(one, start, step_)) {
        if (is_folder(match)) {
          search_folder(match, base, step_, found);
        } else {
          judge(match, folder_below(match.parent_path(), base), found);
        }
      }
    }
    if (found.cubes.empty()) {
      throw InputError(text::concat((start / pattern).string(), ": no cube matches the pattern; looked for ",
                                    kSought, but_left_out(found.left_out)));
    }
    take(std::move(found));
  }

  void add_list(const fs::path& list) {
    for (const auto& entry : read_input_list(list, step_)) {
      add_one(entry, list.parent_path());
    }
  }

  SearchStep step_;
  SearchResult all_;
};

/// Among several names of one file, the one under which it can best be read.
bool is_better(const fs::path& a, const fs::path& b) {
  const auto rank = [](const fs::path& path) {
    std::error_code failure;
    const bool described =
        format::file_kind(path) != format::FileKind::unknown || format::find_envi_header(path).has_value();
    return std::pair(!described, fs::is_symlink(path, failure));
  };
  return rank(a) < rank(b);
}

std::vector<FoundCube> without_duplicates(const std::vector<FoundCube>& found) {
  std::unordered_map<std::string, std::size_t> best;
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto& kept = best.emplace(resolved(found[i].path).string(), i).first->second;
    if (found[kept].path != found[i].path && is_better(found[i].path, found[kept].path)) {
      kept = i;
    }
  }
  std::vector<std::size_t> places;
  for (const auto& [file, place] : best) {
    places.push_back(place);
  }
  std::sort(places.begin(), places.end());
  std::vector<FoundCube> once;
  for (const auto place : places) {
    once.push_back(found[place]);
  }
  return once;
}

/// Each file once, and none that another input names as a cube.
std::vector<LeftOut> left_out_at_last(std::vector<LeftOut> left_out, const std::vector<FoundCube>& cubes) {
  std::unordered_set<std::string> seen;
  for (const auto& cube : cubes) {
    seen.insert(resolved(cube.path).string());
  }
  std::erase_if(left_out, [&](const LeftOut& file) {
    const auto name = file.role == FileRole::repeated_folder
                          ? resolved(file.path.parent_path()) / file.path.filename()
                          : resolved(file.path);
    return !seen.insert(name.string()).second;
  });
  return left_out;
}

}  // namespace

FoundCubes find_cubes(const std::vector<std::string>& inputs, const StopRequested& stop_requested) {
  Inputs search(stop_requested);
  for (const auto& input : inputs) {
    search.add(input);
  }
  const auto found = search.result();
  const auto cubes = without_duplicates(found.cubes);
  return {named(cubes), left_out_at_last(found.left_out, cubes)};
}

}  // namespace hyperdefect::files
