// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/spectrum_sample.h"

#include <gtest/gtest.h>

#include "support/module_checks.h"

namespace hyperdefect::model {
namespace {

constexpr Window kWindow{2, 3, 20, 30};

torch::Tensor all_valid() {
  return torch::ones({kWindow.rows, kWindow.cols}, torch::kBool);
}

/// (1, rows, cols): numbers from `first` on.
torch::Tensor numbered(std::int64_t first) {
  return torch::arange(first, first + kWindow.pixels(), torch::kFloat).view({1, kWindow.rows, kWindow.cols});
}

SpectrumSample sample_of_three_blocks(std::int64_t capacity) {
  SpectrumSample sample(capacity);
  for (const std::int64_t first : {0, 600, 1200}) {
    sample.add(numbered(first), all_valid(), kWindow);
  }
  return sample;
}

TEST(SpectrumSample, KeepsEverythingWhereThereIsRoom) {
  const auto sample = sample_of_three_blocks(2000);
  EXPECT_EQ(sample.count(), 1800);
  const auto sorted = std::get<0>(sample.spectra().flatten().sort());
  EXPECT_TRUE(torch::equal(sorted, torch::arange(1800, torch::kFloat)));
}

TEST(SpectrumSample, IsEvenOverBlocksAndRepeatable) {
  const auto sample = sample_of_three_blocks(300);
  EXPECT_EQ(sample.count(), 300);
  const auto per_block = torch::histc(sample.spectra(), 3, 0, 1799);
  EXPECT_LT((per_block - 100).abs().max().item<float>(), 30) << per_block;
  EXPECT_TRUE(torch::equal(sample_of_three_blocks(300).spectra(), sample.spectra()));
}

TEST(SpectrumSample, TakesValidPixelsOnly) {
  auto valid = all_valid();
  valid.slice(0, 1).fill_(false);
  SpectrumSample sample(100);
  EXPECT_EQ(sample.count(), 0);
  sample.add(numbered(0), torch::zeros_like(valid), kWindow);
  EXPECT_EQ(sample.count(), 0);
  sample.add(numbered(0), valid, kWindow);
  EXPECT_EQ(sample.count(), kWindow.cols);
  EXPECT_LT(sample.spectra().max().item<float>(), static_cast<float>(kWindow.cols));
}

TEST(SpectrumSample, RefusesWrongShapes) {
  SpectrumSample sample(100);
  EXPECT_EQ(test::refusal([&] {
              sample.add(numbered(0), torch::ones({2, 2}, torch::kBool), kWindow);
            }),
            "SpectrumSample: expected values (channels, rows, cols) and valid (rows, cols), got [1, 20, 30] "
            "and [2, 2]");
}

}  // namespace
}  // namespace hyperdefect::model
