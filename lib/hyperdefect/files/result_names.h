// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace hyperdefect::files {

/// Endings of the files of one cube's results, STEM and the ending: scan_score.tif and so on.
inline constexpr std::string_view kScoreEnding = "_score.tif";
inline constexpr std::string_view kSadEnding = "_sad.tif";
inline constexpr std::string_view kDefectsEnding = "_defects.tif";
inline constexpr std::string_view kPValueEnding = "_p_value.tif";
inline constexpr std::string_view kOverlayEnding = "_overlay.png";
inline constexpr std::string_view kModelEnding = "_model.safetensors";
/// The cube's row of the table and what it was made with.
inline constexpr std::string_view kRowEnding = ".json";

/// The ending of the map of a kind ("score", "sad"), and of a member of an ensemble ("rx").
inline std::string map_ending(std::string_view kind) {
  return '_' + std::string(kind) + ".tif";
}
inline std::string part_ending(std::string_view detector) {
  return "_part_" + std::string(detector) + ".tif";
}

/// The endings of a cube's mask, in the order in which they are looked for; new masks have the first.
inline constexpr std::array<std::string_view, 2> kMaskEndings{"_mask.png", "_mask.tif"};

/// The files of a run, in its output folder.
inline constexpr std::string_view kScoresTable = "scores.csv";
inline constexpr std::string_view kSummary = "summary.json";
inline constexpr std::string_view kConfiguration = "config.yaml";
inline constexpr std::string_view kObjectsTable = "objects.csv";
inline constexpr std::array<std::string_view, 4> kRunFiles{kScoresTable, kObjectsTable, kSummary,
                                                           kConfiguration};

}  // namespace hyperdefect::files
