// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/decision/verdict.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <vector>

#include "hyperdefect/core/text.h"
#include "hyperdefect/format/pixel_state.h"
#include "hyperdefect/io/regions.h"

namespace hyperdefect::decision {
namespace {

using format::PixelState;

/// Shares are quotients of counts: what differs by less is the same.
/// A share of equal spectra that no camera sees.
constexpr double kConstantShare = 0.99;
constexpr double kRounding = 1e-9;
/// A flight line across its bounding box fills more than this part of it.
constexpr double kLeastOfAScene = 0.05;

torch::Tensor is(const torch::Tensor& states, PixelState state) {
  return states.eq(static_cast<std::uint8_t>(state));
}

/// Rounded down, so that what is too little does not read like enough.
std::string percent(double share) {
  return text::to_text(std::floor(share * 1e4 + kRounding) / 1e2) + " %";
}

torch::Tensor is_outside(const torch::Tensor& states) {
  return is(states, PixelState::outside);
}

/// (rows, cols) bool: the pixels at the border of the image, and those that touch a pixel outside of the
/// region, also by a corner.
torch::Tensor border_of(const torch::Tensor& states) {
  auto border = io::eroded(is_outside(states).logical_not(), 1).logical_not();
  for (const std::int64_t dim : {0, 1}) {
    border.select(dim, 0).fill_(true);
    border.select(dim, -1).fill_(true);
  }
  return border;
}

/// The labels of regions that hold a pixel of the border.
std::set<std::int32_t> labels_at(const torch::Tensor& border, const torch::Tensor& labels) {
  const auto found = labels.masked_select(border).contiguous();
  const auto* first = found.const_data_ptr<std::int32_t>();
  return {first, first + found.numel()};
}

/// The pixels of the mask that are joined to the border.
torch::Tensor joined_to(const torch::Tensor& border, const torch::Tensor& mask) {
  const auto regions = io::label_regions(mask);
  auto at_border = torch::zeros({regions.count + 1}, torch::kBool);
  for (const auto label : labels_at(border, regions.labels)) {
    at_border[label] = label != 0;
  }
  return at_border.index_select(0, regions.labels.flatten().to(torch::kLong)).reshape(mask.sizes());
}

/// The share of valid pixels that is compared with the reference.
double compared_share(const Evidence& evidence) {
  const auto valid = is(evidence.states, PixelState::valid).logical_and(evidence.valid);
  auto counted = is_outside(evidence.states).logical_not().sum().item<double>();
  if (evidence.reference.border_excused) {
    const auto missing = is(evidence.states, PixelState::no_data)
                             .logical_or(is(evidence.states, PixelState::zero))
                             .logical_or(is(evidence.states, PixelState::not_finite));
    counted -= joined_to(border_of(evidence.states), missing).sum().item<double>();
  }
  return counted > 0 ? valid.sum().item<double>() / counted : 0.0;
}

std::string doubt_about_share(const Evidence& evidence) {
  const double share = compared_share(evidence);
  const double needed = evidence.min_valid_share * evidence.reference.share;
  const double of_all = valid_share_of(evidence.states);
  if (evidence.reference.border_excused && of_all < kLeastOfAScene) {
    return text::concat("only ", percent(of_all), " of the scene is valid, but ", percent(kLeastOfAScene),
                        " is needed even if all missing pixels are at its border");
  }
  if (share >= needed - kRounding) {
    return {};
  }
  return text::concat(
      "only ", percent(share), " of the pixels ",
      evidence.reference.border_excused ? "inside the scene are valid, but " : "are valid, but ",
      percent(needed), " are needed (data.min_valid_share)");
}

/// Columns (dim 0) or rows (dim 1) that are invalid from end to end of the region, for another reason than no
/// data alone.
torch::Tensor dead_lines(const torch::Tensor& states, std::int64_t dim) {
  const auto all_invalid = is(states, PixelState::valid).logical_not().all(dim);
  const auto explained = is(states, PixelState::no_data).logical_or(is_outside(states)).all(dim);
  return all_invalid.logical_and(explained.logical_not());
}

torch::Tensor live_lines(const torch::Tensor& states, std::int64_t dim) {
  return dead_lines(states, dim).logical_not().nonzero().flatten();
}

/// The islands of a mask: how many are large enough, and the largest.
struct Islands {
  std::int64_t count = 0;
  std::int64_t largest_area = 0;
  std::int32_t largest_label = 0;
  torch::Tensor labels;
};

/// An image, or what dead lines leave of it, and where its rows and columns are in the whole image.
struct View {
  torch::Tensor states;
  torch::Tensor rows;
  torch::Tensor cols;

  torch::Tensor of(const torch::Tensor& map) const { return map.index_select(0, rows).index_select(1, cols); }
};

/// Islands of missing pixels that no missing pixel joins to the border. Pixels above the threshold beside
/// them count towards their size: the rim of a defect whose middle is saturated.
Islands islands_in(const torch::Tensor& missing, const torch::Tensor& above, const torch::Tensor& border,
                   std::int64_t min_pixels) {
  const auto regions = io::label_regions(missing.logical_or(above));
  const auto of_missing = regions.labels.mul(missing.to(torch::kInt));
  const auto at_border = labels_at(border, of_missing);
  const auto with_missing = std::get<0>(torch::_unique(of_missing)).contiguous();
  Islands islands;
  islands.labels = regions.labels;
  for (std::int64_t i = 0; i < with_missing.numel(); ++i) {
    const auto label = with_missing[i].item<std::int32_t>();
    if (label == 0 || at_border.contains(label)) {
      continue;
    }
    if (const auto area = regions.areas[static_cast<std::size_t>(label) - 1]; area >= min_pixels) {
      ++islands.count;
      islands.largest_label = area > islands.largest_area ? label : islands.largest_label;
      islands.largest_area = std::max(islands.largest_area, area);
    }
  }
  return islands;
}

std::string kind_of(std::uint8_t state) {
  switch (static_cast<PixelState>(state)) {
    case PixelState::saturated:
      return "saturated";
    case PixelState::zero:
      return "all zero";
    case PixelState::not_finite:
      return "not finite";
    default:
      return "not read";
  }
}

std::string doubt_about(const Islands& islands, const torch::Tensor& missing, const View& view) {
  if (islands.count == 0) {
    return {};
  }
  const auto first = islands.labels.eq(islands.largest_label).logical_and(missing).nonzero()[0];
  const auto row = first[0].item<std::int64_t>(), col = first[1].item<std::int64_t>();
  return text::concat(
      text::pluralise(islands.count, "island"), " of missing pixels inside the image, the largest with ",
      text::pluralise(islands.largest_area, "pixel"), " at row ", view.rows[row].item<std::int64_t>(),
      ", column ", view.cols[col].item<std::int64_t>(), " (",
      kind_of(view.states[row][col].item<std::uint8_t>()), "): a defect may look like that");
}

/// The image without its dead lines: what they cut in two is one again, and what they join to the border is
/// not.
View without_dead_lines(const torch::Tensor& states) {
  View view{{}, live_lines(states, 1), live_lines(states, 0)};
  view.states = view.of(states);
  return view;
}

std::string doubt_about_islands(const Evidence& evidence) {
  const auto above = evidence.score.gt(evidence.threshold).logical_and(evidence.valid);
  std::string doubt;
  if (const auto live = without_dead_lines(evidence.states); live.states.numel() > 0) {
    const auto missing = is(live.states, PixelState::valid)
                             .logical_or(is(live.states, PixelState::no_data))
                             .logical_or(is_outside(live.states))
                             .logical_not();
    doubt = doubt_about(islands_in(missing, live.of(above), border_of(live.states), evidence.min_pixels),
                        missing, live);
  }
  if (doubt.empty()) {
    // Zeros at the border do not excuse what is saturated beside them, and neither does the region's border.
    const auto saturated = is(evidence.states, PixelState::saturated);
    const auto frame = border_of(torch::zeros_like(evidence.states));
    const View image{evidence.states, torch::arange(saturated.size(0)), torch::arange(saturated.size(1))};
    doubt = doubt_about(islands_in(saturated, above, frame, evidence.min_pixels), saturated, image);
  }
  return doubt;
}

std::string doubt_about_scores(const Evidence& evidence) {
  if (!std::isfinite(evidence.threshold)) {
    return text::concat("the threshold is ", text::to_text(evidence.threshold),
                        ", so that no score can be above it");
  }
  const auto broken = evidence.score.isfinite().logical_not().logical_and(evidence.valid);
  const auto count = broken.sum().item<std::int64_t>();
  return count == 0 ? std::string()
                    : text::concat("the score of ", text::pluralise(count, "valid pixel"), " is not finite");
}

std::string doubts_about(const Evidence& evidence) {
  std::vector<std::string> doubts{doubt_about_scores(evidence)};
  if (evidence.common_share >= kConstantShare) {
    doubts.emplace_back(
        "nearly all pixels hold the same spectrum: the camera or the program that wrote the file may have "
        "stalled");
  }
  const auto valid = is(evidence.states, PixelState::valid).logical_and(evidence.valid);
  if (!valid.logical_or(is_outside(evidence.states)).all().item<bool>()) {
    doubts.push_back(doubt_about_share(evidence));
    doubts.push_back(doubt_about_islands(evidence));
  }
  std::erase(doubts, "");
  return text::join(doubts, "; ");
}

}  // namespace

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::accepted:
      return "accepted";
    case Verdict::rejected:
      return "rejected";
    case Verdict::undecided:
      return "undecided";
    default:
      return {};
  }
}

Verdict verdict_named(std::string_view name) {
  for (const auto verdict : {Verdict::accepted, Verdict::rejected, Verdict::undecided}) {
    if (to_string(verdict) == name) {
      return verdict;
    }
  }
  return Verdict::none;
}

Judgement judgement_of(const Evidence& evidence) {
  auto doubts = doubts_about(evidence);
  const auto found = evidence.defects > 0 ? text::pluralise(evidence.defects, "defect") : std::string();
  const auto both = [](const std::string& first, const std::string& second) {
    return first.empty() || second.empty() ? first + second : text::concat(first, "; ", second);
  };
  if (!evidence.drift.empty()) {
    return {Verdict::undecided, both(evidence.drift, both(found, doubts))};
  }
  if (!found.empty()) {
    return {Verdict::rejected, both(found, doubts)};
  }
  if (!doubts.empty()) {
    return {Verdict::undecided, std::move(doubts)};
  }
  return {Verdict::accepted, evidence.objects == 0
                                 ? std::string()
                                 : text::concat(text::pluralise(evidence.objects, "marked object"),
                                                " without the evidence of a defect")};
}

double valid_share_of(const torch::Tensor& states) {
  const auto inside = is_outside(states).logical_not().sum().item<double>();
  return inside > 0 ? is(states, PixelState::valid).sum().item<double>() / inside : 0.0;
}

double region_share_of(const torch::Tensor& states) {
  return is_outside(states).logical_not().to(torch::kDouble).mean().item<double>();
}

}  // namespace hyperdefect::decision
