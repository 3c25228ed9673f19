// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/defect_likelihood.h"

#include <torch/utils.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::spectral {
namespace {

constexpr std::array kAmplitudes{0.02, 0.05, 0.1, 0.3, 1.0};
constexpr auto kAmplitudeCount = static_cast<double>(kAmplitudes.size());
constexpr std::int64_t kSquarePixels = 4;

/// (amplitudes, n): the variances that a defect adds along the axes, for each amplitude.
torch::Tensor added_variances(const torch::Tensor& gains) {
  std::vector<torch::Tensor> rows;
  for (const double amplitude : kAmplitudes) {
    rows.push_back(gains * (amplitude * amplitude));
  }
  return torch::stack(rows);
}

/// The logarithm of how much likelier `count` pixels with one defect are than as many without, (pixels), from
/// the squares (n, pixels) of their sum along the axes of a part. With v the variance that the defect adds
/// along an axis it is 1/2 v s^2 / (1 + count v) - 1/2 log(1 + count v), added up over the axes.
torch::Tensor evidence(const torch::Tensor& gains, const torch::Tensor& squares, double count) {
  const auto added = added_variances(gains);
  const auto total = 1 + count * added;
  const auto each = (0.5 * added / total).matmul(squares) - 0.5 * total.log().sum(1).unsqueeze(1);
  return each.logsumexp(0) - std::log(kAmplitudeCount);
}

/// (n, pixels): y of a part for the values (n, pixels).
torch::Tensor along_axes(const DefectLikelihood& model, std::int64_t part, const torch::Tensor& values) {
  return model.forward[part].matmul(values - model.means[part].unsqueeze(1));
}

/// (pixels): weight times density of a part, as a logarithm but for what all parts share.
torch::Tensor log_density(const DefectLikelihood& model, std::int64_t part, const torch::Tensor& axes) {
  return model.constants[part] - 0.5 * axes.square().sum(0);
}

void check_values(const DefectLikelihood& model, const torch::Tensor& values, const char* function) {
  TORCH_CHECK(values.dim() == 3 && values.size(0) == model.means.size(1), function, ": expected (",
              model.means.size(1), ", rows, cols), got ", values.sizes());
}

/// evidence() of sums (n, rows, cols) over so many valid pixels each, count (rows, cols).
torch::Tensor shared_evidence(const torch::Tensor& gains, const torch::Tensor& sums,
                              const torch::Tensor& count) {
  const auto squares = sums.flatten(1).square();
  const auto counts = count.flatten();
  auto result = torch::zeros({squares.size(1)}, squares.options());
  for (std::int64_t pixels = 1; pixels <= kSquarePixels; ++pixels) {
    const auto at = counts.eq(pixels).nonzero().squeeze(1);
    if (at.numel() > 0) {
      result.index_put_({at}, evidence(gains, squares.index_select(1, at), static_cast<double>(pixels)));
    }
  }
  return result.view(count.sizes());
}

/// Sums (..., rows + 1, cols + 1) over all squares of 2 x 2 pixels that hold a pixel of the map (..., rows,
/// cols).
torch::Tensor square_sums(const torch::Tensor& map) {
  const auto padded = torch::constant_pad_nd(map, {1, 1, 1, 1});
  const auto pairs = padded.slice(-1, 0, -1) + padded.slice(-1, 1);
  return pairs.slice(-2, 0, -1) + pairs.slice(-2, 1);
}

/// For one part of the mixture; axes (n, rows, cols) are 0 and valid (rows, cols) int64 is 0 where a pixel is
/// invalid.
torch::Tensor best_square(const torch::Tensor& gains, const torch::Tensor& axes, const torch::Tensor& valid) {
  const auto rows = valid.size(0);
  const auto cols = valid.size(1);
  const auto sums = square_sums(axes);
  const auto counts = square_sums(valid);
  const auto together = shared_evidence(gains, sums, counts);
  auto best = torch::full({rows, cols}, -std::numeric_limits<double>::infinity(), axes.options());
  for (const std::int64_t row : {0, 1}) {
    for (const std::int64_t col : {0, 1}) {
      const auto square = [&](const torch::Tensor& map) {
        return map.narrow(-2, row, rows).narrow(-1, col, cols);
      };
      const auto others = square(counts) - valid;
      const auto gain = square(together) - shared_evidence(gains, square(sums) - axes, others);
      best = torch::where(others.gt(0), torch::maximum(best, gain), best);
    }
  }
  return torch::where(best.isinf(), 0.0, best);
}

}  // namespace

DefectLikelihood defect_likelihood(const NormalMixture& normal, const torch::Tensor& defect) {
  const auto size = normal.means.size(1);
  TORCH_CHECK(defect.dim() == 2 && defect.size(0) == size && defect.size(1) == size,
              "defect_likelihood: expected a covariance (", size, ", ", size, "), got ", defect.sizes());
  const torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> constants, to, gains;
  for (std::int64_t part = 0; part < normal.weights.size(0); ++part) {
    const auto root = torch::linalg_cholesky(normal.covariances[part]);
    const auto whiten = torch::linalg_inv(root);
    const auto axes = symmetric_eigen(whiten.matmul(defect.to(torch::kDouble)).matmul(whiten.t()));
    constants.push_back(normal.weights[part].log() - root.diagonal().log().sum());
    to.push_back(axes.vectors.t().matmul(whiten));
    gains.push_back(axes.values.clamp_min(0));
  }
  return {torch::stack(constants), normal.means.clone(), torch::stack(to), torch::stack(gains)};
}

torch::Tensor defect_ratio(const DefectLikelihood& model, const torch::Tensor& values) {
  check_values(model, values, "defect_ratio");
  const torch::NoGradGuard no_gradient;
  const auto pixels = values.to(torch::kDouble).flatten(1);
  std::vector<torch::Tensor> normal, defective;
  for (std::int64_t part = 0; part < model.constants.size(0); ++part) {
    const auto axes = along_axes(model, part, pixels);
    normal.push_back(log_density(model, part, axes));
    defective.push_back(normal.back() + evidence(model.gains[part], axes.square(), 1.0));
  }
  const auto ratio = torch::stack(defective).logsumexp(0) - torch::stack(normal).logsumexp(0);
  return ratio.view({values.size(1), values.size(2)});
}

torch::Tensor shared_defect_ratio(const DefectLikelihood& model, const torch::Tensor& values,
                                  const torch::Tensor& valid) {
  check_values(model, values, "shared_defect_ratio");
  TORCH_CHECK(valid.sizes() == values.sizes().slice(1), "shared_defect_ratio: expected valid ",
              values.sizes().slice(1), ", got ", valid.sizes());
  const torch::NoGradGuard no_gradient;
  const auto pixels = values.to(torch::kDouble).flatten(1);
  const auto counted = valid.to(torch::kLong);
  std::vector<torch::Tensor> normal, shared;
  for (std::int64_t part = 0; part < model.constants.size(0); ++part) {
    const auto axes = along_axes(model, part, pixels);
    normal.push_back(log_density(model, part, axes));
    const auto usable = torch::where(valid, axes.view(values.sizes()), 0.0);
    shared.push_back(best_square(model.gains[part], usable, counted).flatten());
  }
  const auto ratio = (torch::stack(normal).softmax(0) * torch::stack(shared)).sum(0);
  return torch::where(valid, ratio.view(valid.sizes()), 0.0);
}

}  // namespace hyperdefect::spectral
