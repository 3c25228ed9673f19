// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/context_maps.h"

#include <algorithm>
#include <array>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/pixel_sample.h"
#include "hyperdefect/spectral/area_filter.h"
#include "hyperdefect/spectral/dual_window.h"
#include "hyperdefect/spectral/gaussian.h"

namespace hyperdefect::model {
namespace {

const std::vector<std::int64_t> kAreas{25, 50, 100, 200};
/// Components that the area filter looks at, and their power: less whitened than the network's, they weigh
/// noise less.
constexpr std::int64_t kAreaComponents = 20;
constexpr double kAreaPower = 0.5;
constexpr double kSmoothingPx = 0.5;
/// The sides of a ring's inner and outer square.
constexpr std::array<spectral::DualWindow, 3> kRings{{{3, 7}, {7, 15}, {13, 25}}};
/// Keeps the logarithm finite, far below the mean.
constexpr double kLogFloor = 0.05;
constexpr double kSuspiciousPart = 0.02;

/// (rows, cols) of (components, rows, cols). Several times as fast as a norm along the first axis.
torch::Tensor norm_of(const torch::Tensor& components) {
  return components.square().sum(0).sqrt();
}

/// (rows, cols): the distance of each pixel to the mean of the valid pixels in the ring around it; 0 where
/// there are none.
torch::Tensor ring_contrast(const torch::Tensor& components, const torch::Tensor& weight,
                            const spectral::DualWindow& ring) {
  const auto pixels = spectral::background_sums(weight, ring).round();
  const auto mean =
      (spectral::background_sums(components * weight, ring) / pixels.clamp_min(1.0)).to(torch::kFloat);
  return norm_of(components - mean).mul(pixels.squeeze(0) > 0);
}

/// w_i / w_1 to the given power, 0 where there is no variance.
torch::Tensor relative(const torch::Tensor& variances, double power) {
  const auto ratio = variances / variances[0].clamp_min(1e-300);
  return torch::where(ratio > 0, ratio.pow(power), torch::zeros_like(ratio));
}

}  // namespace

ContextMapsImpl::ContextMapsImpl(std::int64_t components) : torch::nn::Module("ContextMaps") {
  to_area_ = register_buffer("to_area", torch::ones({components}));
  to_white_ = register_buffer("to_white", torch::ones({components}));
  means_ = register_buffer("means", torch::ones({count()}));
  limit_ = register_buffer("limit", torch::zeros({1}));
}

std::int64_t ContextMapsImpl::count() const {
  return static_cast<std::int64_t>(kAreas.size() + kRings.size()) + 2;
}

void ContextMapsImpl::set_variances(const torch::Tensor& variances, double power) {
  const torch::NoGradGuard no_gradient;
  to_area_.copy_(relative(variances, (kAreaPower - power) / 2));
  to_white_.copy_(relative(variances, -power / 2));
}

torch::Tensor ContextMapsImpl::maps(const torch::Tensor& components, const torch::Tensor& valid) const {
  TORCH_CHECK(components.dim() == 3 && components.size(0) == to_area_.size(0), "ContextMaps: expected (",
              to_area_.size(0), ", rows, cols), got ", components.sizes());
  const auto values = components.to(torch::kCPU);
  const auto usable = valid.to(torch::kCPU);
  const auto per_component = [](const torch::Tensor& factors) {
    return factors.to(torch::kCPU).view({-1, 1, 1});
  };
  const auto leading = (values * per_component(to_area_)).slice(0, 0, kAreaComponents).contiguous();
  std::vector<torch::Tensor> all;
  for (const auto& hats :
       spectral::area_top_hats(leading, usable, kAreas, spectral::kTwiceAsLongAsWide).unbind(0)) {
    all.push_back(spectral::gaussian_smoothed(norm_of(hats), usable, kSmoothingPx).nan_to_num(0.0));
  }
  all.push_back(norm_of(values * per_component(to_white_)));
  all.push_back(norm_of(values));
  const auto weight = usable.unsqueeze(0).to(torch::kFloat);
  for (const auto& ring : kRings) {
    all.push_back(ring_contrast(values, weight, ring));
  }
  return torch::stack(all);
}

void ContextMapsImpl::observe(const torch::Tensor& maps, const torch::Tensor& valid) {
  sample_.push_back(columns_at(maps, sampled_pixels(valid.to(torch::kCPU))));
}

void ContextMapsImpl::finish() {
  const torch::NoGradGuard no_gradient;
  const auto seen = sample_.empty() ? torch::empty({count(), 0}) : torch::cat(sample_, 1);
  sample_.clear();
  if (seen.size(1) == 0) {
    throw InputError("too few valid pixels to learn from; check no-data values and the cube's content");
  }
  const auto means = seen.mean(1);
  means_.copy_(torch::where(means > 0, means, torch::ones_like(means)));
  const auto sorted = std::get<0>(plain_score(seen).sort());
  const auto rank = static_cast<double>(sorted.numel() - 1) * (1 - kSuspiciousPart);
  limit_.fill_(sorted[static_cast<std::int64_t>(rank)]);
}

torch::Tensor ContextMapsImpl::plain_score(const torch::Tensor& maps) const {
  const auto areas = static_cast<std::int64_t>(kAreas.size());
  const auto means = means_.to(maps.device());
  auto score = maps[areas] / means[areas];
  for (std::int64_t area = 0; area < areas; ++area) {
    score = score + maps[area] / (means[area] * static_cast<double>(areas));
  }
  return score;
}

torch::Tensor ContextMapsImpl::logarithms(const torch::Tensor& maps) const {
  return (maps / means_.to(maps.device()).view({-1, 1, 1}) + kLogFloor).log();
}

torch::Tensor ContextMapsImpl::suspicious(const torch::Tensor& maps) const {
  return plain_score(maps) > limit_.to(maps.device());
}

std::int64_t ContextMapsImpl::halo() {
  const auto area = spectral::area_filter_reach_px(kAreas, spectral::kTwiceAsLongAsWide);
  return std::max(area + spectral::gaussian_radius(kSmoothingPx), kRings.back().reach_px());
}

}  // namespace hyperdefect::model
