// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/material_split.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hyperdefect::spectral {
namespace {

/// Principal components that are looked at.
constexpr std::int64_t kComponents = 3;
/// Of the median value; what is darker is noise.
constexpr double kFloorPart = 1e-3;
constexpr double kSmallestShare = 0.01;
/// Root mean square over the bands of the difference of log spectra.
constexpr double kLeastContrast = 0.2;
constexpr int kSteps = 96;
constexpr int kTurns = 8;
/// Of the variance: keeps the discriminant from directions that hold noise alone.
constexpr double kRidge = 1e-3;

torch::Tensor log_spectra(const torch::Tensor& spectra, double floor) {
  return spectra.to(torch::kDouble).clamp_min(floor).log();
}

double floor_of(const torch::Tensor& spectra) {
  const auto positive = spectra.masked_select(spectra > 0);
  return positive.numel() > 0 ? kFloorPart * positive.median().item<double>() : 1.0;
}

/// Two groups of numbers, below and above a cut.
struct Cut {
  double lower = 0;
  double upper = 0;
  double at = 0;
  double between = 1e9;
  double share_between = 0;

  double middle() const { return (lower + upper) / 2; }
};

/// The cut with the emptiest middle third between the medians of the two groups.
Cut emptiest_cut(const torch::Tensor& values) {
  const auto sorted = std::get<0>(values.sort()).contiguous();
  const auto* first = sorted.const_data_ptr<double>();
  const auto count = sorted.numel();
  const auto* end = first + count;
  const auto at = [&](double part) { return first[static_cast<std::int64_t>(part * double(count - 1))]; };
  const double low = at(0.002), high = at(0.998);
  Cut best;
  for (int i = 1; i < kSteps; ++i) {
    const double cut = low + (high - low) * i / kSteps;
    const auto below = std::lower_bound(first, end, cut) - first;
    const double share = double(std::min(below, count - below)) / double(count);
    if (share < kSmallestShare) {
      continue;
    }
    const double lower = first[below / 2], upper = first[below + (count - below) / 2];
    const double third = (upper - lower) / 3;
    const auto inside =
        std::lower_bound(first, end, upper - third) - std::lower_bound(first, end, lower + third);
    const double share_between = double(inside) / double(count);
    if (const double between = share_between / share; between < best.between) {
      best = {lower, upper, cut, between, share_between};
    }
  }
  return best;
}

bool is_cut(const Cut& cut) {
  return cut.upper > cut.lower && cut.between < 1e9;
}

torch::Tensor centred(const torch::Tensor& points) {
  return points - points.mean(0, true);
}

/// The linear discriminant of the two groups, without what lies between them.
torch::Tensor discriminant(const torch::Tensor& points, const torch::Tensor& values, const Cut& cut) {
  const double third = (cut.upper - cut.lower) / 3;
  const auto below = points.index({values < cut.lower + third});
  const auto above = points.index({values > cut.upper - third});
  const auto both = torch::cat({centred(below), centred(above)});
  auto within = both.t().mm(both) / double(both.size(0));
  within += torch::eye(within.size(0), within.options()) * within.trace() * kRidge;
  const auto direction = torch::linalg_solve(within, above.mean(0) - below.mean(0));
  return direction / direction.norm();
}

struct Direction {
  torch::Tensor weights;
  Cut cut;
};

/// Turns a direction as long as its middle becomes emptier.
Direction turned(const torch::Tensor& points, const torch::Tensor& start) {
  Direction best{start, emptiest_cut(points.mv(start))};
  for (int i = 0; i < kTurns && is_cut(best.cut); ++i) {
    const auto weights = discriminant(points, points.mv(best.weights), best.cut);
    const auto cut = emptiest_cut(points.mv(weights));
    if (!is_cut(cut) || cut.between >= best.cut.between) {
      break;
    }
    best = {weights, cut};
  }
  return best;
}

/// (bands, components) of centred points (n, bands).
torch::Tensor leading_components(const torch::Tensor& points) {
  const auto vectors = std::get<1>(torch::linalg_eigh(points.t().mm(points) / double(points.size(0))));
  return vectors.flip(1).slice(1, 0, kComponents).contiguous();
}

double contrast_of(const torch::Tensor& difference) {
  return std::sqrt(difference.square().mean().item<double>());
}

/// What the split along a direction makes of the spectra; nothing if it is none.
std::optional<FoundSplit> split_along(const torch::Tensor& logs, const torch::Tensor& weights, const Cut& cut,
                                      double floor) {
  const auto upper = logs.mv(weights) > cut.middle();
  const auto difference =
      std::get<0>(logs.index({upper}).median(0)) - std::get<0>(logs.index({upper.logical_not()}).median(0));
  if (contrast_of(difference) < kLeastContrast) {
    return std::nullopt;
  }
  const auto flat = weights.contiguous();
  const auto* first = flat.const_data_ptr<double>();
  return FoundSplit{{{first, first + flat.numel()}, cut.middle(), floor},
                    (cut.upper - cut.lower) / 2,
                    upper.to(torch::kDouble).mean().item<double>(),
                    cut.between,
                    cut.share_between,
                    std::exp(difference.mean().item<double>())};
}

}  // namespace

MaterialSplit MaterialSplit::opposite() const {
  auto other = *this;
  for (double& weight : other.weights) {
    weight = -weight;
  }
  other.offset = -offset;
  return other;
}

torch::Tensor split_values(const torch::Tensor& spectra, const MaterialSplit& split) {
  const auto bands = static_cast<std::int64_t>(split.weights.size());
  TORCH_CHECK(spectra.dim() >= 1 && spectra.size(0) == bands, "split_values: expected spectra (", bands,
              ", ...), got ", spectra.sizes());
  const auto weights = torch::tensor(split.weights, torch::kDouble);
  const auto logs = log_spectra(spectra, split.floor).reshape({bands, -1});
  return (weights.unsqueeze(0).mm(logs).squeeze(0) - split.offset).reshape(spectra.sizes().slice(1));
}

std::optional<FoundSplit> find_material_split(const torch::Tensor& spectra) {
  TORCH_CHECK(spectra.dim() == 2, "find_material_split: expected spectra (n, bands), got ", spectra.sizes());
  std::optional<FoundSplit> best;
  if (spectra.size(0) < 2 || spectra.size(1) == 0) {
    return best;
  }
  const double floor = floor_of(spectra);
  const auto logs = log_spectra(spectra, floor);
  const auto whole = centred(logs);
  // Their weights add up to zero, so that brightness does not matter.
  const auto shapes = whole - whole.mean(1, true);
  for (const auto& points : {whole, shapes}) {
    const auto components = leading_components(points);
    const auto scores = points.mm(components);
    const auto starts = torch::eye(scores.size(1), torch::kDouble);
    for (std::int64_t i = 0; i < scores.size(1); ++i) {
      const auto direction = turned(scores, starts[i]);
      if (!is_cut(direction.cut)) {
        continue;
      }
      auto weights = components.mv(direction.weights);
      if (points.is_same(shapes)) {
        weights = weights - weights.mean();
      }
      // From centred points back to spectra.
      const double shift = logs.mean(0).dot(weights).item<double>();
      auto cut = direction.cut;
      cut.lower += shift, cut.upper += shift, cut.at += shift;
      const auto found = split_along(logs, weights, cut, floor);
      if (found && (!best || found->between < best->between)) {
        best = found;
      }
    }
  }
  return best;
}

double brightness_range(const torch::Tensor& spectra) {
  const auto sorted = std::get<0>(log_spectra(spectra, floor_of(spectra)).mean(1).sort());
  const auto at = [&](double part) {
    return sorted[static_cast<std::int64_t>(part * double(sorted.numel() - 1))].item<double>();
  };
  return std::exp(at(0.99) - at(0.01));
}

}  // namespace hyperdefect::spectral
