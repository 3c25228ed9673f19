// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <optional>

namespace hyperdefect::metric {

/// AUPRO (Bergmann et al., "The MVTec anomaly detection dataset", 2021): the area under the curve of the mean
/// share of each defect that is found over the false positive rate, from 0 to `max_fpr` and divided by it. A
/// small defect counts as much as a large one. `regions`, of the shape of the scores, holds 0 for normal
/// pixels and a defect's number for its pixels; several images are concatenated, each with numbers of its
/// own. Pixels that are NaN or not `valid` are left out, and so is a defect without another pixel. Nothing
/// if no defect or no normal pixel is left.
std::optional<double> aupro(const torch::Tensor& scores, const torch::Tensor& regions,
                            const torch::Tensor& valid = {}, double max_fpr = 0.3);

}  // namespace hyperdefect::metric
