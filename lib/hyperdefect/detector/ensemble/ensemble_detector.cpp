// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/ensemble/ensemble_detector.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <set>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/detector/registry.h"
#include "hyperdefect/image/area_filter.h"

namespace hyperdefect::detector {
namespace {

void check(const EnsembleOptions& own) {
  const auto& names = own.members;
  if (!own.weights.empty() && names.size() != own.weights.size()) {
    throw ConfigError(text::concat("ensemble.weights has ", own.weights.size(),
                                   " entries; it must have one for each of the ", names.size(),
                                   " detectors of ensemble.members, or none for equal weights"));
  }
  if (std::set(names.begin(), names.end()).size() != names.size()) {
    throw ConfigError(
        "ensemble.members names a detector twice: name each once, and set its weight in ensemble.weights");
  }
}

}  // namespace

void declare(config::Section& section, EnsembleOptions& own, const DetectorOptions&) {
  section
      .add("members", &own.members,
           "The detectors whose scores are added up, as log(1 + score / mean of the training data).")
      .choices(member_names())
      .entries(1, 8)
      .level(config::Level::basic)
      .formerly("model.fused")
      .value_formerly("likelihood", "likelihood_ratio");
  section.add("weights", &own.weights, "The weight of each member; empty: equal weights.")
      .range(0, 1e3)
      .level(config::Level::basic)
      .formerly("model.fused_weights");
  section
      .add("compact_weight", &own.compact_weight,
           "In the score of each member, compact spots are raised by this factor times their difference from "
           "their "
           "surroundings; lines and edges are not raised. 0 leaves the score as it is.")
      .range(0, 1e3)
      .formerly("score.spot_weight");
  section
      .add("compact_area_px", &own.compact_area_px,
           "A compact spot has fewer pixels than this, and is at most about twice as long as wide.")
      .range(2, 1e4)
      .used_if({[&own] { return own.compact_weight > 0; }, "ensemble.compact_weight is above 0"})
      .formerly("score.spot_area_px");
}

EnsembleDetector::EnsembleDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess)
    : Detector("EnsembleDetector", preprocess), options_(options.of<EnsembleOptions>()) {
  check(options_);
  for (std::size_t i = 0; i < options_.members.size(); ++i) {
    auto alone = options;
    alone.name = options_.members[i];
    auto detector = register_module(alone.name, make_detector(alone, preprocess));
    members_.push_back(
        {alone.name, std::move(detector), options_.weights.empty() ? 1.0 : options_.weights[i]});
  }
  means_ = register_buffer("means", torch::ones({static_cast<std::int64_t>(members_.size())}));
}

template <class Use>
void EnsembleDetector::for_each_statistics(const Use& use) {
  for (auto& member : members_) {
    if (auto* statistics = member.detector->statistics()) {
      use(member, *statistics);
    }
  }
}

template <class Use>
void EnsembleDetector::for_each_trainable(const Use& use) {
  for (auto& member : members_) {
    if (auto* trainable = member.detector->trainable()) {
      use(*trainable);
    }
  }
}

void EnsembleDetector::accumulate_features(const preprocess::Preprocessed& block) {
  for_each_statistics([&](Member&, Statistics& statistics) { statistics.accumulate_features(block); });
}

bool EnsembleDetector::begin() {
  bool wanted = false;
  for_each_statistics([&](Member& member, Statistics& statistics) {
    member.wants_pass = statistics.begin();
    wanted = wanted || member.wants_pass;
  });
  return wanted;
}

void EnsembleDetector::accumulate(const preprocess::Preprocessed& block) {
  for_each_statistics([&](Member& member, Statistics& statistics) {
    if (member.wants_pass) {
      statistics.accumulate(block);
    }
  });
}

bool EnsembleDetector::finalise() {
  bool again = false;
  for_each_statistics([&](Member& member, Statistics& statistics) {
    member.wants_pass = member.wants_pass && statistics.finalise();
    again = again || member.wants_pass;
  });
  return again;
}

std::int64_t EnsembleDetector::reach_px() const {
  std::int64_t farthest = 0;
  for (const auto& member : members_) {
    if (const auto* statistics = member.detector->statistics()) {
      farthest = std::max(farthest, statistics->reach_px());
    }
  }
  return farthest;
}

Trainable* EnsembleDetector::trainable() {
  const bool learns = std::any_of(members_.begin(), members_.end(), [](const Member& member) {
    return member.detector->trainable() != nullptr;
  });
  return learns ? this : nullptr;
}

void EnsembleDetector::initialise(at::Generator& generator) {
  for_each_trainable([&](Trainable& trainable) { trainable.initialise(generator); });
}

void EnsembleDetector::begin_epoch() {
  for_each_trainable([](Trainable& trainable) { trainable.begin_epoch(); });
}

std::vector<Loss> EnsembleDetector::losses(const Batch& batch, at::Generator& generator) {
  std::vector<Loss> all;
  for_each_trainable([&](Trainable& trainable) {
    auto more = trainable.losses(batch, generator);
    std::move(more.begin(), more.end(), std::back_inserter(all));
  });
  return all;
}

Measurement EnsembleDetector::measure(const preprocess::Preprocessed& block) const {
  Measurement measured;
  for (const auto& member : members_) {
    measured.members.push_back(member.detector->measure(block));
  }
  measured.expected = measured.members.front().expected;
  measured.expected_spec = measured.members.front().expected_spec;
  return measured;
}

bool EnsembleDetector::adapts() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& member) { return member.detector->adapts(); });
}

void EnsembleDetector::adapt(const preprocess::Preprocessed& tile) {
  for (auto& member : members_) {
    member.detector->adapt(tile);
  }
}

Measurement EnsembleDetector::calibrate(const preprocess::Preprocessed& block) {
  Measurement measured;
  for (auto& member : members_) {
    measured.members.push_back(member.detector->calibrate(block));
    if (!member.detector->is_normalised()) {
      const auto score = member.detector->score(block, measured.members.back()).map.cpu();
      member.calibration.add(score.index({block.counted().cpu().logical_and(score.isfinite())}));
    }
  }
  measured.expected = measured.members.front().expected;
  measured.expected_spec = measured.members.front().expected_spec;
  return measured;
}

void EnsembleDetector::finish_calibration() {
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto& member = members_[i];
    member.detector->finish_calibration();
    means_[static_cast<std::int64_t>(i)].fill_(member.calibration.take());
  }
}

/// A member of weight 0 adds nothing, and does not count among the others.
torch::Tensor EnsembleDetector::bounded_sum(const torch::Tensor& summands) const {
  const auto sum = summands.sum(0);
  const auto counts = [](const Member& member) { return member.weight > 0; };
  const auto counted = std::count_if(members_.begin(), members_.end(), counts);
  auto result = sum.clone();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto cap = members_[i].detector->fusion_cap();
    const auto others = counted - (counts(members_[i]) ? 1 : 0);
    if (std::isfinite(cap) && others > 0) {
      const auto own = summands[static_cast<std::int64_t>(i)];
      result -= (own - (sum - own) * (cap / static_cast<double>(others))).clamp_min(0);
    }
  }
  return result;
}

Score EnsembleDetector::score(const preprocess::Preprocessed& block, const Measurement& measured) const {
  Score fused;
  std::vector<torch::Tensor> all;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto& member = members_[i];
    const auto mean = means_[static_cast<std::int64_t>(i)].item<double>();
    const auto part = member.detector->score(block, measured.members[i]).map.cpu() / mean;
    all.push_back(part.clamp_min(0).log1p() * member.weight);
    fused.parts.emplace_back(member.name, part);
  }
  auto summands = torch::stack(all);
  if (options_.compact_weight > 0) {
    const auto compact = image::area_top_hats(summands, block.valid().cpu(), {options_.compact_area_px},
                                              image::kTwiceAsLongAsWide, image::TopHat::bright);
    summands += options_.compact_weight * compact[0];
  }
  fused.map = bounded_sum(summands);
  return fused;
}

ReceptiveField EnsembleDetector::receptive_field() const {
  ReceptiveField field;
  for (const auto& member : members_) {
    const auto one = member.detector->receptive_field();
    field.alignment = std::lcm(field.alignment, one.alignment);
    field.halo = std::max(field.halo, one.halo);
  }
  if (options_.compact_weight > 0) {
    field.halo += image::area_filter_reach_px({options_.compact_area_px}, image::kTwiceAsLongAsWide);
  }
  return field;
}

std::int64_t EnsembleDetector::bytes_per_pixel() const {
  std::int64_t most = 0;
  for (const auto& member : members_) {
    most = std::max(most, member.detector->bytes_per_pixel());
  }
  most += measurement_bytes_per_pixel();
  if (options_.compact_weight > 0) {
    most = std::max(most, image::area_filter_bytes_per_pixel({options_.compact_area_px}));
  }
  // Part, logarithm, its copy beside the others' and its spots of each member; sum, bound, bounded sum and
  // angle.
  return most + static_cast<std::int64_t>((members_.size() * 4 + 4) * sizeof(float));
}

std::int64_t EnsembleDetector::measurement_bytes_per_pixel() const {
  std::int64_t all = 0;
  for (const auto& member : members_) {
    all += member.detector->measurement_bytes_per_pixel();
  }
  return all;
}

std::string EnsembleDetector::summary() const {
  std::string page;
  for (const auto& member : members_) {
    page += text::concat("== ", member.name, ", weight ", text::to_text(member.weight), "\n",
                         member.detector->summary());
  }
  if (options_.compact_weight > 0) {
    page += text::concat("== compact spots of less than ", text::pluralise(options_.compact_area_px, "pixel"),
                         ", weight ", text::to_text(options_.compact_weight), "\n");
  }
  return page;
}

}  // namespace hyperdefect::detector
