// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hyperdefect/files/result_names.h"

namespace hyperdefect::engine {

/// The names of the files of one cube's results: output/day1/scan_score.tif and so on.
///
///     const ResultFiles files("maps", "day1/scan");
///     files.score();       // maps/day1/scan_score.tif
///     files.part("rx");    // maps/day1/scan_part_rx.tif
///     files.row();         // maps/day1/scan.json
class ResultFiles {
 public:
  /// @param relative folder below the output and stem: "day1/scan".
  /// @throws UsageError if it would lead out of the output folder.
  ResultFiles(std::filesystem::path output, const std::filesystem::path& relative);

  std::filesystem::path score() const { return with(files::kScoreEnding); }
  std::filesystem::path sad() const { return with(files::kSadEnding); }
  std::filesystem::path defects() const { return with(files::kDefectsEnding); }
  std::filesystem::path p_value() const { return with(files::kPValueEnding); }
  std::filesystem::path overlay() const { return with(files::kOverlayEnding); }
  std::filesystem::path model() const { return with(files::kModelEnding); }
  std::filesystem::path part(const std::string& detector) const { return with(files::part_ending(detector)); }
  std::filesystem::path row() const { return with(files::kRowEnding); }
  std::filesystem::path folder() const { return stem_.parent_path(); }
  /// Whatever a run may write for the cube, but for the model.
  std::vector<std::filesystem::path> all() const;

  /// Whether the files lie in the output folder, whatever links there are on the way.
  bool lie_inside() const;
  /// @throws UsageError if a folder on the way is a link that leads out of the output folder.
  void refuse_links_outside() const;

 private:
  std::filesystem::path with(std::string_view ending) const { return stem_.string() + std::string(ending); }

  std::filesystem::path output_;
  std::filesystem::path stem_;
};

}  // namespace hyperdefect::engine
