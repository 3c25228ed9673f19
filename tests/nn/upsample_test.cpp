// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/upsample.h"

#include <torch/nn/modules/container/sequential.h>

#include <gtest/gtest.h>

#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

using test::expect_close;

Upsample transposed(int64_t kernel = 0) {
  return Upsample(UpsampleOptions(1).mode(Upsampling::transposed_conv).kernel(kernel));
}

/// Zeros inserted between pixels, then a convolution: each output sums the taps that reach it.
torch::Tensor by_insertion(const torch::Tensor& x, const torch::Tensor& kernel, int64_t stride,
                           int64_t padding) {
  const auto side = kernel.size(0);
  auto full = torch::zeros({(x.size(0) - 1) * stride + side, (x.size(1) - 1) * stride + side});
  for (int64_t row = 0; row < x.size(0); ++row) {
    for (int64_t col = 0; col < x.size(1); ++col) {
      full.narrow(0, row * stride, side).narrow(1, col * stride, side) += x[row][col] * kernel;
    }
  }
  return full.narrow(0, padding, full.size(0) - 2 * padding).narrow(1, padding, full.size(1) - 2 * padding);
}

TEST(Upsample, TransposedConvolutionInsertsZerosAndConvolves) {
  auto up = transposed();
  const torch::NoGradGuard no_grad;
  up->conv->weight.copy_(torch::tensor({{1.0, 2.0}, {3.0, 4.0}}).view({1, 1, 2, 2}));
  up->conv->bias.zero_();
  const auto x = torch::arange(1.0F, 10.0F).view({3, 3});
  const auto y = up(x.view({1, 1, 3, 3}));
  ASSERT_EQ(y.sizes(), (std::vector<int64_t>{1, 1, 6, 6}));
  const auto wanted = torch::tensor({{1., 2., 2., 4., 3., 6.},
                                     {3., 4., 6., 8., 9., 12.},
                                     {4., 8., 5., 10., 6., 12.},
                                     {12., 16., 15., 20., 18., 24.},
                                     {7., 14., 8., 16., 9., 18.},
                                     {21., 28., 24., 32., 27., 36.}});
  expect_close(y[0][0], wanted);
  expect_close(by_insertion(x, up->conv->weight[0][0], 2, 0), wanted);
}

TEST(Upsample, OverlappingTapsAdd) {
  torch::manual_seed(14);
  auto up = transposed(4);
  const torch::NoGradGuard no_grad;
  up->conv->bias.zero_();
  const auto x = torch::rand({3, 5});
  expect_close(up(x.view({1, 1, 3, 5}))[0][0], by_insertion(x, up->conv->weight[0][0], 2, 1), 1e-5);
}

TEST(Upsample, InterpolatesWithoutWeights) {
  const auto x = torch::tensor({0.0F, 4.0F}).view({1, 1, 1, 2});
  Upsample nearest(UpsampleOptions(1).mode(Upsampling::nearest));
  Upsample bilinear(UpsampleOptions(1).mode(Upsampling::bilinear));
  expect_close(nearest(x).view({2, 4})[1], torch::tensor({0.0, 0.0, 4.0, 4.0}));
  expect_close(bilinear(x).view({2, 4})[1], torch::tensor({0.0, 1.0, 3.0, 4.0}));
  EXPECT_TRUE(nearest->parameters().empty());
  EXPECT_TRUE(bilinear->parameters().empty());
}

TEST(Upsample, MeetsATargetByCroppingOrRepeatingAtTheEnd) {
  torch::manual_seed(15);
  const auto x = torch::rand({1, 2, 2, 3});
  for (const auto mode : {Upsampling::transposed_conv, Upsampling::bilinear, Upsampling::nearest}) {
    Upsample up(UpsampleOptions(2).mode(mode));
    const auto whole = up(x);
    expect_close(up(x, Size{3, 5}), whole.narrow(2, 0, 3).narrow(3, 0, 5), 0.0);
    const auto larger = up(x, Size{5, 6});
    expect_close(larger.narrow(2, 0, 4), whole, 0.0);
    expect_close(larger.select(2, 4), whole.select(2, 3), 0.0);
  }
}

TEST(Upsample, WorksInASequence) {
  torch::nn::Sequential stack(Upsample(UpsampleOptions(2).factor(3)), Upsample(2));
  EXPECT_EQ(stack->forward(torch::rand({1, 2, 2, 1})).sizes(), (std::vector<int64_t>{1, 2, 12, 6}));
}

TEST(Upsample, RefusesWhatItCannotDo) {
  EXPECT_EQ(test::refusal([] {
              Upsample(2)->forward(torch::rand({1, 3, 2, 2}));
            }),
            "Upsample: expected (N, 2, H, W) with at least one pixel, got [1, 3, 2, 2]");
  EXPECT_EQ(test::refusal([] {
              Upsample(2)->forward(torch::rand({1, 2, 2, 2}), Size{0, 4});
            }),
            "Upsample: rows and columns of the target must be at least 1, got [0, 4]");
  EXPECT_EQ(test::refusal([] { Upsample bad(UpsampleOptions(4).out_channels(2)); }),
            "Upsample: bilinear keeps 4 channels, got out_channels 2");
  EXPECT_EQ(test::refusal([] { transposed(3); }),
            "Upsample: kernel must be factor (2) plus an even number, got 3");
  EXPECT_EQ(test::refusal([] { Upsample bad(UpsampleOptions(4).factor(0)); }),
            "Upsample: channels and factor must be at least 1, got [4, 0]");
}

TEST(Upsample, KeepsTheContract) {
  torch::manual_seed(16);
  const auto x = torch::randn({1, 3, 2, 3}, test::doubles());
  test::expect_contract(Upsample(UpsampleOptions(3).mode(Upsampling::transposed_conv).out_channels(2)), x);
  test::expect_contract(Upsample(UpsampleOptions(3).mode(Upsampling::bilinear)), x);
  test::expect_contract(Upsample(UpsampleOptions(3).mode(Upsampling::nearest)), x);
}

TEST(Upsample, Prints) {
  EXPECT_EQ(test::printed(Upsample(UpsampleOptions(3).factor(4))),
            "hyperdefect::nn::Upsample(bilinear, 3 -> 3, factor=4)");
}

}  // namespace
}  // namespace hyperdefect::nn
