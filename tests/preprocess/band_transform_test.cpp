// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/band_transform.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/module_checks.h"
#include "support/scenes.h"

namespace hyperdefect::preprocess {
namespace {

TEST(BandTransform, PositionsAreTheMeansOfTheBins) {
  PreprocessOptions options;
  test::expect_close(BandTransform(options, test::regular_bands(3)).positions_nm(),
                     torch::tensor({400.0, 410.0, 420.0}));
  options.bins = 2;
  test::expect_close(BandTransform(options, test::regular_bands(5)).positions_nm(),
                     torch::tensor({410.0, 435.0}));
}

TEST(BandTransform, PositionsAreNominalWithoutWavelengths) {
  const BandTransform transform({}, spectral::Bands{4, {}, {}, {}});
  test::expect_close(transform.positions_nm(), torch::tensor({400.0, 600.0, 800.0, 1000.0}));
}

TEST(BandTransform, BinsAreMeansOfNeighbouringBands) {
  PreprocessOptions options;
  options.bins = 2;
  const BandTransform transform(options, test::regular_bands(5));
  EXPECT_EQ(transform.features(), 2);
  const auto values = torch::tensor({1.0F, 2.0F, 6.0F, 10.0F, 20.0F}).view({5, 1, 1});
  test::expect_close(transform.transformed(values), torch::tensor({3.0F, 15.0F}).view({2, 1, 1}), 1e-6);
}

TEST(BandTransform, KeepsTheBandsIfThereAreFewerThanBins) {
  PreprocessOptions options;
  options.bins = 60;
  const BandTransform transform(options, test::regular_bands(5));
  EXPECT_EQ(transform.features(), 5);
  const auto values = torch::rand({5, 4, 4}, test::seeded(1));
  EXPECT_TRUE(torch::equal(transform.transformed(values), values));
}

TEST(BandTransform, LogarithmHasAFloor) {
  PreprocessOptions options;
  options.transform = Transform::log;
  options.log_floor = 0.01;
  const BandTransform transform(options, test::regular_bands(1));
  const auto values = torch::tensor({-3.0F, 0.001F, 1.0F, std::exp(1.0F)}).view({1, 1, 4});
  const float floor = std::log(0.01F);
  const auto logarithms = transform.transformed(values);
  test::expect_close(logarithms, torch::tensor({floor, floor, 0.0F, 1.0F}).view({1, 1, 4}), 1e-6);
  test::expect_close(transform.physical(logarithms), values.clamp_min(0.01), 1e-6);
}

TEST(BandTransform, LogarithmComesBeforeTheBins) {
  PreprocessOptions options;
  options.transform = Transform::log;
  options.bins = 1;
  const BandTransform transform(options, test::regular_bands(2));
  const auto values = torch::tensor({1.0F, std::exp(4.0F)}).view({2, 1, 1});
  EXPECT_NEAR(transform.transformed(values).item<float>(), 2.0, 1e-5);
}

TEST(BandTransform, RefusesOtherBands) {
  const BandTransform transform({}, test::regular_bands(5));
  EXPECT_EQ(test::refusal([&] {
              transform.transformed(torch::zeros({4, 3, 3}));
            }),
            "BandTransform: expected (5, rows, cols), got [4, 3, 3]");
}

TEST(BandTransform, PhysicalUndoesTheLogarithm) {
  PreprocessOptions options;
  options.transform = Transform::log;
  const BandTransform transform(options, test::regular_bands(2));
  const auto values = torch::tensor({0.25F, 1e-9F}).view({2, 1, 1});
  test::expect_close(transform.physical(transform.transformed(values)),
                     torch::tensor({0.25, 0.001}).view({2, 1, 1}), 1e-6);
}

}  // namespace
}  // namespace hyperdefect::preprocess
