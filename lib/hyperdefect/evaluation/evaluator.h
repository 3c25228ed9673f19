// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/metric/confusion.h"
#include "hyperdefect/metric/roc.h"

namespace hyperdefect::evaluation {

/// How well a map finds the defects of one cube. Pixels that are NaN in the map are left out; what is not
/// defined, as a cube without a defect has no AUROC, is absent.
struct CubeQuality {
  /// The cube's results below their folder, without ending: "day1/scan_07".
  std::string name;
  /// Whether the truth has a defect.
  bool defective = false;
  std::int64_t defect_pixels = 0;
  std::int64_t valid_pixels = 0;
  /// The highest score; absent if no pixel is valid.
  std::optional<double> score_max;
  std::optional<double> auroc;
  std::optional<double> average_precision;
  std::optional<metric::BestF1> best_f1;
  std::optional<double> aupro;
  std::optional<metric::Roc3d> roc_3d;
  /// What the map of defects marks, which follows from the scores and the threshold; absent if there is
  /// none.
  std::optional<metric::Confusion> predicted;
  /// Whether the cube was neither accepted nor rejected.
  bool undecided = false;
};

/// The numbers that are told of a cube and averaged over cubes; absent if they are not defined.
struct Measures {
  std::optional<double> auroc;
  std::optional<double> average_precision;
  std::optional<double> f1_max;
  std::optional<double> aupro;
  std::optional<double> auc_d_tau;
  std::optional<double> auc_f_tau;
  /// Of what is predicted.
  std::optional<double> f1;
  std::optional<double> precision;
  std::optional<double> recall;
  std::optional<double> false_alarm_rate;
};

Measures measures_of(const CubeQuality& cube);

/// Means over cubes, each over those where the measure is defined.
struct MeanQuality : Measures {
  std::int64_t cubes = 0;
};

struct FolderQuality {
  /// Relative to the maps; "." for the cubes at its top.
  std::string name;
  MeanQuality mean;
};

struct Evaluation {
  /// Sorted by name.
  std::vector<CubeQuality> cubes;
  MeanQuality mean;
  /// The mean of each folder, if cubes lie in more than one.
  std::vector<FolderQuality> folders;
  /// How well the highest score tells cubes with a defect from those without; absent if one kind is
  /// missing.
  std::optional<double> image_auroc;
  /// Whole cubes: positive if any pixel is predicted or defective; an undecided one counts as judged
  /// wrongly, neither rejected nor accepted. Absent if no cube has a map of defects.
  std::optional<metric::Confusion> cube_confusion;
  /// Names of the maps that have no truth, which are left out.
  std::vector<std::string> without_truth;
};

/// Judges scores (rows, cols) against the truth (rows, cols) bool.
/// @return all but the name and what is predicted.
CubeQuality evaluate_map(const torch::Tensor& scores, const torch::Tensor& truth);

/// The mask NAME_mask.png or NAME_mask.tif of a cube or its results ("day1/scan_07") below a folder. A name
/// that keeps a cube's extension ("scan.img") may also have its mask without it. Nothing if there is none.
std::optional<std::filesystem::path> find_truth(const std::string& name, const std::filesystem::path& folder);

/// The means over these cubes.
MeanQuality mean_quality(const std::vector<CubeQuality>& cubes);

/// Judges every map NAME_`kind`.tif below a folder of results against what find_truth() finds below the
/// folder of truths; with the scores, if it is there, also the map NAME_defects.tif.
///
///     engine::ProgressMonitor monitor;
///     const Evaluation evaluation = evaluate("maps", "masks", "score", monitor);
///     if (evaluation.mean.auroc) {
///       std::cout << "mean AUROC " << *evaluation.mean.auroc << '\n';
///     }
///
/// @param kind "score" or "sad".
/// @throws InputError if a folder is missing, holds no map, no map has a truth, a file cannot be read, or
/// a map and its truth differ in size.
/// @throws Interrupted if the monitor asks to stop.
Evaluation evaluate(const std::filesystem::path& maps, const std::filesystem::path& truth,
                    const std::string& kind, engine::ProgressMonitor& monitor);

}  // namespace hyperdefect::evaluation
