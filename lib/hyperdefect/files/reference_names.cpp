// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/reference_names.h"

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include "hyperdefect/core/text.h"
#include "hyperdefect/files/folder_search.h"
#include "hyperdefect/format/file_access.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

/// One way to read a name: the reference of the cube with this stem, or of the whole folder if it is empty.
struct Reading {
  FileRole role = FileRole::cube;
  std::string stem;
};

bool may_be_reference(const std::string& lower_name) {
  return lower_name.find("white") != std::string::npos || lower_name.find("dark") != std::string::npos;
}

FileRole role_of_word(const std::string& word) {
  return text::lower(word) == "white" ? FileRole::white_reference : FileRole::dark_reference;
}

/// How the stem of a file can be read as that of a reference.
std::vector<Reading> readings_of(const std::string& stem) {
  static const std::string word = "(white|dark)(?:[ _.-]?ref(?:s|erences?)?)?";
  static const std::regex alone(word, std::regex::icase);
  static const std::regex at_end("(.+?)[ _.-]+" + word, std::regex::icase);
  static const std::regex at_begin(word + "[ _.-]+(.+)", std::regex::icase);
  std::vector<Reading> readings;
  std::smatch match;
  if (std::regex_match(stem, match, alone)) {
    readings.push_back({role_of_word(match[1]), {}});
  }
  if (std::regex_match(stem, match, at_end)) {
    readings.push_back({role_of_word(match[2]), match[1]});
  }
  if (std::regex_match(stem, match, at_begin)) {
    readings.push_back({role_of_word(match[1]), match[2]});
  }
  return readings;
}

bool lies_beside(const fs::path& file, const std::string& stem) {
  const auto folder = file.parent_path();
  return format::is_there(folder / (stem + ".hdr")) ||
         format::is_there(folder / (stem + file.extension().string()));
}

/// Names that no part has.
bool is_plainly_a_reference(const std::string& lower_stem) {
  static const std::regex fused("(^|[^a-z])(white|dark|whitedark)ref(s|erences?)?([^a-z]|$)");
  static const std::regex spaced_at_end("(^|.*[^a-z])(white|dark)[ _.-]ref(s|erences?)?[^a-z]*");
  return std::regex_search(lower_stem, fused) || std::regex_match(lower_stem, spaced_at_end);
}

/// Adds the data file, once, that a directory entry stands for if a search takes it for a reference.
void add_judged(const fs::path& entry, FileRole role, std::set<fs::path>& found) {
  SearchResult result;
  judge(entry, {}, result);
  for (const auto& file : result.left_out) {
    if (file.role == role) {
      found.insert(file.path);
    }
  }
}

/// The references of one kind that were seen in a folder.
struct Candidates {
  std::set<fs::path> of_cube;
  std::set<fs::path> of_folder;

  std::vector<fs::path> best() const {
    const auto& chosen = of_cube.empty() ? of_folder : of_cube;
    return {chosen.begin(), chosen.end()};
  }
};

}  // namespace

FileRole role_of_name(const fs::path& file) {
  const auto stem = file.stem().string();
  const auto name = text::lower(stem);
  if (!may_be_reference(name)) {
    return FileRole::cube;
  }
  const auto readings = readings_of(stem);
  const auto certain = std::find_if(readings.begin(), readings.end(), [&](const Reading& reading) {
    return reading.stem.empty() || lies_beside(file, reading.stem);
  });
  if (certain != readings.end()) {
    return certain->role;
  }
  if (!is_plainly_a_reference(name)) {
    return FileRole::cube;
  }
  if (!readings.empty()) {
    return readings.front().role;
  }
  return name.find("white") != std::string::npos ? FileRole::white_reference : FileRole::dark_reference;
}

ReferencesBeside references_beside(const fs::path& cube) {
  if (role_of_name(cube) != FileRole::cube) {
    return {};
  }
  Candidates white;
  Candidates dark;
  const auto stem = cube.stem().string();
  const auto folder = cube.parent_path();
  std::error_code failure;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const auto name = entry->path().filename();
    if (!may_be_reference(text::lower(name.string()))) {
      continue;
    }
    for (const auto& reading : readings_of(name.stem().string())) {
      auto& candidates = reading.role == FileRole::white_reference ? white : dark;
      if (reading.stem == stem) {
        add_judged(folder / name, reading.role, candidates.of_cube);
      } else if (reading.stem.empty()) {
        add_judged(folder / name, reading.role, candidates.of_folder);
      }
    }
  }
  return {white.best(), dark.best()};
}

}  // namespace hyperdefect::files
