// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/band_transform.h"

#include <gtest/gtest.h>

#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
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

TEST(BandTransform, PhysicalUndoesTheLogarithm) {
  PreprocessOptions options;
  options.transform = "log";
  const BandTransform transform(options, test::regular_bands(2));
  const auto values = torch::tensor({0.25F, 1e-9F}).view({2, 1, 1});
  test::expect_close(transform.physical(transform.transformed(values)),
                     torch::tensor({0.25, 0.001}).view({2, 1, 1}), 1e-6);
}

}  // namespace
}  // namespace hyperdefect::model
