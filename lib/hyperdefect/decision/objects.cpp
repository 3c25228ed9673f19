// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/decision/objects.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hyperdefect/io/regions.h"

namespace hyperdefect::decision {
namespace {

/// The highest score of each region; regions[label - 1].
std::vector<float> peaks_of(const io::Regions& regions, const torch::Tensor& score) {
  std::vector<float> peaks(static_cast<std::size_t>(regions.count), -std::numeric_limits<float>::infinity());
  const auto* label = regions.labels.const_data_ptr<std::int32_t>();
  const auto* value = score.const_data_ptr<float>();
  for (std::int64_t i = 0; i < regions.labels.numel(); ++i) {
    if (label[i] > 0) {
      auto& peak = peaks[static_cast<std::size_t>(label[i]) - 1];
      peak = std::max(peak, value[i]);
    }
  }
  return peaks;
}

/// The new label of each old one: 0 if the region is not marked.
torch::Tensor kept_labels(const io::Regions& regions, const std::vector<float>& peaks,
                          const DetectionRule& rule) {
  auto renamed = torch::zeros({regions.count + 1}, torch::kInt);
  auto* name = renamed.data_ptr<std::int32_t>();
  std::int32_t last = 0;
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    if (peaks[i] > rule.threshold && regions.areas[i] >= rule.min_pixels) {
      name[i + 1] = ++last;
    }
  }
  return renamed;
}

void add_pixel(DetectedObject& object, std::int64_t row, std::int64_t col, double score) {
  if (object.area_px == 0) {
    object.box = {row, col, 1, 1};
    object.peak = score;
  }
  const auto end_row = std::max(object.box.end_row(), row + 1);
  const auto end_col = std::max(object.box.end_col(), col + 1);
  object.box.row = std::min(object.box.row, row);
  object.box.col = std::min(object.box.col, col);
  object.box.rows = end_row - object.box.row;
  object.box.cols = end_col - object.box.col;
  ++object.area_px;
  object.row += static_cast<double>(row);
  object.col += static_cast<double>(col);
  object.peak = std::max(object.peak, score);
  object.mean += score;
}

/// Sums become means.
void complete(DetectedObject& object, const DetectionRule& rule) {
  const auto area = static_cast<double>(object.area_px);
  object.evidence = object.mean - area * (rule.threshold - rule.hysteresis);
  object.is_defect = object.evidence > rule.min_evidence;
  object.row /= area;
  object.col /= area;
  object.mean /= area;
  object.sad_rad = std::nan("");
}

}  // namespace

Objects find_objects(const torch::Tensor& score, const torch::Tensor& valid, const DetectionRule& rule) {
  const auto values = score.to(torch::kCPU, torch::kFloat).contiguous();
  const auto regions =
      io::label_regions(values.gt(rule.threshold - rule.hysteresis).logical_and(valid.cpu()));
  const auto renamed = kept_labels(regions, peaks_of(regions, values), rule);
  Objects objects;
  objects.labels = renamed.index_select(0, regions.labels.flatten().to(torch::kLong)).reshape(values.sizes());
  objects.found.resize(static_cast<std::size_t>(regions.count > 0 ? renamed.max().item<std::int32_t>() : 0));
  const auto* label = objects.labels.const_data_ptr<std::int32_t>();
  const auto* value = values.const_data_ptr<float>();
  const auto cols = values.size(1);
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    if (label[i] > 0) {
      add_pixel(objects.found[static_cast<std::size_t>(label[i]) - 1], i / cols, i % cols, value[i]);
    }
  }
  for (auto& object : objects.found) {
    complete(object, rule);
  }
  return objects;
}

void measure_angles(Objects& objects, const torch::Tensor& sad_rad) {
  const auto angles = sad_rad.to(torch::kCPU, torch::kDouble).contiguous();
  std::vector<double> sums(objects.found.size(), 0.0);
  std::vector<std::int64_t> counts(objects.found.size(), 0);
  const auto* label = objects.labels.const_data_ptr<std::int32_t>();
  const auto* angle = angles.const_data_ptr<double>();
  for (std::int64_t i = 0; i < angles.numel(); ++i) {
    if (label[i] > 0 && std::isfinite(angle[i])) {
      sums[static_cast<std::size_t>(label[i]) - 1] += angle[i];
      ++counts[static_cast<std::size_t>(label[i]) - 1];
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    objects.found[i].sad_rad = counts[i] > 0 ? sums[i] / static_cast<double>(counts[i]) : std::nan("");
  }
}

double largest_evidence(const Objects& objects) {
  double largest = 0.0;
  for (const auto& object : objects.found) {
    largest = std::max(largest, object.evidence);
  }
  return largest;
}

}  // namespace hyperdefect::decision
