// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/moments.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"

namespace hyperdefect::spectral {
namespace {

Block block_of(const torch::Tensor& values, const torch::Tensor& valid) {
  const Size size{values.size(1), values.size(2)};
  return {values, valid, whole(size), size};
}

void expect_near(const torch::Tensor& given, const torch::Tensor& expected, double tolerance = 1e-12) {
  ASSERT_EQ(given.sizes(), expected.sizes());
  EXPECT_LE((given - expected).abs().max().item<double>(), tolerance) << given << "\nexpected\n" << expected;
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(Moments, AreThoseOfASmallExample) {
  Moments moments(2);
  moments.add(torch::tensor({{1.0, 2.0}, {3.0, 2.0}, {5.0, 8.0}}));
  EXPECT_EQ(moments.count(), 3);
  expect_near(moments.mean(), torch::tensor({3.0, 4.0}, torch::kDouble));
  expect_near(moments.covariance(), torch::tensor({{4.0, 6.0}, {6.0, 12.0}}, torch::kDouble));
  expect_near(moments.covariance(false), torch::tensor({{8.0, 12.0}, {12.0, 24.0}}, torch::kDouble) / 3);
}

TEST(Moments, KeepTheirDigitsUnderALargeOffset) {
  torch::manual_seed(1);
  const auto values = torch::randint(0, 16, {20000, 3}).to(torch::kDouble) / 16;
  Moments plain(3);
  plain.add(values);
  Moments shifted(3);
  // Sixteenths on a million are exact in float32.
  shifted.add((values + 1e6).to(torch::kFloat));
  expect_near(shifted.covariance(), plain.covariance(), 1e-12);
  expect_near(shifted.mean() - 1e6, plain.mean(), 1e-9);
}

TEST(Moments, DoNotDependOnHowTheSpectraArrive) {
  torch::manual_seed(2);
  const auto values = 50 + torch::randn({9000, 4});
  Moments at_once(4);
  at_once.add(values);
  Moments first(4);
  first.add(values.slice(0, 0, 10));
  Moments second(4);
  second.add(values.slice(0, 10));
  first.merge(second);
  first.merge(Moments(4));
  EXPECT_EQ(first.count(), 9000);
  expect_near(first.mean(), at_once.mean());
  expect_near(first.covariance(), at_once.covariance());
  expect_near(at_once.covariance(), torch::cov(values.to(torch::kDouble).t()), 1e-10);
}

TEST(Moments, LeaveOutInvalidPixels) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto values = torch::tensor({{{1.0F, nan}, {-9999.0F, 3.0F}}});
  Moments moments(1);
  moments.add(block_of(values, torch::tensor({{true, false}, {false, true}})));
  EXPECT_EQ(moments.count(), 2);
  EXPECT_EQ(moments.mean().item<double>(), 2.0);
  EXPECT_EQ(moments.covariance().item<double>(), 2.0);
  moments.add(block_of(values, torch::zeros({2, 2}, torch::kBool)));
  EXPECT_EQ(moments.count(), 2);
}

TEST(Moments, SayWhenTheyHaveTooFewPixels) {
  Moments moments(2);
  EXPECT_EQ(message_of([&] { moments.mean(); }),
            "too few valid pixels for statistics: 0 given, at least 1 needed; check the no-data value and "
            "the cube's "
            "content");
  moments.add(torch::ones({1, 2}));
  EXPECT_EQ(message_of([&] { moments.covariance(); }),
            "too few valid pixels for statistics: 1 given, at least 2 needed; check the no-data value and "
            "the cube's "
            "content");
  expect_near(moments.covariance(false), torch::zeros({2, 2}, torch::kDouble));
}

TEST(Moments, RefuseAnotherNumberOfBands) {
  Moments moments(2);
  EXPECT_THROW(moments.add(torch::ones({5, 3})), c10::Error);
  EXPECT_THROW(moments.add(block_of(torch::ones({3, 1, 1}), torch::ones({1, 1}, torch::kBool))), c10::Error);
  EXPECT_THROW(moments.merge(Moments(3)), c10::Error);
}

TEST(NoiseMoments, AreHalfTheVarianceOfTheDifferences) {
  // Differences 2, 0, -2, 0 and their sample variance 8 / 3, halved.
  const auto values = torch::tensor({{{1.0F, 3.0F, 3.0F, 1.0F, 1.0F}}});
  NoiseMoments noise(1);
  noise.add(block_of(values, torch::ones({1, 5}, torch::kBool)));
  EXPECT_EQ(noise.count(), 4);
  EXPECT_NEAR(noise.covariance().item<double>(), 4.0 / 3, 1e-12);
}

TEST(NoiseMoments, NeedBothPixelsOfAPair) {
  const auto values = torch::tensor({{{1.0F, 3.0F, 99.0F, 1.0F, 5.0F}}});
  NoiseMoments noise(1);
  noise.add(block_of(values, torch::tensor({{true, true, false, true, true}})));
  EXPECT_EQ(noise.count(), 2);
  EXPECT_NEAR(noise.covariance().item<double>(), 1.0, 1e-12);
}

TEST(NoiseMoments, FindTheNoiseOverASmoothScene) {
  torch::manual_seed(4);
  const auto scene = torch::linspace(0, 1000, 200).view({1, 1, 200}).expand({2, 200, 200});
  const auto deviation = torch::tensor({0.5F, 2.0F}).view({2, 1, 1});
  NoiseMoments first(2);
  NoiseMoments second(2);
  const auto values = scene + deviation * torch::randn({2, 200, 200});
  const auto valid = torch::ones({100, 200}, torch::kBool);
  first.add(block_of(values.slice(1, 0, 100), valid));
  second.add(block_of(values.slice(1, 100), valid));
  first.merge(second);
  EXPECT_EQ(first.count(), 200 * 199);
  expect_near(first.covariance(), torch::tensor({{0.25, 0.0}, {0.0, 4.0}}, torch::kDouble), 0.1);
}

TEST(NoiseMoments, SayWhenThereAreNoPairs) {
  NoiseMoments noise(1);
  noise.add(block_of(torch::ones({1, 4, 1}), torch::ones({4, 1}, torch::kBool)));
  EXPECT_EQ(noise.count(), 0);
  EXPECT_THROW(noise.covariance(), InputError);
}

}  // namespace
}  // namespace hyperdefect::spectral
