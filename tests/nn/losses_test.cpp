// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Two pixels side by side with two channels: (a, b) and (c, d).
torch::Tensor pixels(float a, float b, float c, float d) {
  return torch::tensor({a, c, b, d}, test::test_device()).view({1, 2, 1, 2});
}

torch::Tensor weights(float first, float second) {
  return torch::tensor({first, second}, test::test_device()).view({1, 1, 2});
}

/// A loss with its default arguments filled in.
using Loss = torch::Tensor (*)(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&);
torch::Tensor root_loss(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& w) {
  return root_mean_square_loss(a, b, w);
}
constexpr Loss kLosses[] = {root_loss, squared_loss, cosine_loss, binary_cross_entropy_loss};

TEST(RootMeanSquareLoss, AveragesRootsOverPixels) {
  const auto prediction = pixels(3, 4, 0, 0);
  const auto target = pixels(0, 0, 0, 0);
  const double first = std::sqrt(12.5 + 1e-6);
  const double second = std::sqrt(1e-6);
  EXPECT_NEAR(root_mean_square_loss(prediction, target).item<double>(), (first + second) / 2, 1e-6);
  EXPECT_NEAR(root_mean_square_loss(prediction, target, weights(3, 1)).item<double>(),
              (3 * first + second) / 4, 1e-6);
  EXPECT_NEAR(root_mean_square_loss(prediction, target, weights(0, 1), 4.0).item<double>(), 2.0, 1e-6);
}

TEST(RootMeanSquareLoss, GrowsLinearlyWithAnError) {
  const auto zero = pixels(0, 0, 0, 0);
  const auto at = [&](float error) {
    return root_mean_square_loss(pixels(error, error, 0, 0), zero).item<double>();
  };
  EXPECT_NEAR(at(2000) / at(1000), 2.0, 1e-3);
}

TEST(SquaredLoss, AveragesSquaresOverChannelsAndPixels) {
  EXPECT_NEAR(squared_loss(pixels(3, 4, 1, 1), pixels(0, 0, 1, 3)).item<double>(), (12.5 + 2) / 2, 1e-6);
  EXPECT_NEAR(squared_loss(pixels(3, 4, 1, 1), pixels(0, 0, 1, 3), weights(1, 4)).item<double>(),
              (12.5 + 8) / 5, 1e-6);
}

TEST(CosineLoss, IsOneLessTheCosine) {
  EXPECT_NEAR(cosine_loss(pixels(1, 0, 1, 1), pixels(5, 0, -2, -2)).item<double>(), (0.0 + 2.0) / 2, 1e-6);
  EXPECT_NEAR(cosine_loss(pixels(1, 0, 1, 0), pixels(0, 7, 1, 1)).item<double>(),
              (1 + 1 - std::sqrt(0.5)) / 2, 1e-6);
}

TEST(CosineLoss, AZeroSpectrumCountsNothing) {
  auto prediction = pixels(0, 0, 1, 0).requires_grad_();
  const auto loss = cosine_loss(prediction, pixels(1, 1, 0, 1));
  EXPECT_NEAR(loss.item<double>(), 1.0, 1e-6);
  loss.backward();
  test::expect_close(prediction.grad(), pixels(0, 0, 0, -1), 1e-6);
  auto any = pixels(1, 2, 3, 4).requires_grad_();
  const auto nothing = cosine_loss(any, pixels(0, 0, 0, 0));
  nothing.backward();
  EXPECT_EQ(nothing.item<double>(), 0.0);
  test::expect_close(any.grad(), pixels(0, 0, 0, 0), 0.0);
}

TEST(CosineLoss, HasAGradientOfZeroAtAMatch) {
  auto prediction = pixels(1, 2, 3, 4).requires_grad_();
  cosine_loss(prediction, pixels(1, 2, 3, 4)).backward();
  test::expect_close(prediction.grad(), pixels(0, 0, 0, 0), 1e-6);
}

TEST(BinaryCrossEntropyLoss, IsTheLogarithmOfWhatTheTargetWasGiven) {
  const double sure = std::log1p(std::exp(-2.0));
  const double wrong = std::log1p(std::exp(3.0));
  EXPECT_NEAR(binary_cross_entropy_loss(pixels(2, 2, 3, 3), pixels(1, 1, 0, 0)).item<double>(),
              (sure + wrong) / 2, 1e-6);
  EXPECT_NEAR(binary_cross_entropy_loss(pixels(2, 3, 0, 0), pixels(1, 0, 0, 1), weights(1, 3)).item<double>(),
              ((sure + wrong) / 2 + 3 * std::log(2.0)) / 4, 1e-6);
}

TEST(BinaryCrossEntropyLoss, IsFiniteWhereThePredictionIsCertain) {
  EXPECT_NEAR(binary_cross_entropy_loss(pixels(200, 200, -200, -200), pixels(1, 0, 0, 0)).item<double>(),
              50.0, 1e-4);
}

TEST(Losses, NeverLookAtPixelsOfWeightZero) {
  for (const auto loss : kLosses) {
    auto prediction = pixels(kNan, 1, 1, 2).requires_grad_();
    const auto value = loss(prediction, pixels(1, kNan, 3, 5), weights(0, 1));
    auto seen = prediction.detach().narrow(3, 1, 1).clone().requires_grad_();
    const auto alone = loss(seen, pixels(0, 0, 3, 5).narrow(3, 1, 1), {});
    EXPECT_NEAR(value.item<double>(), alone.item<double>(), 1e-6);
    value.backward();
    alone.backward();
    test::expect_close(prediction.grad().narrow(3, 1, 1), seen.grad(), 1e-6);
    test::expect_close(prediction.grad().select(3, 0), torch::zeros({1, 2, 1}), 0.0);
  }
}

TEST(Losses, GiveZeroWhereNothingHasWeight) {
  for (const auto loss : kLosses) {
    auto prediction = pixels(1, 2, 3, 4).requires_grad_();
    const auto value = loss(prediction, pixels(4, 3, 2, 1), weights(0, 0));
    EXPECT_EQ(value.item<double>(), 0.0);
    value.backward();
    test::expect_close(prediction.grad(), pixels(0, 0, 0, 0), 0.0);
  }
}

TEST(Losses, TakeABooleanWeight) {
  for (const auto loss : kLosses) {
    const auto a = pixels(1, 2, 3, 4);
    const auto b = pixels(2, 2, 1, 0);
    EXPECT_EQ(loss(a, b, weights(0, 1) > 0).item<double>(), loss(a, b, weights(0, 1)).item<double>());
  }
}

TEST(Losses, AgreeWithFiniteDifferences) {
  torch::manual_seed(24);
  const auto target = torch::randn({2, 3, 2, 2}, test::doubles());
  const auto weight = torch::rand({2, 2, 2}, test::doubles());
  for (const auto loss : kLosses) {
    const auto prediction = torch::randn({2, 3, 2, 2}, test::doubles()).requires_grad_();
    test::expect_gradient([&] { return loss(prediction, target, weight); }, prediction, "prediction");
  }
}

TEST(Losses, SumInFloat32UnderAutocast) {
  torch::manual_seed(25);
  const auto target = torch::randn({1, 4, 8, 8}, test::test_device());
  const auto rounded = torch::randn({1, 4, 8, 8}, test::test_device()).to(torch::kBFloat16);
  for (const auto loss : kLosses) {
    auto exact = rounded.to(torch::kFloat).requires_grad_();
    const auto wanted = loss(exact, target, {});
    wanted.backward();
    auto prediction = rounded.clone().requires_grad_();
    const test::Autocast bfloat16;
    const auto value = loss(prediction, target, {});
    EXPECT_EQ(value.scalar_type(), torch::kFloat);
    EXPECT_NEAR(value.item<double>(), wanted.item<double>(), 1e-5 * std::abs(wanted.item<double>()));
    value.backward();
    const auto difference = prediction.grad().to(torch::kFloat) - exact.grad();
    EXPECT_LE(difference.norm().item<double>(), 0.01 * exact.grad().norm().item<double>());
  }
}

TEST(Losses, RefuseShapesThatDoNotFit) {
  EXPECT_EQ(test::refusal([] {
              squared_loss(torch::rand({1, 2, 3, 3}), torch::rand({1, 2, 3, 4}));
            }),
            "squared_loss: expected prediction and target (N, C, H, W) of one shape, got [1, 2, 3, 3] and "
            "[1, 2, 3, 4]");
  EXPECT_EQ(test::refusal([] {
              cosine_loss(torch::rand({1, 2, 3, 3}), torch::rand({1, 2, 3, 3}), torch::rand({3, 3}));
            }),
            "cosine_loss: expected a weight (N, H, W) for [1, 2, 3, 3], got [3, 3]");
  EXPECT_EQ(test::refusal([] { root_mean_square_loss(pixels(1, 1, 1, 1), pixels(1, 1, 1, 1), {}, 0.0); }),
            "root_mean_square_loss: eps must be positive, got 0");
}

}  // namespace
}  // namespace hyperdefect::nn
