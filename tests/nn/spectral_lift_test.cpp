// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/spectral_lift.h"

#include <gtest/gtest.h>

#include "hyperdefect/nn/init.h"
#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

using test::expect_close;

SpectralLiftOptions small(Lift mode) {
  return SpectralLiftOptions(9, 4).mode(mode).channels(2).kernel({3, 3, 3}).stride({2, 1, 1});
}

/// The definition: unsqueeze, conv3d, LeakyReLU, and the fold as a 1x1 convolution.
torch::Tensor by_definition(SpectralLift& lift, const torch::Tensor& x) {
  const auto margin = lift->options.kernel()->at(0) / 2;
  const auto step = lift->options.stride()->at(0);
  const auto volume = torch::conv3d(x.unsqueeze(1), lift->spectral->weight, lift->spectral->bias,
                                    {step, 1, 1}, {margin, 0, 0});
  return torch::conv2d(torch::leaky_relu(volume, kLeakySlope).flatten(1, 2),
                       lift->fold->weight.unsqueeze(2).unsqueeze(3), lift->fold->bias);
}

TEST(SpectralLift, FollowsASpectrumThroughByHand) {
  SpectralLift lift(SpectralLiftOptions(3, 1).channels(1).kernel({3, 1, 1}).stride({2, 1, 1}));
  const torch::NoGradGuard no_grad;
  lift->spectral->weight.copy_(torch::tensor({1.0, 2.0, -1.0}).view({1, 1, 3, 1, 1}));
  lift->spectral->bias.fill_(0.5);
  lift->fold->weight.copy_(torch::tensor({{10.0, 100.0}}));
  lift->fold->bias.fill_(1.0);
  // Spectrum 1, 4, 2 between zeros: 2*1 - 4 + 0.5 = -1.5, damped to -0.3; and 4 + 2*2 + 0.5 = 8.5.
  const auto x = torch::tensor({1.0F, 4.0F, 2.0F}).view({1, 3, 1, 1});
  expect_close(lift(x).view(-1), torch::tensor({10.0 * -0.3 + 100.0 * 8.5 + 1.0}), 1e-6);
}

TEST(SpectralLift, EqualsThreeDimensionalConvolution) {
  torch::manual_seed(9);
  for (const int64_t bands : {1, 2, 5, 9, 30}) {
    for (const int64_t step : {1, 2, 4}) {
      SpectralLift lift(SpectralLiftOptions(bands, 5).channels(3).stride({step, 1, 1}));
      lift->to(torch::kDouble);
      const auto x = torch::randn({2, bands, 3, 4}, torch::kDouble);
      expect_close(lift(x), by_definition(lift, x), 1e-12);
    }
  }
}

TEST(SpectralLift, KeepsEveryPixelInEveryMode) {
  for (const auto mode : {Lift::spectral, Lift::factorised, Lift::full, Lift::linear}) {
    SpectralLift lift(small(mode));
    EXPECT_EQ(lift->out_bands(), mode == Lift::linear ? 9 : 5);
    EXPECT_EQ(lift(torch::rand({2, 9, 3, 5})).sizes(), (std::vector<int64_t>{2, 4, 3, 5}));
    EXPECT_EQ(lift(torch::rand({1, 9, 1, 1})).sizes(), (std::vector<int64_t>{1, 4, 1, 1}));
  }
}

TEST(SpectralLift, FewerBandsThanTheKernelWork) {
  for (const auto mode : {Lift::spectral, Lift::factorised, Lift::full}) {
    for (const int64_t bands : {1, 3, 6}) {
      SpectralLift lift(SpectralLiftOptions(bands, 4).mode(mode).channels(2));
      auto x = torch::rand({1, bands, 4, 4}, torch::requires_grad());
      const auto features = lift(x);
      EXPECT_EQ(features.sizes(), (std::vector<int64_t>{1, 4, 4, 4}));
      features.square().sum().backward();
      EXPECT_GT(x.grad().abs().amax({0, 2, 3}).min().item<float>(), 0.0F) << "a band is not seen";
    }
  }
}

TEST(SpectralLift, SeesEveryBand) {
  torch::manual_seed(10);
  for (const int64_t bands : {8, 9, 10, 11}) {
    SpectralLift lift(SpectralLiftOptions(bands, 4));
    auto x = torch::rand({1, bands, 1, 1}, torch::requires_grad());
    lift(x).square().sum().backward();
    EXPECT_TRUE((x.grad() != 0).all().item<bool>()) << bands << " bands";
  }
}

TEST(SpectralLift, OnlySpatialKernelsSeeNeighbours) {
  torch::manual_seed(11);
  const auto reach = [](Lift mode) {
    SpectralLift lift(small(mode));
    auto x = torch::rand({1, 9, 5, 5}, torch::requires_grad());
    lift(x).select(2, 2).select(2, 2).sum().backward();
    return (x.grad().abs().sum(1) > 0).sum().item<int64_t>();
  };
  EXPECT_EQ(reach(Lift::spectral), 1);
  EXPECT_EQ(reach(Lift::linear), 1);
  EXPECT_EQ(reach(Lift::factorised), 9);
  EXPECT_EQ(reach(Lift::full), 9);
}

TEST(SpectralLift, TheResidualAddsAProjectionOfTheBands) {
  torch::manual_seed(12);
  SpectralLift lift(small(Lift::spectral).residual(true));
  const auto x = torch::rand({2, 9, 3, 2});
  const auto with = lift(x);
  const auto projected = torch::conv2d(x, lift->shortcut->weight.unsqueeze(2).unsqueeze(3));
  lift->shortcut = nullptr;
  expect_close(with - lift(x), projected, 1e-5);
  EXPECT_TRUE(SpectralLift(small(Lift::linear).residual(true))->shortcut.is_empty());
}

TEST(SpectralLift, CoefficientsInABasisAreTheirSpectra) {
  torch::manual_seed(14);
  const auto basis = torch::randn({9, 4}, torch::kDouble);
  const auto x = torch::randn({2, 4, 3, 5}, torch::kDouble);
  const auto spectra = torch::einsum("bk,nkhw->nbhw", {basis, x});
  for (const auto mode : {Lift::spectral, Lift::factorised, Lift::full, Lift::linear}) {
    SpectralLift lift(small(mode).residual(true));
    lift->to(torch::kDouble);
    const auto gradients = [&](const torch::Tensor& y) {
      lift->zero_grad();
      y.square().sum().backward();
      std::vector<torch::Tensor> found;
      for (const auto& parameter : lift->parameters()) {
        found.push_back(parameter.grad().flatten().clone());
      }
      return torch::cat(found);
    };
    const auto wanted = lift(spectra);
    const auto got = lift(x, basis);
    expect_close(got, wanted, 1e-12);
    expect_close(gradients(got), gradients(wanted), 1e-9);
  }
}

TEST(SpectralLift, ResultLiesChannelsLast) {
  SpectralLift lift(small(Lift::spectral));
  EXPECT_TRUE(lift(torch::rand({1, 9, 4, 3})).is_contiguous(torch::MemoryFormat::ChannelsLast));
}

TEST(SpectralLift, RefusesWhatItCannotDo) {
  SpectralLift lift(small(Lift::spectral));
  EXPECT_EQ(test::refusal([&] {
              lift(torch::rand({1, 8, 4, 4}));
            }),
            "SpectralLift: expected (N, 9, H, W) with at least one pixel, got [1, 8, 4, 4]");
  EXPECT_EQ(test::refusal([&] {
              lift(torch::rand({1, 4, 4, 4}), torch::rand({8, 4}));
            }),
            "SpectralLift: expected a basis (9, coefficients), got [8, 4]");
  EXPECT_EQ(test::refusal([&] {
              lift(torch::rand({1, 9, 4, 4}), torch::rand({9, 4}));
            }),
            "SpectralLift: expected (N, 4, H, W) with at least one pixel, got [1, 9, 4, 4]");
  const auto refused = [](const SpectralLiftOptions& options) {
    return test::refusal([&] { SpectralLift bad(options); });
  };
  EXPECT_EQ(refused(SpectralLiftOptions(0, 4)),
            "SpectralLift: bands, features and channels must be at least 1, got [0, 4, 8]");
  EXPECT_EQ(refused(SpectralLiftOptions(9, 4).kernel({7, 2, 3})),
            "SpectralLift: kernel must be odd, got [7, 2, 3]");
  EXPECT_EQ(refused(SpectralLiftOptions(9, 4).stride({1, 2, 1})),
            "SpectralLift: stride must be 1 along rows and columns, got [1, 2, 1]");
  EXPECT_EQ(refused(SpectralLiftOptions(9, 4).stride({5, 1, 1})),
            "SpectralLift: stride along the bands must be 1 to 4 with a kernel of 7 bands, got 5");
}

TEST(SpectralLift, KeepsTheContract) {
  torch::manual_seed(13);
  const auto x = torch::randn({1, 9, 3, 4}, test::doubles());
  for (const auto mode : {Lift::spectral, Lift::factorised, Lift::full, Lift::linear}) {
    test::expect_contract(SpectralLift(small(mode).residual(true)), x);
  }
}

TEST(SpectralLift, PrintsTheWayFromImageToVolume) {
  EXPECT_EQ(
      test::printed(SpectralLift(SpectralLiftOptions(205, 48))),
      "hyperdefect::nn::SpectralLift(spectral: (N, 205, H, W) -> unsqueeze (N, 1, 205, H, W) -> convolve "
      "(N, 8, 52, H, W) -> fold (N, 48, H, W))(\n"
      "  (spectral): torch::nn::Conv3d(1, 8, kernel_size=[7, 1, 1], stride=[4, 1, 1], padding=[3, 0, 0])\n"
      "  (fold): torch::nn::Linear(in_features=416, out_features=48, bias=true)\n"
      ")");
  EXPECT_EQ(test::printed(SpectralLift(small(Lift::linear))),
            "hyperdefect::nn::SpectralLift(linear: (N, 9, H, W) -> fold (N, 4, H, W))(\n"
            "  (fold): torch::nn::Linear(in_features=9, out_features=4, bias=true)\n"
            ")");
}

}  // namespace
}  // namespace hyperdefect::nn
