// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/cube_names.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/files/result_names.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

/// The names of a path that lead downwards.
fs::path below_root(const fs::path& path) {
  fs::path below;
  for (const auto& part : path.relative_path()) {
    if (!part.empty() && part != "." && part != "..") {
      below /= part;
    }
  }
  return below;
}

bool names_a_file(const fs::path& name) {
  return !name.empty() && name != "." && name != "..";
}

/// The stem of the results; that of `...img` is `..`, which would be another folder.
fs::path stem_of(const fs::path& path, const fs::path& target) {
  for (const auto& name : {path.stem(), path.filename(), target.filename()}) {
    if (names_a_file(name)) {
      return name;
    }
  }
  return "root";
}

/// The row of a cube called `summary` would be summary.json.
bool is_taken_by_the_run(const fs::path& name) {
  return name.string() + std::string(kRowEnding) == kSummary ||
         std::find(kRunFiles.begin(), kRunFiles.end(), name.begin()->string()) != kRunFiles.end();
}

/// A name that only this file can have.
fs::path whole_path(const fs::path& target) {
  const auto path = below_root(target);
  return is_taken_by_the_run(path) ? "root" / path : path;
}

fs::path common_folder(const fs::path& a, const fs::path& b) {
  fs::path common;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end() && *i == *j; ++i, ++j) {
    common /= *i;
  }
  return common;
}

/// The names of all cubes, and how they are made different.
class Names {
 public:
  explicit Names(const std::vector<FoundCube>& found) : found_(found) {
    for (const auto& cube : found) {
      resolved_.push_back(resolved(cube.path));
      names_.push_back(below_root(cube.folder.lexically_normal()) / stem_of(cube.path, resolved_.back()));
    }
  }

  std::vector<CubeInput> settled() {
    for (const auto& [name, group] : taken()) {
      keep_extensions(group);
    }
    for (const auto& [name, group] : taken()) {
      keep_folders(group);
    }
    // Whole paths differ from each other, so each round leaves fewer names that are not one.
    for (auto groups = taken(); !groups.empty(); groups = taken()) {
      for (const auto& [name, group] : groups) {
        if (!keep_paths(group)) {
          throw InputError(text::concat(found_[group[0]].path.string(),
                                        ": no name is left for its results; rename the file"));
        }
      }
    }
    std::vector<CubeInput> cubes;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      cubes.push_back({found_[i].path, names_[i]});
    }
    return cubes;
  }

 private:
  using Group = std::vector<std::size_t>;

  /// The cubes that cannot keep the name that they have, by that name.
  std::map<std::string, Group> taken() const {
    std::map<std::string, Group> groups;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      groups[names_[i].string()].push_back(i);
    }
    std::erase_if(groups, [](const auto& group) {
      return group.second.size() < 2 && !is_taken_by_the_run(group.first);
    });
    return groups;
  }

  /// For cubes of one folder, and for those whose name the run takes.
  void keep_extensions(const Group& group) {
    std::map<fs::path, int> in_folder;
    for (const auto i : group) {
      ++in_folder[resolved_[i].parent_path()];
    }
    for (const auto i : group) {
      if (in_folder[resolved_[i].parent_path()] > 1 || is_taken_by_the_run(names_[i])) {
        names_[i].replace_filename(found_[i].path.filename());
      }
    }
  }

  void keep_folders(const Group& group) {
    auto common = resolved_[group[0]].parent_path();
    for (const auto i : group) {
      common = common_folder(common, resolved_[i].parent_path());
    }
    for (const auto i : group) {
      const auto folder = resolved_[i].parent_path().lexically_relative(common);
      names_[i] = below_root(folder) / names_[i].filename();
    }
  }

  /// Returns whether a name has changed.
  bool keep_paths(const Group& group) {
    bool changed = false;
    for (const auto i : group) {
      const auto whole = whole_path(resolved_[i]);
      changed = changed || names_[i] != whole;
      names_[i] = whole;
    }
    return changed;
  }

  const std::vector<FoundCube>& found_;
  std::vector<fs::path> resolved_;
  std::vector<fs::path> names_;
};

}  // namespace

fs::path resolved(const fs::path& path) {
  std::error_code failure;
  auto target = fs::weakly_canonical(path, failure);
  if (failure) {
    // The link itself leads nowhere; the folder that holds it does not.
    target =
        fs::weakly_canonical(path.has_parent_path() ? path.parent_path() : ".", failure) / path.filename();
  }
  return failure || target.is_relative() ? fs::absolute(path, failure).lexically_normal() : target;
}

std::vector<CubeInput> named(const std::vector<FoundCube>& found) {
  return Names(found).settled();
}

}  // namespace hyperdefect::files
