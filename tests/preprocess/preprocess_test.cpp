// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/preprocess.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/preprocess/preprocessed.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/scenes.h"

namespace hyperdefect::preprocess {
namespace {

constexpr std::int64_t kBands = 5;

ComponentSpec spec_with(std::int64_t components, double whitening_exponent = 0.0) {
  return {components, whitening_exponent};
}

/// (5, 20, 20): correlated values with variances from 9 down to about 0.05.
torch::Tensor correlated() {
  auto generator = test::seeded(1);
  const auto mix = torch::randn({kBands, kBands}, generator, torch::kFloat) + 2 * torch::eye(kBands);
  const auto spread = torch::tensor({3.0F, 1.5F, 0.8F, 0.4F, 0.2F}).view({-1, 1});
  const auto pixels = mix.matmul(spread * torch::randn({kBands, 400}, generator, torch::kFloat)) + 7;
  return pixels.view({kBands, 20, 20});
}

Preprocess preprocess_for(std::int64_t bands, const PreprocessOptions& options = {},
                          std::int64_t components = kBands) {
  return Preprocess(options, spectral::Bands{bands, {}, {}, {}}, components);
}

/// A pass; whether another one is wanted.
bool accumulated(Preprocess& preprocess, const std::vector<spectral::Block>& blocks) {
  for (const auto& block : blocks) {
    preprocess->accumulate(Preprocessed(*preprocess, block));
  }
  return preprocess->finalise();
}

Preprocess fitted(const torch::Tensor& values, const PreprocessOptions& options = {},
                  std::int64_t components = kBands) {
  auto preprocess = preprocess_for(values.size(0), options, components);
  while (accumulated(preprocess, {test::whole_block(values)})) {
  }
  return preprocess;
}

torch::Tensor components_of(const Preprocess& preprocess, const torch::Tensor& values,
                            const ComponentSpec& spec) {
  return Preprocessed(*preprocess, test::whole_block(values)).components(spec);
}

/// Divided by the number of pixels.
torch::Tensor covariance(const torch::Tensor& values) {
  const auto pixels = values.flatten(1).to(torch::kDouble);
  const auto centred = pixels - pixels.mean(1, true);
  return centred.matmul(centred.t()) / static_cast<double>(pixels.size(1));
}

TEST(Preprocess, TakesNoMoreComponentsThanThereAreFeatures) {
  PreprocessOptions options;
  options.bins = 60;
  options.components = 30;
  const auto preprocess = preprocess_for(kBands, options, 30);
  EXPECT_EQ(preprocess->features(), kBands);
  EXPECT_EQ(preprocess->limited(spec_with(30)).count, kBands);
  EXPECT_EQ(preprocess->limited(spec_with(3)).count, 3);
  EXPECT_EQ(preprocess->network_components().count, kBands);
  const auto values = correlated();
  EXPECT_TRUE(torch::equal(preprocess->features_of(values), values));
}

TEST(Preprocess, SaysWhetherItsFeaturesAreTheValues) {
  PreprocessOptions options;
  EXPECT_TRUE(preprocess_for(kBands, options)->keeps_values());
  options.bins = kBands;
  EXPECT_TRUE(preprocess_for(kBands, options)->keeps_values());
  options.bins = 2;
  EXPECT_FALSE(preprocess_for(kBands, options)->keeps_values());
  options = {};
  options.transform = Transform::log;
  EXPECT_FALSE(preprocess_for(kBands, options)->keeps_values());
  options = {};
  options.trim_fraction = 0.1;
  EXPECT_FALSE(preprocess_for(kBands, options)->keeps_values());
}

class WhitenedVariances : public ::testing::TestWithParam<double> {};

TEST_P(WhitenedVariances, AreTheEigenvaluesToThePower) {
  const auto values = correlated();
  const auto got = covariance(components_of(fitted(values), values, spec_with(kBands, GetParam())));
  const auto eigenvalues = std::get<0>(torch::linalg_eigh(covariance(values))).flip(0);
  const auto relative = (eigenvalues / eigenvalues[0]).pow(GetParam());
  test::expect_close(got, torch::diag(relative / relative.mean()), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Powers, WhitenedVariances, ::testing::Values(0.0, 0.25, 1.0));

TEST(Preprocess, ComponentsOfEachKindComeFromOneFit) {
  const auto values = correlated();
  const auto all = fitted(values);
  const auto two = fitted(values, {}, 2);
  for (const double whitening_exponent : {0.0, 0.5}) {
    const auto spec = spec_with(2, whitening_exponent);
    test::expect_close(components_of(all, values, spec), components_of(two, values, spec), 1e-5);
  }
  const Preprocessed block(*all, test::whole_block(values));
  test::expect_close(block.components(spec_with(3, 0.5)), components_of(all, values, spec_with(3, 0.5)), 0.0);
  test::expect_close(block.components(spec_with(5)), components_of(all, values, spec_with(5)), 0.0);
}

TEST(Preprocess, BandAxisKeepsAllDistances) {
  const auto values = correlated();
  const auto preprocess = fitted(values);
  const auto spec = spec_with(3, 0.25);
  const auto components = components_of(preprocess, values, spec);
  const auto back = preprocess->band_axes(spec)
                        .matmul(components.flatten(1))
                        .view({kBands, values.size(1), values.size(2)});
  const auto distances = [](const torch::Tensor& maps) {
    const auto pixels = maps.flatten(1).t().contiguous();
    return torch::cdist(pixels, pixels.slice(0, 0, 10));
  };
  test::expect_close(distances(back), distances(components), 1e-3);
}

TEST(Preprocess, SpectraInvertWhiteningIfAllComponentsAreKept) {
  const auto values = correlated().abs() + 0.1;
  for (const auto transform : {Transform::none, Transform::log}) {
    PreprocessOptions options;
    options.transform = transform;
    const auto preprocess = fitted(values, options);
    const auto spec = spec_with(kBands, 0.25);
    const auto components = components_of(preprocess, values, spec);
    test::expect_close(preprocess->spectra(components, spec), values, 1e-4);
    test::expect_close(preprocess->spectra(components.unsqueeze(0), spec), values.unsqueeze(0), 1e-4);
  }
}

TEST(Preprocess, FewerComponentsGiveTheNearestSpectra) {
  const auto values = correlated();
  const auto preprocess = fitted(values);
  const auto rest =
      preprocess->spectra(components_of(preprocess, values, spec_with(2)), spec_with(2)) - values;
  const auto eigenvalues = std::get<0>(torch::linalg_eigh(covariance(values)));
  EXPECT_NEAR(rest.square().sum(0).mean().item<double>(), eigenvalues.slice(0, 0, 3).sum().item<double>(),
              1e-3);
}

TEST(Preprocess, ChangeOfASpectrumIsAChangeOfItsComponents) {
  const auto values = correlated();
  const auto preprocess = fitted(values);
  const auto spec = spec_with(3, 0.25);
  const auto change = torch::linspace(-1.0, 1.0, kBands).view({kBands, 1, 1}).expand_as(values);
  test::expect_close(
      preprocess->component_change(change, spec),
      components_of(preprocess, values + change, spec) - components_of(preprocess, values, spec), 1e-4);
  test::expect_close(preprocess->to_components(spec).matmul(change.flatten(1)),
                     preprocess->component_change(change, spec).flatten(1), 1e-5);
}

TEST(Preprocess, InvalidPixelsHaveZeroComponentsAndNoStatistics) {
  auto block = test::whole_block(correlated());
  block.values.select(2, 0).fill_(std::numeric_limits<float>::quiet_NaN());
  block.valid.select(1, 0).fill_(false);
  auto preprocess = preprocess_for(kBands);
  accumulated(preprocess, {block});
  const auto components = Preprocessed(*preprocess, block).components(spec_with(kBands));
  EXPECT_TRUE(torch::equal(components.select(2, 0), torch::zeros({kBands, 20})));
  test::expect_close(covariance(components.slice(2, 1)), torch::eye(kBands), 1e-4);
}

TEST(Preprocess, LearnsFromCountedPixelsOnly) {
  const auto block = test::whole_block(correlated());
  auto counted = block.valid.clone();
  counted.slice(1, 12).fill_(false);
  auto preprocess = preprocess_for(kBands);
  preprocess->accumulate(Preprocessed(*preprocess, block, counted));
  preprocess->finalise();
  auto wanted = preprocess_for(kBands);
  accumulated(wanted, {test::cut(block, {0, 0, 20, 12})});
  test::expect_close(preprocess->mean(), wanted->mean(), 1e-12);
  test::expect_close(preprocess->precision(), wanted->precision(), 1e-9);
  // All that is valid has components.
  EXPECT_GT(Preprocessed(*preprocess, block, counted)
                .components(spec_with(kBands))
                .slice(2, 12)
                .abs()
                .min()
                .item<float>(),
            0.0F);
}

TEST(Preprocess, RxDistanceIsMahalanobis) {
  const auto values = correlated();
  const auto preprocess = fitted(values, {}, 2);
  const auto centred = (values - values.mean({1, 2}, true)).flatten(1).to(torch::kDouble);
  const auto sample = covariance(values) * (400.0 / 399.0);
  const auto wanted = (centred * torch::linalg_inv(sample).matmul(centred)).sum(0).sqrt().view({20, 20});
  test::expect_close(preprocess->rx_distance(values), wanted, 1e-3);
}

TEST(Preprocess, DirectionsThatDoNotVaryBecomeZeroComponents) {
  auto values = correlated();
  values[4] = values[3];
  const auto preprocess = fitted(values);
  for (const double whitening_exponent : {0.0, 0.25}) {
    const auto spec = spec_with(kBands, whitening_exponent);
    const auto components = components_of(preprocess, values, spec);
    EXPECT_EQ(components[4].abs().max().item<float>(), 0.0F);
    EXPECT_EQ(preprocess->variances(spec)[4].item<double>(), 0.0);
    test::expect_close(preprocess->spectra(components, spec), values, 1e-3);
  }
}

TEST(Preprocess, ComponentsEndWithAHundredThousandDeviations) {
  auto values = correlated();
  const auto preprocess = fitted(values);
  values.select(1, 3).select(1, 4).fill_(1e38F);
  const auto spec = spec_with(kBands, 0.25);
  const auto far = components_of(preprocess, values, spec).select(1, 3).select(1, 4).abs();
  const auto deviations = covariance(components_of(preprocess, correlated(), spec)).diagonal().sqrt();
  EXPECT_LE((far / deviations).max().item<double>(), 1.01e5);
  EXPECT_GE((far / deviations).max().item<double>(), 0.9e5);
}

TEST(Preprocess, SamplesSpectraEvenlyOverCubes) {
  // Twice as many pixels of one kind: about two thirds of the sampled spectra are of that kind.
  auto low = test::whole_block(0.01 * torch::rand({2, 40, 100}, test::seeded(1)));
  auto high = test::whole_block(1 + 0.01 * torch::rand({2, 40, 50}, test::seeded(2)));
  high.cube = 1;
  auto preprocess = preprocess_for(2);
  accumulated(preprocess, {low, high});
  const auto spec = spec_with(1);
  const auto spectra = preprocess->sampled(spec);
  EXPECT_EQ(spectra.sizes(), (torch::IntArrayRef{1024, 1}));
  const auto of_low = Preprocessed(*preprocess, low).components(spec).mean().item<double>();
  EXPECT_NEAR((spectra * of_low).gt(0).to(torch::kDouble).mean().item<double>(), 2.0 / 3, 0.05);
}

TEST(Preprocess, RepeatsItsSpectraIfThereAreFew) {
  const auto values = correlated().slice(1, 0, 1).slice(2, 0, 3);
  const auto preprocess = fitted(values);
  const auto spec = spec_with(2);
  const auto spectra = preprocess->sampled(spec);
  EXPECT_EQ(spectra.sizes(), (torch::IntArrayRef{1024, 2}));
  EXPECT_EQ(std::get<0>(torch::unique_dim(spectra, 0)).size(0), 3);
  const auto distances = torch::cdist(components_of(preprocess, values, spec).flatten(1).t(), spectra);
  EXPECT_LT(std::get<0>(distances.min(1)).max().item<float>(), 1e-4F);
}

TEST(Preprocess, TrimsWhatLiesFarFromTheMeanInASecondPass) {
  auto values = torch::rand({2, 40, 40}, test::seeded(1), torch::kFloat);
  values.narrow(1, 10, 4).narrow(2, 10, 10).add_(100);
  const auto mean_after = [&](double trim_fraction, int passes) {
    PreprocessOptions options;
    options.trim_fraction = trim_fraction;
    auto preprocess = preprocess_for(2, options);
    for (int pass = 1; pass <= passes; ++pass) {
      EXPECT_EQ(accumulated(preprocess, {test::whole_block(values)}), pass < passes);
    }
    return preprocess->mean().mean().item<double>();
  };
  EXPECT_NEAR(mean_after(0.0, 1), 3.0, 0.1);
  EXPECT_NEAR(mean_after(0.1, 2), 0.5, 0.05);
}

TEST(Preprocess, SaysThatThereIsTooLittleToLearnFrom) {
  auto unseen = preprocess_for(2);
  HYPERDEFECT_EXPECT_ERROR(
      unseen->finalise(), InputError,
      "too few valid pixels to learn from: 0, at least 2 are needed; check no-data values and "
      "the cube's content");
  auto one = preprocess_for(2);
  auto pair = test::whole_block(torch::ones({2, 1, 2}));
  pair.valid[0][1] = false;
  HYPERDEFECT_EXPECT_ERROR(accumulated(one, {pair}), InputError, "too few valid pixels to learn from: 1,");
  auto flat = preprocess_for(2);
  HYPERDEFECT_EXPECT_ERROR(accumulated(flat, {test::whole_block(torch::ones({2, 4, 4}))}), InputError,
                           "all valid pixels have the same spectrum: there is nothing to learn from");
}

TEST(Preprocess, ChecksItsInput) {
  const auto preprocess = preprocess_for(kBands);
  EXPECT_EQ(test::refusal([&] {
              preprocess->features_of(torch::zeros({4, 3, 3}));
            }),
            "BandTransform: expected (5, rows, cols), got [4, 3, 3]");
}

TEST(Preprocess, PrintsWhatItDoes) {
  PreprocessOptions options;
  options.bins = 4;
  EXPECT_EQ(test::printed(*preprocess_for(kBands, options, 3)),
            "Preprocess(bands=5, transform=none, bins=4, components=3)");
}

TEST(Preprocessed, MakesWhatIsSharedOnce) {
  const auto preprocess = preprocess_for(kBands);
  const Preprocessed block(*preprocess, test::whole_block(correlated()));
  int made = 0;
  const auto number = [&] {
    ++made;
    return torch::full({1}, made);
  };
  EXPECT_EQ(block.once("a", number).item<int>(), 1);
  EXPECT_EQ(block.once("a", number).item<int>(), 1);
  EXPECT_EQ(block.once("b", number).item<int>(), 2);
  EXPECT_EQ(block.once("a", number).item<int>(), 1);
}

TEST(Preprocessed, CountsValidPixelsOnly) {
  const auto preprocess = preprocess_for(kBands);
  auto block = test::whole_block(correlated());
  block.valid[0][0] = false;
  block.cube = 3;
  const auto counted = torch::rand({20, 20}, test::seeded(1)).gt(0.5);
  const Preprocessed some(*preprocess, block, counted);
  EXPECT_TRUE(torch::equal(some.counted(), counted.logical_and(block.valid)));
  EXPECT_TRUE(torch::equal(some.valid(), block.valid));
  EXPECT_TRUE(torch::equal(Preprocessed(*preprocess, block).counted(), block.valid));
  EXPECT_EQ(some.cube(), 3);
  EXPECT_EQ(some.window(), block.window);
  EXPECT_EQ(some.image(), block.image);
}

}  // namespace
}  // namespace hyperdefect::preprocess
