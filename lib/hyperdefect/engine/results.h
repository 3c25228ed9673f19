// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/decision/objects.h"
#include "hyperdefect/decision/verdict.h"
#include "hyperdefect/files/file_stamp.h"

namespace hyperdefect::engine {

/// A file of results in the folder of STEM.json.
struct WrittenFile {
  std::string name;
  std::int64_t bytes = 0;
  bool operator==(const WrittenFile&) const = default;
};

/// One cube's row of the table.
struct ResultRow {
  std::string file;
  bool ok = true;
  /// None if the cube failed; `error` then says why.
  decision::Verdict verdict = decision::Verdict::none;
  /// Why it is rejected or undecided.
  std::string reason;
  /// Of the pixels of the product's region, which is this share of the image.
  double valid_share = 0;
  double region_share = 1;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t bands = 0;
  /// Objects with the evidence of a defect, and their pixels.
  std::int64_t defects = 0;
  std::int64_t defect_pixels = 0;
  /// All marked objects, and their pixels.
  std::int64_t objects = 0;
  std::int64_t marked_pixels = 0;
  /// In the product's region.
  std::int64_t invalid_pixels = 0;
  double score_max = 0, score_mean = 0, score_p99 = 0;
  double sad_max = 0, sad_mean = 0, sad_p99 = 0;
  double threshold = 0;
  /// The largest of an object, and what a defect must exceed.
  double evidence_max = 0, min_evidence = 0;
  /// The probability that a cube like the training cubes differs as much from them as a whole; NaN if that is
  /// not known.
  double drift = std::numeric_limits<double>::quiet_NaN();
  double seconds = 0;
  std::string error;
  /// The references that converted it to reflectance; empty if its values are as the file holds them.
  std::string white_reference;
  std::string dark_reference;
  /// Elements of the detector whose values are interpolated.
  std::int64_t dead_elements = 0;
  /// The cube that was judged; empty if it changed meanwhile, so that nobody takes the row for its result.
  files::CubeStamp input;
  /// Of the marked objects the 1,000 with the largest evidence, in falling order.
  std::vector<decision::DetectedObject> strongest_objects;
  /// What was written for it, beside STEM.json.
  std::vector<WrittenFile> files;
};

/// What a run was made with: two runs with equal fields give equal maps.
struct Provenance {
  std::string version;
  std::string command;
  /// Fingerprint of the effective configuration, less what does not change results.
  std::string configuration;
  /// Fingerprint of the model file; empty if each cube is its own model.
  std::string model;
  std::int64_t seed = 0;
  std::int64_t threads = 0;
  bool operator==(const Provenance&) const = default;
};

/// Writes STEM.json: the row and what it was made with.
void write_row(const std::filesystem::path& path, const ResultRow& row, const Provenance& made_with);

/// A row that was written before and what it was made with; nothing if the file is not a whole STEM.json.
///
///     if (const auto stored = read_row("maps/day1/scan.json")) {
///       std::cout << stored->row.file << ": " << stored->row.defects << " defects\n";
///     }
struct StoredRow {
  ResultRow row;
  Provenance made_with;
};
std::optional<StoredRow> read_row(const std::filesystem::path& path);

/// What a STEM.json was made with, whichever version wrote it; nothing if it does not say so.
std::optional<Provenance> read_provenance(const std::filesystem::path& path);

/// A stamp as it comes back from a file: names that are not UTF-8 are changed there, and identities left out.
files::CubeStamp as_stored(const files::CubeStamp& stamp);

/// The table: a header line and one line a row; text is quoted if it must be.
std::string scores_csv(const std::vector<ResultRow>& rows);

/// The objects of all cubes as CSV, those with the largest evidence first; id is the rank in the cube.
std::string objects_csv(const std::vector<ResultRow>& rows);

/// The run as JSON: version, command, configuration (YAML), model, seed, threads, rows, totals.
std::string summary_json(const std::vector<ResultRow>& rows, const Provenance& made_with,
                         const std::string& configuration_yaml);

/// The rows of a summary.json and what they were made with; nothing if the file is not a whole one.
struct StoredSummary {
  std::vector<ResultRow> rows;
  Provenance made_with;
};
std::optional<StoredSummary> read_summary(const std::filesystem::path& path);

}  // namespace hyperdefect::engine
