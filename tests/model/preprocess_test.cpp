// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/preprocess.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

constexpr std::int64_t kBands = 5;

PreprocessOptions options_with(std::int64_t components, double power = 0.0) {
  PreprocessOptions options;
  options.components = components;
  options.power = power;
  return options;
}

/// (5, 20, 20): correlated values with variances from 9 down to about 0.05.
torch::Tensor correlated() {
  auto generator = test::seeded(1);
  const auto mix = torch::randn({kBands, kBands}, generator, torch::kFloat) + 2 * torch::eye(kBands);
  const auto spread = torch::tensor({3.0F, 1.5F, 0.8F, 0.4F, 0.2F}).view({-1, 1});
  const auto pixels = mix.matmul(spread * torch::randn({kBands, 400}, generator, torch::kFloat)) + 7;
  return pixels.view({kBands, 20, 20});
}

torch::Tensor all_valid(const torch::Tensor& values) {
  return torch::ones({values.size(1), values.size(2)}, torch::kBool);
}

Preprocess fitted(const PreprocessOptions& options, const torch::Tensor& values) {
  Preprocess preprocess(options, spectral::Bands{values.size(0), {}, {}, {}});
  preprocess->bind(preprocess->bands());
  const auto transformed = preprocess->transformed(preprocess->matched(values));
  preprocess->observe(transformed, all_valid(values));
  preprocess->finish();
  return preprocess;
}

/// Divided by the number of pixels.
torch::Tensor covariance(const torch::Tensor& values) {
  const auto pixels = values.flatten(1).to(torch::kDouble);
  const auto centred = pixels - pixels.mean(1, true);
  return centred.matmul(centred.t()) / static_cast<double>(pixels.size(1));
}

TEST(Preprocess, BinsAreMeansOfNeighbouringBands) {
  auto options = options_with(2);
  options.bins = 2;
  Preprocess preprocess(options, spectral::Bands{kBands, {}, {}, {}});
  EXPECT_EQ(preprocess->features(), 2);
  const auto values = torch::tensor({1.0F, 2.0F, 6.0F, 10.0F, 20.0F}).view({kBands, 1, 1});
  test::expect_close(preprocess->transformed(values), torch::tensor({3.0F, 15.0F}).view({2, 1, 1}), 1e-6);
}

TEST(Preprocess, KeepsTheBandsWhereThereAreFewerThanBins) {
  auto options = options_with(30);
  options.bins = 60;
  Preprocess preprocess(options, spectral::Bands{kBands, {}, {}, {}});
  EXPECT_EQ(preprocess->features(), kBands);
  EXPECT_EQ(preprocess->components(), kBands);
  const auto values = correlated();
  EXPECT_TRUE(torch::equal(preprocess->transformed(values), values));
}

TEST(Preprocess, LogarithmHasAFloorAndAnInverse) {
  auto options = options_with(1);
  options.transform = "log";
  options.log_floor = 0.01;
  Preprocess preprocess(options, spectral::Bands{1, {}, {}, {}});
  const auto values = torch::tensor({-3.0F, 0.001F, 1.0F, std::exp(1.0F)}).view({1, 1, 4});
  const float floor = std::log(0.01F);
  const auto logs = preprocess->transformed(values);
  test::expect_close(logs, torch::tensor({floor, floor, 0.0F, 1.0F}).view({1, 1, 4}), 1e-6);
  test::expect_close(preprocess->physical(logs), values.clamp_min(0.01), 1e-6);
}

TEST(Preprocess, LogarithmComesBeforeTheBins) {
  auto options = options_with(1);
  options.transform = "log";
  options.bins = 1;
  Preprocess preprocess(options, spectral::Bands{2, {}, {}, {}});
  const auto values = torch::tensor({1.0F, std::exp(4.0F)}).view({2, 1, 1});
  EXPECT_NEAR(preprocess->transformed(values).item<float>(), 2.0, 1e-5);
}

class WhitenedVariances : public ::testing::TestWithParam<double> {};

TEST_P(WhitenedVariances, AreTheEigenvaluesToThePower) {
  const auto values = correlated();
  auto preprocess = fitted(options_with(kBands, GetParam()), values);
  const auto got = covariance(preprocess->whitened(values, all_valid(values)));
  const auto eigenvalues = std::get<0>(torch::linalg_eigh(covariance(values))).flip(0);
  const auto relative = (eigenvalues / eigenvalues[0]).pow(GetParam());
  test::expect_close(got, torch::diag(relative / relative.mean()), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Powers, WhitenedVariances, ::testing::Values(0.0, 0.25, 1.0));

TEST(Preprocess, BandAxisKeepsAllDistances) {
  const auto values = correlated();
  auto preprocess = fitted(options_with(3, 0.25), values);
  const auto components = preprocess->whitened(values, all_valid(values));
  const auto back =
      preprocess->band_axes().matmul(components.flatten(1)).view({kBands, values.size(1), values.size(2)});
  const auto distances = [](const torch::Tensor& maps) {
    const auto pixels = maps.flatten(1).t().contiguous();
    return torch::cdist(pixels, pixels.slice(0, 0, 10));
  };
  test::expect_close(distances(back), distances(components), 1e-3);
}

TEST(Preprocess, SpectraInvertWhiteningWhereAllComponentsAreKept) {
  const auto values = correlated().abs() + 0.1;
  for (const char* transform : {"none", "log"}) {
    auto options = options_with(kBands, 0.25);
    options.transform = transform;
    auto preprocess = fitted(options, values);
    const auto components = preprocess->whitened(preprocess->transformed(values), all_valid(values));
    test::expect_close(preprocess->spectra(components), values, 1e-4);
    test::expect_close(preprocess->spectra(components.unsqueeze(0)), values.unsqueeze(0), 1e-4);
  }
}

TEST(Preprocess, FewerComponentsGiveTheNearestSpectra) {
  const auto values = correlated();
  auto preprocess = fitted(options_with(2), values);
  const auto rest = preprocess->spectra(preprocess->whitened(values, all_valid(values))) - values;
  const auto eigenvalues = std::get<0>(torch::linalg_eigh(covariance(values)));
  EXPECT_NEAR(rest.square().sum(0).mean().item<double>(), eigenvalues.slice(0, 0, 3).sum().item<double>(),
              1e-3);
}

TEST(Preprocess, ChangeOfASpectrumIsAChangeOfItsComponents) {
  const auto values = correlated();
  auto preprocess = fitted(options_with(3), values);
  const auto change = torch::linspace(-1.0, 1.0, kBands).view({kBands, 1, 1}).expand_as(values);
  const auto valid = all_valid(values);
  test::expect_close(preprocess->whitened_change(change),
                     preprocess->whitened(values + change, valid) - preprocess->whitened(values, valid),
                     1e-4);
}

TEST(Preprocess, InvalidPixelsHaveZeroComponentsAndNoStatistics) {
  const auto values = correlated();
  auto spoiled = values.clone();
  auto valid = all_valid(values);
  spoiled.select(2, 0).fill_(std::numeric_limits<float>::quiet_NaN());
  valid.select(1, 0).fill_(false);
  Preprocess preprocess(options_with(kBands), spectral::Bands{kBands, {}, {}, {}});
  preprocess->observe(spoiled, valid);
  preprocess->finish();
  const auto components = preprocess->whitened(spoiled, valid);
  EXPECT_TRUE(torch::equal(components.select(2, 0), torch::zeros({kBands, 20})));
  test::expect_close(covariance(components.slice(2, 1)), torch::eye(kBands), 1e-4);
}

TEST(Preprocess, RxDistanceIsMahalanobis) {
  const auto values = correlated();
  auto preprocess = fitted(options_with(2), values);
  const auto centred = (values - values.mean({1, 2}, true)).flatten(1).to(torch::kDouble);
  const auto sample = covariance(values) * (400.0 / 399.0);
  const auto wanted = (centred * torch::linalg_inv(sample).matmul(centred)).sum(0).sqrt().view({20, 20});
  test::expect_close(preprocess->rx_distance(values), wanted, 1e-3);
}

TEST(Preprocess, DirectionsThatDoNotVaryBecomeZeroComponents) {
  auto values = correlated();
  values[4] = values[3];
  auto preprocess = fitted(options_with(kBands), values);
  const auto components = preprocess->whitened(values, all_valid(values));
  EXPECT_TRUE(torch::isfinite(components).all().item<bool>());
  EXPECT_EQ(components[4].abs().max().item<float>(), 0.0F);
  test::expect_close(preprocess->spectra(components), values, 1e-3);
}

TEST(Preprocess, SaysThatThereIsTooLittleToLearnFrom) {
  const spectral::Bands bands{2, {}, {}, {}};
  Preprocess unseen(options_with(2), bands);
  HYPERDEFECT_EXPECT_ERROR(
      unseen->finish(), InputError,
      "too few valid pixels to learn from: 0, at least 2 are needed; check no-data values and "
      "the cube's content");
  Preprocess one(options_with(2), bands);
  one->observe(torch::ones({2, 1, 2}), torch::tensor({{true, false}}));
  HYPERDEFECT_EXPECT_ERROR(one->finish(), InputError, "too few valid pixels to learn from: 1,");
  Preprocess flat(options_with(2), bands);
  flat->observe(torch::ones({2, 4, 4}), torch::ones({4, 4}, torch::kBool));
  HYPERDEFECT_EXPECT_ERROR(flat->finish(), InputError,
                           "all valid pixels have the same spectrum: there is nothing to learn from");
}

TEST(Preprocess, ChecksItsInput) {
  Preprocess preprocess(options_with(2), spectral::Bands{kBands, {}, {}, {}});
  EXPECT_EQ(test::refusal([&] {
              preprocess->transformed(torch::zeros({4, 3, 3}));
            }),
            "BandTransform: expected (5, rows, cols), got [4, 3, 3]");
  EXPECT_EQ(test::refusal([&] {
              preprocess->matched(torch::zeros({5, 3, 3}));
            }),
            "BandTransform: bind() to a cube's bands first");
}

TEST(Preprocess, PrintsWhatItDoes) {
  auto options = options_with(3, 0.25);
  options.bins = 4;
  EXPECT_EQ(test::printed(*Preprocess(options, spectral::Bands{kBands, {}, {}, {}})),
            "Preprocess(bands=5, transform=none, bins=4, components=3, power=0.25)");
}

}  // namespace
}  // namespace hyperdefect::model
