// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/regions.h"

#include <opencv2/imgproc.hpp>

namespace hyperdefect::io {
namespace {

constexpr int kEightConnected = 8;

/// OpenCV's numbering may depend on its threads: number anew in the order of first pixels, and count.
void renumber(std::int64_t found, Regions& regions) {
  std::vector<std::int32_t> renamed(static_cast<std::size_t>(found), 0);
  auto* label = regions.labels.data_ptr<std::int32_t>();
  for (auto* const end = label + regions.labels.numel(); label != end; ++label) {
    if (*label == 0) {
      continue;
    }
    auto& name = renamed[static_cast<std::size_t>(*label)];
    if (name == 0) {
      regions.areas.push_back(0);
      name = static_cast<std::int32_t>(regions.areas.size());
    }
    *label = name;
    ++regions.areas[static_cast<std::size_t>(name - 1)];
  }
  regions.count = static_cast<std::int64_t>(regions.areas.size());
}

}  // namespace

Regions label_regions(const torch::Tensor& mask) {
  TORCH_CHECK(mask.dim() == 2 && mask.scalar_type() == torch::kBool,
              "label_regions: expected a mask (rows, cols) bool, got ", mask.sizes(), " ",
              mask.scalar_type());
  const auto rows = static_cast<int>(mask.size(0));
  const auto cols = static_cast<int>(mask.size(1));
  const auto bytes = mask.to(torch::kCPU, torch::kUInt8).contiguous();
  Regions regions{torch::zeros({rows, cols}, torch::kInt32), 0, {}};
  if (bytes.numel() == 0) {
    return regions;
  }
  const cv::Mat image(rows, cols, CV_8U, bytes.data_ptr());
  cv::Mat labels(rows, cols, CV_32S, regions.labels.data_ptr());
  renumber(cv::connectedComponents(image, labels, kEightConnected, CV_32S), regions);
  return regions;
}

torch::Tensor eroded(const torch::Tensor& mask, std::int64_t border_px) {
  TORCH_CHECK(mask.dim() == 2 && mask.scalar_type() == torch::kBool && border_px >= 0,
              "eroded: expected a mask (rows, cols) bool and a border of at least 0, got ", mask.sizes(), " ",
              mask.scalar_type(), " and ", border_px);
  if (border_px == 0 || mask.numel() == 0) {
    return mask;
  }
  auto bytes = mask.to(torch::kCPU, torch::kUInt8).contiguous().clone();
  cv::Mat image(static_cast<int>(mask.size(0)), static_cast<int>(mask.size(1)), CV_8U, bytes.data_ptr());
  const auto side = static_cast<int>(2 * border_px + 1);
  cv::erode(image, image, cv::Mat::ones(side, side, CV_8U));
  return bytes.ne(0);
}

torch::Tensor with_small_holes_filled(const torch::Tensor& mask, std::int64_t most_px) {
  const auto others = label_regions(mask.logical_not());
  auto filled = torch::zeros({others.count + 1}, torch::kBool);
  for (std::int64_t i = 0; i < others.count; ++i) {
    filled[i + 1] = others.areas[static_cast<std::size_t>(i)] <= most_px;
  }
  for (const std::int64_t dim : {0, 1}) {
    for (const std::int64_t end : {0, -1}) {
      filled.index_put_({others.labels.select(dim, end).to(torch::kInt64)}, false);
    }
  }
  const auto holes = filled.index_select(0, others.labels.flatten().to(torch::kInt64));
  return mask.logical_or(holes.reshape(mask.sizes()));
}

torch::Tensor without_small_regions(const torch::Tensor& mask, std::int64_t min_pixels) {
  const auto regions = label_regions(mask);
  auto keep = torch::zeros({regions.count + 1}, torch::kBool);
  for (std::int64_t i = 0; i < regions.count; ++i) {
    keep[i + 1] = regions.areas[static_cast<std::size_t>(i)] >= min_pixels;
  }
  return keep.index_select(0, regions.labels.flatten().to(torch::kInt64)).reshape(regions.labels.sizes());
}

}  // namespace hyperdefect::io
