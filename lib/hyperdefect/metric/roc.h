// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <optional>
#include <vector>

namespace hyperdefect::metric {

/// The receiver operating characteristic: what is found and what is falsely found at each threshold "score >=
/// t".
struct RocCurve {
  /// (distinct): each score that occurs, descending.
  torch::Tensor thresholds;
  /// (distinct) int64: defective and normal pixels that score as high or higher.
  torch::Tensor true_positives;
  torch::Tensor false_positives;
};

/// The curve of scores and labels (not 0 = defect) of one shape, any. Pixels whose score is NaN, or that are
/// not `valid`, are left out.
RocCurve roc_curve(const torch::Tensor& scores, const torch::Tensor& labels, const torch::Tensor& valid = {});

/// Area under the ROC curve: the probability that a defective pixel scores higher than a normal one, ties
/// counting half (Mann and Whitney, 1947). Nothing if one of the classes is missing.
std::optional<double> auroc(const RocCurve& curve);

/// Average precision: the sum over thresholds of precision times the step in recall; equal scores are one
/// step. Nothing if there is no defect.
std::optional<double> average_precision(const RocCurve& curve);

/// The best F1 = 2 TP / (2 TP + FP + FN), and the highest threshold that reaches it.
struct BestF1 {
  double f1;
  double threshold;
};

/// Nothing if there is no defect.
std::optional<BestF1> f1_max(const RocCurve& curve);

/// The areas under the three projections of the 3D-ROC curve (Chang, "An effective evaluation tool for
/// hyperspectral target detection: 3D receiver operating characteristic curve analysis", IEEE TGRS 59, 2021),
/// whose third axis is the threshold tau on scores that are normalised to [0, 1] over the map.
struct Roc3d {
  /// Detection over false alarms: the AUROC.
  double auc_d_f;
  /// Detection over tau: how high defects score; 1 is best.
  double auc_d_tau;
  /// False alarms over tau: how high the background scores; 0 is best.
  double auc_f_tau;
};

/// Nothing if one of the classes is missing, or if the scores have no range that can be normalised: all
/// are equal, or one is infinite.
std::optional<Roc3d> roc_3d(const RocCurve& curve);

/// The AUROC of whole images, each with its score (its map's maximum, usually) and whether it has a defect.
std::optional<double> image_auroc(const std::vector<double>& scores, const std::vector<bool>& defective);

}  // namespace hyperdefect::metric
