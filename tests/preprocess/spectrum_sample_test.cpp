// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/spectrum_sample.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/module_checks.h"

namespace hyperdefect::preprocess {
namespace {

constexpr Window kWindow{2, 3, 20, 30};

torch::Tensor all_valid() {
  return torch::ones({kWindow.rows, kWindow.cols}, torch::kBool);
}

/// (1, rows, cols): numbers from `first` on.
torch::Tensor numbered(std::int64_t first) {
  return torch::arange(first, first + kWindow.pixels(), torch::kFloat).view({1, kWindow.rows, kWindow.cols});
}

SpectrumSample sample_of_three_cubes(std::int64_t capacity) {
  SpectrumSample sample(capacity);
  for (const std::int64_t cube : {0, 1, 2}) {
    sample.add(numbered(600 * cube), all_valid(), kWindow, cube);
  }
  return sample;
}

TEST(SpectrumSample, KeepsEverythingIfThereIsRoom) {
  const auto sample = sample_of_three_cubes(2000);
  EXPECT_EQ(sample.count(), 1800);
  const auto sorted = std::get<0>(sample.spectra().flatten().sort());
  EXPECT_TRUE(torch::equal(sorted, torch::arange(1800, torch::kFloat)));
}

TEST(SpectrumSample, IsEvenOverCubesAndRepeatable) {
  const auto sample = sample_of_three_cubes(300);
  EXPECT_EQ(sample.count(), 300);
  const auto per_cube = torch::histc(sample.spectra(), 3, 0, 1799);
  EXPECT_LT((per_cube - 100).abs().max().item<float>(), 30) << per_cube;
  EXPECT_TRUE(torch::equal(sample_of_three_cubes(300).spectra(), sample.spectra()));
}

TEST(SpectrumSample, TakesCountedPixelsOnly) {
  auto valid = all_valid();
  valid.slice(0, 1).fill_(false);
  SpectrumSample sample(100);
  EXPECT_EQ(sample.count(), 0);
  sample.add(numbered(0), torch::zeros_like(valid), kWindow, 0);
  EXPECT_EQ(sample.count(), 0);
  sample.add(numbered(0), valid, kWindow, 0);
  EXPECT_EQ(sample.count(), kWindow.cols);
  EXPECT_LT(sample.spectra().max().item<float>(), static_cast<float>(kWindow.cols));
}

TEST(SpectrumSample, DoesNotDependOnHowTheCubesAreCut) {
  const auto whole_cubes = sample_of_three_cubes(300);
  SpectrumSample in_pieces(300);
  // Of several cubes in turn, each in pieces that overlap but count once.
  for (const std::int64_t row : {12, 0, 5}) {
    for (const std::int64_t cube : {2, 0, 1}) {
      const auto end = row == 0 ? 5 : row == 5 ? 12 : kWindow.rows;
      const auto last = std::min<std::int64_t>(kWindow.rows, end + 3);
      auto counted = torch::zeros({last - row, kWindow.cols}, torch::kBool);
      counted.slice(0, 0, end - row).fill_(true);
      in_pieces.add(numbered(600 * cube).slice(1, row, last), counted,
                    {kWindow.row + row, kWindow.col, last - row, kWindow.cols}, cube);
    }
  }
  EXPECT_TRUE(torch::equal(in_pieces.spectra(), whole_cubes.spectra()));
}

TEST(SpectrumSample, RefusesWrongShapes) {
  SpectrumSample sample(100);
  EXPECT_EQ(test::refusal([&] {
              sample.add(numbered(0), torch::ones({2, 2}, torch::kBool), kWindow, 0);
            }),
            "SpectrumSample: expected maps (channels, rows, cols) and counted (rows, cols), got [1, 20, 30] "
            "and [2, 2]");
}

}  // namespace
}  // namespace hyperdefect::preprocess
