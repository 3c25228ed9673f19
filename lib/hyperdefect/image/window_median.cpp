// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/window_median.h"

#include <ATen/Parallel.h>
#include <torch/utils.h>

#include <algorithm>
#include <vector>

#include "hyperdefect/core/window.h"

namespace hyperdefect::image {
namespace {

struct Channel {
  const double* values;
  const bool* valid;
  Size size;
};

double median_within(const Channel& channel, const Window& window, std::vector<double>& kept) {
  kept.clear();
  for (auto row = window.row; row < window.end_row(); ++row) {
    for (auto at = row * channel.size.cols + window.col; at < row * channel.size.cols + window.end_col();
         ++at) {
      if (channel.valid[at]) {
        kept.push_back(channel.values[at]);
      }
    }
  }
  if (kept.empty()) {
    return 0.0;
  }
  const auto middle = kept.begin() + static_cast<std::ptrdiff_t>((kept.size() - 1) / 2);
  std::nth_element(kept.begin(), middle, kept.end());
  return *middle;
}

/// Fills rows [begin, end) of all channels, counted through.
void fill_rows(const Channel& first, std::int64_t reach, Window rows, double* medians) {
  std::vector<double> kept;
  const auto side = 2 * reach + 1;
  for (auto line = rows.row; line < rows.end_row(); ++line) {
    const auto row = line % first.size.rows;
    const Channel channel{first.values + (line - row) * first.size.cols, first.valid, first.size};
    for (std::int64_t col = 0; col < first.size.cols; ++col) {
      medians[line * first.size.cols + col] =
          median_within(channel, clipped({row - reach, col - reach, side, side}, first.size), kept);
    }
  }
}

}  // namespace

torch::Tensor window_median(const torch::Tensor& values, const torch::Tensor& valid, std::int64_t reach) {
  TORCH_CHECK(values.dim() == 3 && valid.sizes() == values.sizes().slice(1) && reach >= 0,
              "window_median: expected values (channels, rows, cols), valid (rows, cols) and a reach of 0 or "
              "more, got ",
              values.sizes(), ", ", valid.sizes(), " and ", reach);
  const torch::NoGradGuard no_gradient;
  const auto from = values.to(torch::kCPU, torch::kDouble).contiguous();
  const auto usable = valid.to(torch::kCPU, torch::kBool).contiguous();
  auto medians = torch::empty_like(from);
  const Channel first{
      from.const_data_ptr<double>(), usable.const_data_ptr<bool>(), {values.size(1), values.size(2)}};
  auto* out = medians.mutable_data_ptr<double>();
  at::parallel_for(0, values.size(0) * values.size(1), 1, [&](std::int64_t begin, std::int64_t end) {
    fill_rows(first, reach, {begin, 0, end - begin, first.size.cols}, out);
  });
  return medians.to(values.options());
}

}  // namespace hyperdefect::image
