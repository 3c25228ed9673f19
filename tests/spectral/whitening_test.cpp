// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/whitening.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"

namespace hyperdefect::spectral {
namespace {

void expect_near(const torch::Tensor& given, const torch::Tensor& expected, double tolerance = 1e-10) {
  ASSERT_EQ(given.sizes(), expected.sizes());
  EXPECT_LE((given - expected).abs().max().item<double>(), tolerance) << given << "\nexpected\n" << expected;
}

torch::Tensor identity(std::int64_t n) {
  return torch::eye(n, torch::kDouble);
}

/// A covariance with eigenvalues 1, 1/4, 1/16 … in a random basis.
torch::Tensor covariance_of(std::int64_t bands) {
  torch::manual_seed(1);
  const auto basis = std::get<0>(torch::linalg_qr(torch::randn({bands, bands}, torch::kDouble)));
  const auto values = torch::pow(0.25, torch::arange(bands, torch::kDouble));
  return (basis * values).matmul(basis.t());
}

/// The components' covariance when the spectra have this one.
torch::Tensor component_covariance(const Whitening& whitening, const torch::Tensor& covariance) {
  return whitening.forward.matmul(covariance).matmul(whitening.forward.t());
}

const torch::Tensor& no_mean() {
  static const auto mean = torch::zeros({6}, torch::kDouble);
  return mean;
}

TEST(PartialWhitening, IsAsWorkedOutByHand) {
  // w = 4, 1 and p = 1: relative weights 1, .25, their mean .625; gains sqrt(1 / 4 / .625), sqrt(.25 / 1 /
  // .625).
  const auto whitening = partial_whitening(torch::tensor({5.0, 6.0}, torch::kDouble),
                                           torch::tensor({{1.0, 0.0}, {0.0, 4.0}}, torch::kDouble), 2, 1.0);
  const double gain = std::sqrt(0.4);
  expect_near(whitening.forward, torch::tensor({{0.0, gain}, {gain, 0.0}}, torch::kDouble));
  expect_near(whitening.inverse, torch::tensor({{0.0, 1 / gain}, {1 / gain, 0.0}}, torch::kDouble));
  expect_near(whitening.eigenvalues, torch::tensor({4.0, 1.0}, torch::kDouble));
  expect_near(whitening.mean, torch::tensor({5.0, 6.0}, torch::kDouble));
}

TEST(PartialWhitening, WithPowerZeroGivesUnitVariances) {
  const auto covariance = covariance_of(6);
  const auto whitening = partial_whitening(no_mean(), covariance, 4, 0.0);
  expect_near(component_covariance(whitening, covariance), identity(4));
  expect_near(whitening.forward.matmul(whitening.inverse), identity(4));
}

TEST(PartialWhitening, LeavesVariancesByTheirPower) {
  const auto covariance = covariance_of(6);
  for (const double power : {0.25, 0.5, 1.0}) {
    const auto variances =
        component_covariance(partial_whitening(no_mean(), covariance, 5, power), covariance).diag();
    EXPECT_NEAR(variances.mean().item<double>(), 1.0, 1e-10);
    EXPECT_NEAR((variances[1] / variances[0]).item<double>(), std::pow(0.25, power), 1e-10);
  }
}

TEST(PartialWhitening, GoesBackExactlyWithAllComponents) {
  const auto whitening = partial_whitening(no_mean(), covariance_of(6), 6, 0.25);
  expect_near(whitening.inverse.matmul(whitening.forward), identity(6));
}

TEST(PartialWhitening, DropsDirectionsThatDoNotVary) {
  // Bands 1 and 3 are copies of bands 0 and 2.
  const auto small = covariance_of(3);
  const auto twice = torch::tensor({0, 0, 1, 1, 2}, torch::kLong);
  const auto covariance = small.index_select(0, twice).index_select(1, twice);
  const auto whitening = partial_whitening(torch::zeros({5}), covariance, 30, 0.25);
  EXPECT_EQ(whitening.forward.sizes(), (std::vector<std::int64_t>{3, 5}));
  expect_near(whitening.forward.matmul(whitening.inverse), identity(3));
  expect_near(whitening.forward.select(1, 0), whitening.forward.select(1, 1));
  EXPECT_NEAR(component_covariance(whitening, covariance).diag().mean().item<double>(), 1.0, 1e-10);
}

TEST(PartialWhitening, HasNoComponentsWhereNothingVaries) {
  const auto whitening = partial_whitening(torch::ones({4}), torch::zeros({4, 4}), 3, 0.5);
  EXPECT_EQ(whitening.forward.sizes(), (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(whitening.inverse.sizes(), (std::vector<std::int64_t>{4, 0}));
}

TEST(PartialWhitening, HasPositiveLargestEntries) {
  const auto axes = partial_whitening(no_mean(), covariance_of(6), 6, 0.5).forward;
  const auto largest = axes.gather(1, axes.abs().argmax(1, true));
  EXPECT_TRUE((largest > 0).all().item<bool>());
}

TEST(PartialWhitening, RefusesWrongArguments) {
  EXPECT_THROW(partial_whitening(torch::zeros({3}), identity(4), 2, 0), c10::Error);
  EXPECT_THROW(partial_whitening(torch::zeros({4}), identity(4), 0, 0), c10::Error);
}

TEST(NoiseWhitening, OrdersComponentsBySignalToNoise) {
  // Band 0 varies most but is noisiest.
  const auto signal = torch::tensor({100.0, 9.0, 16.0}, torch::kDouble).diag();
  const auto noise = torch::tensor({50.0, 1.0, 1.0}, torch::kDouble).diag();
  const auto whitening = noise_whitening(torch::zeros({3}), signal, noise, 3);
  expect_near(whitening.eigenvalues, torch::tensor({16.0, 9.0, 2.0}, torch::kDouble));
  expect_near(component_covariance(whitening, noise), identity(3));
  expect_near(component_covariance(whitening, signal), whitening.eigenvalues.diag());
  expect_near(whitening.inverse.matmul(whitening.forward), identity(3));
}

TEST(NoiseWhitening, FloorsQuietDirections) {
  const auto noise = torch::tensor({1.0, 0.0}, torch::kDouble).diag();
  const auto whitening = noise_whitening(torch::zeros({2}), identity(2), noise, 2);
  EXPECT_NEAR(whitening.eigenvalues[0].item<double>(), 1e6, 1e-3);
}

TEST(NoiseWhitening, SaysThatThereIsNoNoise) {
  try {
    noise_whitening(torch::zeros({2}), identity(2), torch::zeros({2, 2}), 2);
    FAIL() << "nothing thrown";
  } catch (const InputError& error) {
    EXPECT_STREQ(
        error.what(),
        "the noise cannot be estimated: neighbouring pixels do not differ; check the cube's content");
  }
}

TEST(SymmetricEigen, RebuildsTheMatrix) {
  const auto covariance = covariance_of(6);
  const auto eigen = symmetric_eigen(covariance);
  expect_near((eigen.vectors * eigen.values).matmul(eigen.vectors.t()), covariance);
}

}  // namespace
}  // namespace hyperdefect::spectral
