// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/smooth_prior.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hyperdefect::spectral {
namespace {

TEST(SmoothCovariance, IsTheMeanOverTheLengths) {
  const auto covariance = smooth_covariance(torch::tensor({500.0, 510.0, 530.0}), {10.0, 20.0});
  ASSERT_EQ(covariance.scalar_type(), torch::kDouble);
  EXPECT_NEAR(covariance[0][1].item<double>(), (std::exp(-0.5) + std::exp(-0.125)) / 2, 1e-12);
  EXPECT_NEAR(covariance[2][0].item<double>(), (std::exp(-4.5) + std::exp(-1.125)) / 2, 1e-12);
  EXPECT_TRUE(torch::equal(covariance, covariance.t()));
  EXPECT_TRUE(torch::allclose(covariance.diagonal(), torch::ones({3}, torch::kDouble)));
}

TEST(SmoothCovariance, RefusesWrongArguments) {
  EXPECT_THROW(smooth_covariance(torch::zeros({2, 2}), {10.0}), c10::Error);
  EXPECT_THROW(smooth_covariance(torch::zeros({2}), {}), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::spectral
