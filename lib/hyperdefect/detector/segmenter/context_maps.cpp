// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/segmenter/context_maps.h"

#include <torch/utils.h>

#include <algorithm>
#include <array>

#include "hyperdefect/core/error.h"
#include "hyperdefect/detector/classical/area_norms.h"
#include "hyperdefect/image/area_filter.h"
#include "hyperdefect/image/dual_window.h"
#include "hyperdefect/image/gaussian.h"

namespace hyperdefect::detector {
namespace {

const std::vector<std::int64_t> kAreas{25, 50, 100, 200};
/// Components that the area filter looks at, and their power: less whitened than the network's, they weigh
/// noise less.
constexpr preprocess::ComponentSpec kAreaSpec{20, 0.5};
constexpr std::int64_t kSampledPixels = 1 << 16;
constexpr double kSmoothingPx = 0.5;
/// The sides of a ring's inner and outer square.
constexpr std::array<image::DualWindow, 3> kRings{{{3, 7}, {7, 15}, {13, 25}}};
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
                            const image::DualWindow& ring) {
  const auto pixels = image::background_sums(weight, ring).round();
  const auto mean =
      (image::background_sums(components * weight, ring) / pixels.clamp_min(1.0)).to(torch::kFloat);
  return norm_of(components - mean).mul(pixels.squeeze(0) > 0);
}

}  // namespace

ContextMapsImpl::ContextMapsImpl(std::int64_t components)
    : torch::nn::Module("ContextMaps"), sample_(kSampledPixels) {
  to_area_ = register_buffer("to_area", torch::ones({components}));
  to_white_ = register_buffer("to_white", torch::ones({components}));
  means_ = register_buffer("means", torch::ones({count()}));
  limit_ = register_buffer("limit", torch::zeros({1}));
}

std::int64_t ContextMapsImpl::count() const {
  return static_cast<std::int64_t>(kAreas.size() + kRings.size()) + 2;
}

void ContextMapsImpl::set_scales(const preprocess::PreprocessImpl& preprocess,
                                 const preprocess::ComponentSpec& spec) {
  const torch::NoGradGuard no_gradient;
  const auto own = preprocess.gains(spec);
  const auto inverse = torch::where(own > 0, 1 / own, 0.0);
  const auto area = preprocess.gains(
      preprocess.limited({std::min(kAreaSpec.count, spec.count), kAreaSpec.whitening_exponent}));
  to_area_.zero_().narrow(0, 0, area.size(0)).copy_(area * inverse.narrow(0, 0, area.size(0)));
  to_white_.copy_(preprocess.gains({spec.count, 0.0}) * inverse);
}

torch::Tensor ContextMapsImpl::area_norms_of(const preprocess::PreprocessImpl& preprocess,
                                             const preprocess::Preprocessed& block) {
  const auto most = preprocess.network_components().count;
  return area_norms(block,
                    preprocess.limited({std::min(kAreaSpec.count, most), kAreaSpec.whitening_exponent}),
                    kAreas, image::kTwiceAsLongAsWide);
}

torch::Tensor ContextMapsImpl::maps(const torch::Tensor& components, const torch::Tensor& valid,
                                    const torch::Tensor& known_norms) const {
  TORCH_CHECK(components.dim() == 3 && components.size(0) == to_area_.size(0), "ContextMaps: expected (",
              to_area_.size(0), ", rows, cols), got ", components.sizes());
  const auto values = components.to(torch::kCPU);
  const auto usable = valid.to(torch::kCPU);
  const auto per_component = [](const torch::Tensor& factors) {
    return factors.to(torch::kCPU).view({-1, 1, 1});
  };
  const auto filtered = [&] {
    const auto leading = (values * per_component(to_area_)).slice(0, 0, kAreaSpec.count).contiguous();
    return image::area_top_hats(leading, usable, kAreas, image::kTwiceAsLongAsWide).norm(2, 1);
  };
  std::vector<torch::Tensor> all;
  for (const auto& norms : (known_norms.defined() ? known_norms : filtered()).unbind(0)) {
    all.push_back(image::gaussian_smoothed(norms, usable, kSmoothingPx).nan_to_num(0.0));
  }
  all.push_back(norm_of(values * per_component(to_white_)));
  all.push_back(norm_of(values));
  const auto weight = usable.unsqueeze(0).to(torch::kFloat);
  for (const auto& ring : kRings) {
    all.push_back(ring_contrast(values, weight, ring));
  }
  return torch::stack(all);
}

void ContextMapsImpl::accumulate(const torch::Tensor& maps, const preprocess::Preprocessed& block) {
  sample_.add(maps, block);
}

void ContextMapsImpl::finalise() {
  const torch::NoGradGuard no_gradient;
  if (sample_.count() == 0) {
    throw InputError("too few valid pixels to learn from; check no-data values and the cube's content");
  }
  const auto seen = sample_.spectra().t();
  sample_ = preprocess::SpectrumSample(kSampledPixels);
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
  const auto area = image::area_filter_reach_px(kAreas, image::kTwiceAsLongAsWide);
  return std::max(area + image::gaussian_radius(kSmoothingPx), kRings.back().reach_px());
}

}  // namespace hyperdefect::detector
