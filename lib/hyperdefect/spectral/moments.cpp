// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/moments.h"

#include <torch/utils.h>

#include <algorithm>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::spectral {
namespace {

/// Pixels that are held in double at a time.
constexpr std::int64_t kChunk = 8192;

void need(std::int64_t least, std::int64_t given) {
  if (given < least) {
    throw InputError(text::concat("too few valid pixels for statistics: ", given, " given, at least ", least,
                                  " needed; check the no-data value and the cube's content"));
  }
}

torch::Tensor valid_columns(const torch::Tensor& columns, const torch::Tensor& valid) {
  return valid.all().item<bool>() ? columns : columns.index_select(1, valid.nonzero().squeeze(1));
}

}  // namespace

Moments::Moments(std::int64_t bands)
    : mean_(torch::zeros({bands}, torch::kDouble)), scatter_(torch::zeros({bands, bands}, torch::kDouble)) {}

void Moments::add(const torch::Tensor& values) {
  TORCH_CHECK(values.dim() == 2 && values.size(1) == bands(), "Moments: expected (n, ", bands(), "), got ",
              values.sizes());
  const torch::NoGradGuard no_gradient;
  for (std::int64_t begin = 0; begin < values.size(0); begin += kChunk) {
    add_columns(values.slice(0, begin, begin + kChunk).t());
  }
}

void Moments::add(const Block& block) {
  TORCH_CHECK(block.values.dim() == 3 && block.values.size(0) == bands() &&
                  block.valid.sizes() == block.values.sizes().slice(1),
              "Moments: expected values (", bands(), ", rows, cols) and valid (rows, cols), got ",
              block.values.sizes(), " and ", block.valid.sizes());
  const torch::NoGradGuard no_gradient;
  const auto columns = block.values.flatten(1);
  const auto valid = block.valid.flatten();
  for (std::int64_t begin = 0; begin < columns.size(1); begin += kChunk) {
    add_columns(
        valid_columns(columns.slice(1, begin, begin + kChunk), valid.slice(0, begin, begin + kChunk)));
  }
}

void Moments::add_columns(const torch::Tensor& columns) {
  if (columns.size(1) == 0) {
    return;
  }
  const auto spectra = columns.to(torch::kCPU, torch::kDouble);
  const auto mean = spectra.mean(1);
  const auto centred = spectra - mean.unsqueeze(1);
  merge(columns.size(1), mean, centred.matmul(centred.t()));
}

void Moments::merge(const Moments& other) {
  TORCH_CHECK(other.bands() == bands(), "Moments: expected ", bands(), " bands to merge, got ",
              other.bands());
  merge(other.count_, other.mean_, other.scatter_);
}

void Moments::merge(std::int64_t count, const torch::Tensor& mean, const torch::Tensor& scatter) {
  if (count == 0) {
    return;
  }
  const auto total = static_cast<double>(count_ + count);
  const auto shift = mean - mean_;
  const auto between = static_cast<double>(count_) * static_cast<double>(count) / total;
  scatter_ = scatter_ + scatter + between * torch::outer(shift, shift);
  mean_ = mean_ + shift * (static_cast<double>(count) / total);
  count_ += count;
}

torch::Tensor Moments::mean() const {
  need(1, count_);
  return mean_.clone();
}

torch::Tensor Moments::covariance(bool sample) const {
  need(sample ? 2 : 1, count_);
  return scatter_ / static_cast<double>(sample ? count_ - 1 : count_);
}

void NoiseMoments::add(const Block& block) {
  const torch::NoGradGuard no_gradient;
  const auto left = block.values.slice(2, 0, -1);
  const auto right = block.values.slice(2, 1);
  const auto both = block.valid.slice(1, 0, -1).logical_and(block.valid.slice(1, 1));
  differences_.add(Block{right - left, both, {}, {}});
}

}  // namespace hyperdefect::spectral
