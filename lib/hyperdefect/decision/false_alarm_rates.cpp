// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/decision/false_alarm_rates.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/metric/quantile.h"

namespace hyperdefect::decision {
namespace {

using Maps = std::vector<torch::Tensor>;
using model::FalseAlarmRate;

constexpr int kHalvings = 30;
/// A rule is set anew for each of these parts.
constexpr std::size_t kMostParts = 10;
/// Of a single cube.
constexpr std::int64_t kBlocksOfRows = 5;
constexpr int kResamplings = 1000;
/// The normal distribution has 95 % within this many standard deviations.
constexpr double kTwoSided95 = 1.959964;

torch::Tensor pooled(const Maps& maps) {
  std::vector<torch::Tensor> scores;
  for (const auto& map : maps) {
    scores.push_back(map.masked_select(map.isfinite()));
  }
  return torch::cat(scores);
}

Objects objects_of(const torch::Tensor& judged, const DetectionRule& rule) {
  return find_objects(judged, judged.isfinite(), rule);
}

std::int64_t marked_pixels(const Objects& objects) {
  return objects.labels.gt(0).sum().item<std::int64_t>();
}

/// The part of the pixels that the rule marks.
double marked_share(const Maps& judged, const DetectionRule& rule) {
  double marked = 0.0;
  double pixels = 0.0;
  for (const auto& map : judged) {
    marked += static_cast<double>(marked_pixels(objects_of(map, rule)));
    pixels += map.isfinite().sum().item<double>();
  }
  return pixels > 0 ? marked / pixels : 0.0;
}

/// The lowest threshold at which the rule, with its hysteresis and smallest object, marks at most this share.
/// A higher threshold never marks more.
double threshold_for(const Maps& judged, DetectionRule rule, double share, double start) {
  const auto marks_more = [&](double threshold) {
    rule.threshold = threshold;
    return marked_share(judged, rule) > share;
  };
  const auto highest = pooled(judged).max().item<double>();
  double low = std::min(start, 0.0);
  double high = highest;
  if (!marks_more(low)) {
    return low;
  }
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (marks_more(middle) ? low : high) = middle;
  }
  return high;
}

Maps calibrated_maps(const Maps& maps, const model::FittedModel& model) {
  Maps judged;
  for (const auto& map : maps) {
    judged.push_back(model::calibrated(map, model));
  }
  return judged;
}

/// All but the evidence of a defect.
void set_threshold(model::FittedModel& model, const Maps& maps) {
  model::set_threshold(model, pooled(maps));
  const auto& options = model.config.threshold;
  const auto rule = rule_of(model);
  if (options.method == model::ThresholdMethod::false_alarm_rate &&
      (rule.hysteresis > 0 || rule.min_pixels > 1)) {
    model.threshold = threshold_for(calibrated_maps(maps, model), rule, options.pixel_rate, model.threshold);
  }
}

/// What a threshold does to a part of the normal data.
struct Outcome {
  double marked = 0;
  double pixels = 0;
  /// Of the strongest object.
  double evidence = 0;
};

Outcome outcome_of(const torch::Tensor& map, const model::FittedModel& model) {
  const auto objects = objects_of(model::calibrated(map, model), rule_of(model));
  return {static_cast<double>(marked_pixels(objects)), map.isfinite().sum().item<double>(),
          largest_evidence(objects)};
}

/// A single cube becomes blocks of rows.
Maps parts_of(const Maps& maps) {
  if (maps.size() > 1) {
    return maps;
  }
  const auto rows = maps.front().size(0);
  Maps blocks;
  for (std::int64_t i = 0; i < kBlocksOfRows; ++i) {
    const auto first = rows * i / kBlocksOfRows;
    if (const auto block = maps.front().slice(0, first, rows * (i + 1) / kBlocksOfRows);
        block.isfinite().any().item<bool>()) {
      blocks.push_back(block);
    }
  }
  return blocks;
}

/// Each map under the threshold that the others set: those of a part of the maps are left out together.
std::vector<Outcome> held_out_outcomes(const model::FittedModel& model, const Maps& maps) {
  std::vector<Outcome> all(maps.size());
  const auto parts = std::min(maps.size(), kMostParts);
  for (std::size_t part = 0; part < parts; ++part) {
    Maps others;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      if (i % parts != part) {
        others.push_back(maps[i]);
      }
    }
    auto judge = model;
    if (!others.empty() && pooled(others).numel() > 0) {
      set_threshold(judge, others);
    }
    for (std::size_t i = part; i < maps.size(); i += parts) {
      all[i] = outcome_of(maps[i], judge);
    }
  }
  return all;
}

torch::Tensor evidences_of(const std::vector<Outcome>& all) {
  std::vector<double> evidences;
  for (const auto& outcome : all) {
    evidences.push_back(outcome.evidence);
  }
  return torch::tensor(evidences, torch::kDouble);
}

double share_of(const std::vector<Outcome>& all) {
  double marked = 0;
  double pixels = 0;
  for (const auto& outcome : all) {
    marked += outcome.marked;
    pixels += outcome.pixels;
  }
  return pixels > 0 ? marked / pixels : 0.0;
}

struct Interval {
  double low;
  double high;
};

Interval wilson(double found, double count) {
  if (count == 0) {
    return {0, 1};
  }
  const double z2 = kTwoSided95 * kTwoSided95;
  const double share = found / count;
  const double centre = share + z2 / (2 * count);
  const double reach = kTwoSided95 * std::sqrt(share * (1 - share) / count + z2 / (4 * count * count));
  const double scale = 1 + z2 / count;
  return {std::max(0.0, (centre - reach) / scale), std::min(1.0, (centre + reach) / scale)};
}

/// Resamples whole parts: their pixels are not independent.
Interval bootstrapped(const std::vector<Outcome>& all) {
  if (all.size() < 2) {
    return {0, 1};
  }
  std::mt19937_64 random(all.size());
  std::vector<double> shares;
  for (int i = 0; i < kResamplings; ++i) {
    std::vector<Outcome> drawn;
    for (std::size_t k = 0; k < all.size(); ++k) {
      drawn.push_back(all[random() % all.size()]);
    }
    shares.push_back(share_of(drawn));
  }
  const auto ends = metric::quantiles_of(torch::tensor(shares, torch::kDouble), {0.025, 0.975});
  double pixels = 0;
  for (const auto& outcome : all) {
    pixels += outcome.pixels;
  }
  // If no pixel is marked, no resampling marks one.
  return {ends[0], std::max(ends[1], wilson(0, pixels).high)};
}

FalseAlarmRate rate_of_pixels(const std::vector<Outcome>& all) {
  const auto [low, high] = bootstrapped(all);
  return {{}, {}, share_of(all), low, high};
}

/// How many cubes are rejected by the evidence that the others ask for.
std::int64_t rejected_cubes(const std::vector<Outcome>& all, const model::FittedModel& model) {
  const bool asks_for_rate = model.config.threshold.method == model::ThresholdMethod::false_alarm_rate;
  std::int64_t rejected = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto others = all;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const double needed =
        asks_for_rate
            ? metric::conformal_quantile(evidences_of(others), model.config.threshold.cube_rate).value
            : model.min_evidence;
    rejected += all[i].evidence > needed ? 1 : 0;
  }
  return rejected;
}

FalseAlarmRate rate_of_cubes(const std::vector<Outcome>& all, const model::FittedModel& model) {
  const auto count = static_cast<double>(all.size());
  const auto rejected = static_cast<double>(rejected_cubes(all, model));
  const auto [low, high] = wilson(rejected, count);
  return {{}, {}, rejected / count, low, high};
}

/// Sets what was asked for and warns if it is less than 1 / (count + 1).
void note_asked(FalseAlarmRate& rate, double asked, std::int64_t count, const char* key, const char* unit) {
  rate.asked = asked;
  const double least = 1.0 / static_cast<double>(count + 1);
  if (asked >= least) {
    return;
  }
  rate.supported = least;
  const auto needed = static_cast<std::int64_t>(std::ceil(1 / asked - 1 - 1e-9));
  log::warning(text::concat("threshold.", key, " is ", text::to_text(asked), ", but with ",
                            text::pluralise(count, unit), " the least possible is ", text::two_digits(least),
                            ", which is used; ", text::to_text(asked), " needs ",
                            text::pluralise(needed, unit)));
}

std::string in_words(const FalseAlarmRate& rate, const std::string& what, const std::string& of_what) {
  auto words = text::concat(what, ": ", text::two_digits(rate.seen), " of ", of_what, " (95 % interval ",
                            text::two_digits(rate.low), " to ", text::two_digits(rate.high), ')');
  if (rate.asked) {
    words += text::concat(", asked: ", text::to_text(*rate.asked));
  }
  if (rate.supported) {
    words += text::concat(", possible: ", text::two_digits(*rate.supported));
  }
  return words;
}

}  // namespace

DetectionRule rule_of(const model::FittedModel& model) {
  const auto& options = model.config.threshold;
  return {model.threshold, options.hysteresis, options.min_pixels, model.min_evidence};
}

void set_rule(model::FittedModel& model, const NormalScores& scores) {
  set_threshold(model, scores.maps);
  const auto seen = held_out_outcomes(model, parts_of(scores.maps));
  const bool one_cube = scores.maps.size() == 1;
  const auto& options = model.config.threshold;
  const bool asks_for_rate = options.method == model::ThresholdMethod::false_alarm_rate;
  if (asks_for_rate) {
    const auto cubes = one_cube ? std::vector{outcome_of(scores.maps.front(), model)} : seen;
    model.min_evidence = metric::conformal_quantile(evidences_of(cubes), options.cube_rate).value;
  }
  model::FalseAlarms alarms;
  alarms.cubes = static_cast<std::int64_t>(scores.maps.size());
  alarms.pixels = pooled(scores.maps).numel();
  alarms.in_sample = scores.in_sample;
  alarms.pixel = rate_of_pixels(seen);
  if (!one_cube) {
    alarms.cube = rate_of_cubes(seen, model);
  }
  if (asks_for_rate) {
    note_asked(alarms.pixel, options.pixel_rate, alarms.pixels, "pixel_rate", "pixel");
    FalseAlarmRate unknown;
    note_asked(alarms.cube ? *alarms.cube : unknown, options.cube_rate, alarms.cubes, "cube_rate", "cube");
  }
  model.false_alarms = alarms;
}

std::string in_words(const model::FalseAlarms& alarms) {
  auto words = text::concat(
      "false alarms on ", text::pluralise(alarms.cubes, "normal cube"),
      alarms.in_sample ? " that the fit has seen, so that they are more often in new cubes:"
                       : " that the fit did not see:",
      '\n', "  ", in_words(alarms.pixel, "marked", text::concat(alarms.pixels, " pixels")), '\n');
  return words +
         (alarms.cube
              ? text::concat("  ", in_words(*alarms.cube, "rejected", text::pluralise(alarms.cubes, "cube")),
                             '\n')
              : "  rejected: not known from one cube\n");
}

}  // namespace hyperdefect::decision
