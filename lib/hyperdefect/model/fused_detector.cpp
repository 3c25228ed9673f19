// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/fused_detector.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <set>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/detectors.h"
#include "hyperdefect/spectral/area_filter.h"

namespace hyperdefect::model {
namespace {

void check(const ModelOptions& options) {
  const auto& names = options.fused;
  if (!options.fused_weights.empty() && names.size() != options.fused_weights.size()) {
    throw ConfigError(text::cat("model.fused_weights has ", options.fused_weights.size(),
                                " entries, it must have one for each of the ", names.size(),
                                " detectors of model.fused, or none for equal weights"));
  }
  if (std::set(names.begin(), names.end()).size() != names.size()) {
    throw ConfigError(
        "model.fused names a detector twice: name each once, and weigh it in model.fused_weights");
  }
}

template <typename T>
void append(std::vector<T>& all, std::vector<T> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

}  // namespace

FusedDetector::FusedDetector(const DetectorOptions& options, const spectral::Bands& bands)
    : Detector("FusedDetector"),
      spot_weight_(options.score.spot_weight),
      spot_areas_px_{options.score.spot_area_px} {
  check(options.model);
  for (std::size_t i = 0; i < options.model.fused.size(); ++i) {
    auto alone = options;
    alone.model.detector = options.model.fused[i];
    auto detector = register_module(alone.model.detector, make_detector(alone, bands));
    const auto& weights = options.model.fused_weights;
    members_.push_back({alone.model.detector, std::move(detector), weights.empty() ? 1.0 : weights[i]});
  }
  means_ = register_buffer("means", torch::ones({static_cast<std::int64_t>(members_.size())}));
}

void FusedDetector::bind(const spectral::Bands& cube) {
  for (auto& member : members_) {
    member.detector->bind(cube);
  }
}

void FusedDetector::observe(const spectral::Block& block) {
  for (auto& member : members_) {
    if (member.wants_pass) {
      member.detector->observe(block);
    }
  }
}

bool FusedDetector::finish() {
  bool again = false;
  for (auto& member : members_) {
    member.wants_pass = member.wants_pass && member.detector->finish();
    again = again || member.wants_pass;
  }
  if (!again) {
    std::for_each(members_.begin(), members_.end(), [](Member& member) { member.wants_pass = true; });
  }
  return again;
}

bool FusedDetector::trainable() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& member) { return member.detector->trainable(); });
}

void FusedDetector::begin_epoch() {
  for (auto& member : members_) {
    member.detector->begin_epoch();
  }
}

/// Trainable members share the section preprocess, and so what they are trained on.
spectral::Block FusedDetector::prepare(const spectral::Block& block) const {
  for (const auto& member : members_) {
    if (member.detector->trainable()) {
      return member.detector->prepare(block);
    }
  }
  return block;
}

std::vector<std::function<void()>> FusedDetector::preparations(const Batch& batch, at::Generator& generator) {
  std::vector<std::function<void()>> all;
  for (auto& member : members_) {
    append(all, member.detector->preparations(batch, generator));
  }
  return all;
}

std::vector<Loss> FusedDetector::losses(const Batch& batch, at::Generator& generator) {
  std::vector<Loss> all;
  for (auto& member : members_) {
    if (member.detector->trainable()) {
      append(all, member.detector->losses(batch, generator));
    }
  }
  return all;
}

void FusedDetector::calibrate(const spectral::Block& block) {
  for (auto& member : members_) {
    member.detector->calibrate(block);
    if (!member.detector->averages_one()) {
      const auto score = member.detector->score(block).score;
      member.calibration.add(score.index({score.isfinite()}));
    }
  }
}

void FusedDetector::finish_calibration() {
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto& member = members_[i];
    member.detector->finish_calibration();
    means_[static_cast<std::int64_t>(i)].fill_(member.calibration.take());
  }
}

torch::Tensor FusedDetector::bounded_sum(const torch::Tensor& summands) const {
  const auto sum = summands.sum(0);
  if (members_.size() == 1) {
    return sum;
  }
  const auto others = static_cast<double>(members_.size() - 1);
  auto result = sum.clone();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto bound = members_[i].detector->bound_among_others();
    if (std::isfinite(bound)) {
      const auto own = summands[static_cast<std::int64_t>(i)];
      result -= (own - (sum - own) * (bound / others)).clamp_min(0);
    }
  }
  return result;
}

ScoreMaps FusedDetector::score(const spectral::Block& block) {
  ScoreMaps fused;
  std::vector<torch::Tensor> all;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto& member = members_[i];
    auto maps = member.detector->score(block);
    const auto mean = means_[static_cast<std::int64_t>(i)].item<double>();
    const auto part = maps.score / mean;
    all.push_back(part.clamp_min(0).log1p() * member.weight);
    fused.parts.push_back({member.name, part});
    if (i == 0) {
      fused.sad_rad = maps.sad_rad;
      fused.valid = maps.valid;
    }
  }
  auto summands = torch::stack(all);
  if (spot_weight_ > 0) {
    const auto spots = spectral::area_top_hats(summands, fused.valid, spot_areas_px_,
                                               spectral::kTwiceAsLongAsWide, spectral::Hats::bright);
    summands += spot_weight_ * spots[0];
  }
  fused.score = bounded_sum(summands);
  return fused;
}

Field FusedDetector::field() const {
  Field field;
  for (const auto& member : members_) {
    const auto one = member.detector->field();
    field.grid = std::lcm(field.grid, one.grid);
    field.halo = std::max(field.halo, one.halo);
  }
  if (spot_weight_ > 0) {
    field.halo += spectral::area_filter_reach_px(spot_areas_px_, spectral::kTwiceAsLongAsWide);
  }
  return field;
}

std::int64_t FusedDetector::bytes_per_pixel() const {
  std::int64_t most = 0;
  for (const auto& member : members_) {
    most = std::max(most, member.detector->bytes_per_pixel());
  }
  if (spot_weight_ > 0) {
    most = std::max(most, spectral::area_filter_bytes_per_pixel(spot_areas_px_));
  }
  // Part, logarithm, its copy beside the others' and its spots of each member; sum, bound, bounded sum and
  // angle.
  return most + static_cast<std::int64_t>((members_.size() * 4 + 4) * sizeof(float));
}

std::string FusedDetector::summary() const {
  std::string page;
  for (const auto& member : members_) {
    page += text::cat("== ", member.name, ", weight ", text::number(member.weight), "\n",
                      member.detector->summary());
  }
  if (spot_weight_ > 0) {
    page += text::cat("== spots of less than ", text::counted(spot_areas_px_.front(), "pixel"), ", weight ",
                      text::number(spot_weight_), "\n");
  }
  return page;
}

}  // namespace hyperdefect::model
