// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hyperdefect::engine {

/// One cube's row of the table.
struct ResultRow {
  std::string file;
  bool ok = true;
  bool accepted = false;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t bands = 0;
  std::int64_t defects = 0;
  std::int64_t defect_pixels = 0;
  std::int64_t invalid_pixels = 0;
  double score_max = 0, score_mean = 0, score_p99 = 0;
  double sad_max = 0, sad_mean = 0, sad_p99 = 0;
  double threshold = 0;
  double seconds = 0;
  std::string error;
};

/// What a run was made with: two runs with equal fields give equal maps.
struct Provenance {
  std::string version;
  std::string command;
  /// Fingerprint of the effective configuration, less what does not change results.
  std::string configuration;
  /// Fingerprint of the model file; empty where each cube is its own model.
  std::string model;
  std::int64_t seed = 0;
  std::int64_t threads = 0;
};

/// Writes STEM.json: the row and what it was made with.
void write_row(const std::filesystem::path& path, const ResultRow& row, const Provenance& made_with);

/// A row that was written before and what it was made with; nothing where the file is not a whole STEM.json.
struct StoredRow {
  ResultRow row;
  Provenance made_with;
};
std::optional<StoredRow> read_row(const std::filesystem::path& path);

/// The table: a header line and one line a row; text is quoted where it must be.
std::string scores_csv(const std::vector<ResultRow>& rows);

/// The run as JSON: version, command, configuration (YAML), model, seed, threads, rows, totals.
std::string summary_json(const std::vector<ResultRow>& rows, const Provenance& made_with,
                         const std::string& configuration_yaml);

}  // namespace hyperdefect::engine
