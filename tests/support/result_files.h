// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/temp_dir.h"

namespace hyperdefect::test {

/// The fields of a line of CSV; quotes are kept.
inline std::vector<std::string> csv_fields(const std::string& line) {
  std::vector<std::string> fields{""};
  bool quoted = false;
  for (const char c : line) {
    quoted = quoted != (c == '"');
    if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

/// The table less its column `seconds`.
inline std::string csv_without_seconds(const std::string& csv) {
  std::istringstream lines(csv);
  std::string line;
  std::string kept;
  std::size_t column = std::string::npos;
  while (std::getline(lines, line)) {
    const auto fields = csv_fields(line);
    if (column == std::string::npos) {
      column = static_cast<std::size_t>(std::find(fields.begin(), fields.end(), "seconds") - fields.begin());
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      kept += i == column ? "" : fields[i] + ',';
    }
    kept += '\n';
  }
  return kept;
}

inline void erase_seconds(nlohmann::json& json) {
  if (json.is_object()) {
    json.erase("seconds");
  }
  if (json.is_structured()) {
    for (auto& item : json) {
      erase_seconds(item);
    }
  }
}

/// The file's bytes; of tables and JSON, which state how long a run took, without that.
inline std::string timeless(const std::filesystem::path& file) {
  if (file.extension() == ".csv") {
    return csv_without_seconds(read_bytes(file));
  }
  if (file.extension() == ".json") {
    auto json = nlohmann::json::parse(read_bytes(file));
    erase_seconds(json);
    return json.dump();
  }
  return read_bytes(file);
}

/// Every file below the folder, by its path there, with its timeless content.
inline std::map<std::string, std::string> files_below(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[entry.path().lexically_relative(folder).generic_string()] = timeless(entry.path());
    }
  }
  return files;
}

inline std::vector<std::string> names_below(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& [name, content] : files_below(folder)) {
    names.push_back(name);
  }
  return names;
}

/// The names of files whose content differs, or that only one of the two has.
inline std::vector<std::string> differences(const std::map<std::string, std::string>& a,
                                            const std::map<std::string, std::string>& b) {
  std::vector<std::string> names;
  for (const auto& [name, content] : a) {
    if (const auto other = b.find(name); other == b.end() || other->second != content) {
      names.push_back(name);
    }
  }
  for (const auto& [name, content] : b) {
    if (!a.contains(name)) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace hyperdefect::test
