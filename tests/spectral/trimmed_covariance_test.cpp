// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/trimmed_covariance.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::spectral {
namespace {

/// (n, 3) of a normal distribution with this covariance.
torch::Tensor normal_samples(std::int64_t count, const torch::Tensor& covariance) {
  torch::manual_seed(2);
  return torch::randn({count, 3}, torch::kDouble).matmul(torch::linalg_cholesky(covariance).t());
}

torch::Tensor example_covariance() {
  return torch::tensor({{4.0, 1.0, 0.0}, {1.0, 2.0, 0.5}, {0.0, 0.5, 1.0}}, torch::kDouble);
}

void expect_near_example(const torch::Tensor& covariance, double tolerance) {
  EXPECT_LT((covariance - example_covariance()).abs().max().item<double>(), tolerance) << covariance;
}

TEST(TrimmedCovariance, IsThatOfNormalSamples) {
  expect_near_example(trimmed_covariance(normal_samples(20000, example_covariance())), 0.15);
}

TEST(TrimmedCovariance, LeavesOutliersOut) {
  auto samples = normal_samples(20000, example_covariance());
  samples.slice(0, 0, 1000).mul_(50);
  expect_near_example(trimmed_covariance(samples), 0.4);
  EXPECT_GT(trimmed_covariance(samples, {0.8, 0})[0][0].item<double>(), 4.3);
}

TEST(TrimmedCovariance, ScalesWithTheSamples) {
  const auto samples = normal_samples(500, example_covariance());
  const auto once = trimmed_covariance(samples);
  EXPECT_TRUE(torch::allclose(trimmed_covariance(samples * 1e-4), once * 1e-8, 1e-6, 0.0));
}

TEST(TrimmedCovariance, TakesTheLastOneThatVaries) {
  auto samples = torch::zeros({100, 2}, torch::kDouble);
  samples[0][0] = 1.0;
  EXPECT_NEAR(trimmed_covariance(samples)[0][0].item<double>(), 0.01, 1e-12);
  EXPECT_EQ(trimmed_covariance(torch::ones({5, 2})).abs().max().item<double>(), 0.0);
}

TEST(TrimmedCovariance, ManagesFewerSamplesThanBands) {
  torch::manual_seed(3);
  for (const std::int64_t count : {2, 3, 9}) {
    const auto covariance = trimmed_covariance(torch::randn({count, 12}));
    EXPECT_TRUE(torch::allclose(covariance, covariance.t())) << count;
    const auto variances = torch::linalg_eigvalsh(covariance);
    const auto largest = variances[11].item<double>();
    EXPECT_GT(largest, 0.0) << count;
    // So few samples span so few directions, about their mean.
    EXPECT_LT(variances.slice(0, 0, 12 - (count - 1)).abs().max().item<double>(), 1e-9 * largest) << count;
  }
}

TEST(TrimmedCovariance, NeedsTwoSamples) {
  HYPERDEFECT_EXPECT_ERROR(trimmed_covariance(torch::ones({1, 3})), InputError,
                           "too few valid pixels for statistics: 1 given");
  EXPECT_THROW(trimmed_covariance(torch::ones({3})), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::spectral
