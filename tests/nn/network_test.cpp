// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/network.h"

#include <torch/nn/functional/padding.h>

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/module_state.h"
#include "support/seeded.h"

namespace hyperdefect::nn {
namespace {

/// 4 pixels a token, attention windows of 8 pixels.
NetworkOptions tiny() {
  NetworkOptions options;
  options.prefix = "autoencoder.";
  options.features = {8, 8, 8};
  options.lift_channels = 2;
  options.lift_kernel = {3, 3, 3};
  options.lift_stride = {2, 1, 1};
  options.heads = 2;
  options.attention_window = 2;
  options.precision = Arithmetic::float32;
  return options;
}

/// Every optional part of the network at once.
NetworkOptions with_everything() {
  auto options = tiny();
  options.features = {4, 8};
  options.full_resolution_block = true;
  options.decoder_blocks = true;
  options.skip_full_resolution = true;
  options.skip_channels = 3;
  options.upsample = Upsampling::transposed_conv;
  return options;
}

torch::Tensor random_image(std::int64_t bands, Size size) {
  return torch::randn({1, bands, size.rows, size.cols}, test::seeded(3), torch::kFloat)
      .to(test::test_device());
}

Network network_of(const NetworkOptions& options, std::int64_t bands, std::int64_t outputs,
                   std::int64_t coefficients = 0, std::uint64_t seed = 1) {
  Network network(options, bands, outputs, coefficients);
  network->initialise(test::seeded(seed));
  network->to(test::test_device());
  network->eval();
  return network;
}

class NetworkShapes : public ::testing::TestWithParam<Size> {};

TEST_P(NetworkShapes, OutputsHaveTheInputsSize) {
  const torch::NoGradGuard no_gradient;
  const auto size = GetParam();
  for (const auto& options : {tiny(), with_everything()}) {
    auto network = network_of(options, 7, 5);
    const auto image = random_image(7, size);
    const auto output = network->forward(image);
    EXPECT_EQ(output.sizes(), at::IntArrayRef({1, 5, size.rows, size.cols}));
    // What else is in the batch does not matter.
    test::expect_close(network->forward(torch::cat({3 * image + 1, image})).narrow(0, 1, 1), output, 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, NetworkShapes,
                         ::testing::Values(Size{1, 1}, Size{1, 7}, Size{3, 2}, Size{5, 9}, Size{16, 16},
                                           Size{17, 13}));

TEST(Network, PadsAtTheLowerAndRightBorderByReflection) {
  const torch::NoGradGuard no_gradient;
  auto network = network_of(tiny(), 3, 2);
  for (const auto& size : {Size{14, 16}, Size{16, 13}, Size{13, 14}}) {
    const auto image = random_image(3, size);
    namespace F = torch::nn::functional;
    const auto padded =
        F::pad(image, F::PadFuncOptions({0, 16 - size.cols, 0, 16 - size.rows}).mode(torch::kReflect));
    const auto wanted = network->forward(padded).narrow(2, 0, size.rows).narrow(3, 0, size.cols);
    test::expect_close(network->forward(image), wanted, 1e-5);
  }
}

TEST(Network, EveryChoiceOfItsPartsRuns) {
  const torch::NoGradGuard no_gradient;
  const auto image = random_image(6, {9, 10});
  const auto runs = [&](const NetworkOptions& options) {
    EXPECT_EQ(network_of(options, 6, 3)->forward(image).sizes(), at::IntArrayRef({1, 3, 9, 10}));
  };
  for (const auto lift : {Lift::spectral, Lift::factorised, Lift::full, Lift::linear}) {
    auto options = tiny();
    options.lift = lift;
    options.lift_residual = true;
    runs(options);
  }
  for (const auto skip : {Skip::concat, Skip::add, Skip::none}) {
    auto options = tiny();
    options.skip = skip;
    options.skip_full_resolution = true;
    runs(options);
  }
  for (const auto norm : {Norm::none, Norm::layer, Norm::batch}) {
    auto options = tiny();
    options.norm = norm;
    options.residual = false;
    runs(options);
  }
  for (const auto upsample : {Upsampling::bilinear, Upsampling::nearest, Upsampling::transposed_conv}) {
    auto options = tiny();
    options.upsample = upsample;
    runs(options);
  }
}

TEST(Network, RefusesHeadsThatDoNotDivideTheFeatures) {
  auto options = tiny();
  options.heads = 3;
  HYPERDEFECT_EXPECT_ERROR(Network(options, 6, 3), ConfigError,
                           "autoencoder.heads is 3; it must divide the last of features (8)");
}

TEST(Network, ChecksItsInput) {
  auto network = network_of(tiny(), 6, 3);
  EXPECT_EQ(test::refusal([&] {
              network->forward(random_image(5, {8, 8}));
            }),
            "Network: expected (N, 6, rows, cols), got [1, 5, 8, 8]");
  EXPECT_EQ(test::refusal([&] {
              network->forward(random_image(6, {8, 8}), {}, torch::rand({6, 6}).to(test::test_device()));
            }),
            "Network: a basis goes with coefficients, 0 are expected");
}

/// How far from the changed pixel (row, col) the output changes; 0 where only that pixel does.
std::int64_t reach_of(NetworkImpl& network, const torch::Tensor& image, std::int64_t row, std::int64_t col) {
  const torch::NoGradGuard no_gradient;
  auto changed = image.clone();
  changed.select(2, row).select(2, col).add_(10.0);
  const auto differs =
      (network.forward(changed) - network.forward(image)).abs().amax({0, 1}).gt(1e-12).nonzero().cpu();
  const auto offsets = (differs - torch::tensor({row, col})).abs();
  return offsets.numel() > 0 ? offsets.max().item<std::int64_t>() : -1;
}

TEST(NetworkField, HoldsAllThatAPixelDependsOn) {
  auto options = tiny();
  options.heads = 0;
  for (const bool everywhere : {false, true}) {
    options.decoder_blocks = options.full_resolution_block = options.skip_full_resolution = everywhere;
    for (const auto lift : {Lift::spectral, Lift::factorised}) {
      options.lift = lift;
      auto network = network_of(options, 4, 2);
      network->to(torch::kDouble);
      const auto image = random_image(4, {96, 96}).to(torch::kDouble);
      std::int64_t reach = 0;
      for (std::int64_t phase = 0; phase < network->stride(); ++phase) {
        reach = std::max(reach, reach_of(*network, image, 48 + phase, 48));
      }
      EXPECT_EQ(network->receptive_field().alignment, 4);
      EXPECT_LE(reach, network->receptive_field().halo);
      // No more than it needs: a stride and the phase of a pixel in its token.
      EXPECT_GE(reach, network->receptive_field().halo - 2 * network->stride());
    }
  }
}

TEST(NetworkField, HoldsTheAttentionWindow) {
  auto network = network_of(tiny(), 4, 2);
  EXPECT_EQ(network->stride(), 4);
  // Windows of 2 x 4 pixels; the decoder reaches 3 + 6 pixels, the encoder 5 + 10, in whole windows 16.
  EXPECT_EQ(network->receptive_field().alignment, 8);
  EXPECT_EQ(network->receptive_field().halo, 25);
  network->to(torch::kDouble);
  const auto reach = reach_of(*network, random_image(4, {96, 96}).to(torch::kDouble), 48, 48);
  EXPECT_LE(reach, network->receptive_field().halo + network->receptive_field().alignment);
  EXPECT_GT(reach, 15);
}

TEST(NetworkCost, EqualsTheCountByHand) {
  auto options = tiny();
  options.features = {4, 8};
  options.heads = 0;
  options.lift = Lift::linear;
  options.skip = Skip::none;
  // Lift 10 * 4 + 4; head 4 * 4; decoder 9 * 8 * 4; encoder 9 * (4 * 8 + 2 * 8 * 8) for each of a fourth of
  // the pixels.
  EXPECT_DOUBLE_EQ(Network(options, 10, 4)->multiply_adds_per_pixel(), 44 + 16 + 288 + 1440.0 / 4);
}

TEST(NetworkCost, CountsEveryPart) {
  // Lift: 2 kernels of 3 weights and an offset at 5 places, then 10 * 4 + 4. Full-resolution blocks 2 * 9 * 4
  // * 4 twice. Skip 4 * 3 + 3, join 9 * (8 + 3) * 4, transposed convolution 8 * 8, head 4 * 4. Of a fourth of
  // the pixels: encoder as above; attention: norms 2 * 16, queries, keys, values 8 * 24 + 24, output 8 * 8 +
  // 8, perceptron 8 * 16 + 16 and 16 * 8 + 8, products with keys and values 2 * 4 tokens * 8.
  const double full_resolution = 84 + 2 * 288 + 15 + 396 + 64 + 16;
  const double coarse = 1440 + 32 + 216 + 72 + 144 + 136 + 64;
  EXPECT_DOUBLE_EQ(Network(with_everything(), 10, 4)->multiply_adds_per_pixel(),
                   full_resolution + coarse / 4);
}

TEST(NetworkCost, CoefficientsTakeOneProductForTheConvolutionAlongTheBands) {
  // 2 * 5 places from 7 coefficients and an offset, instead of 3 bands and an offset.
  EXPECT_DOUBLE_EQ(Network(with_everything(), 10, 4, 7)->multiply_adds_per_pixel(),
                   Network(with_everything(), 10, 4)->multiply_adds_per_pixel() + 2 * 5 * 4);
}

TEST(Network, TakesCoefficientsForTheirSpectra) {
  const torch::NoGradGuard no_gradient;
  auto network = network_of(tiny(), 6, 3, 2);
  auto of_spectra = network_of(tiny(), 6, 3);
  const auto coefficients = random_image(2, {9, 7});
  const auto basis = torch::randn({6, 2}).to(test::test_device());
  test::expect_close(network->forward(coefficients, {}, basis),
                     of_spectra->forward(torch::einsum("bk,nkhw->nbhw", {basis, coefficients})), 1e-4);
}

TEST(Network, EqualGeneratorsDrawEqualWeightsWhateverWasThereBefore) {
  for (const auto& options : {tiny(), with_everything()}) {
    auto network = network_of(options, 6, 3);
    const auto wanted = test::state_of(*network);
    const auto others = test::state_of(*network_of(options, 6, 3, 0, 2));
    {
      const torch::NoGradGuard no_gradient;
      for (auto& parameter : network->parameters()) {
        parameter.fill_(7.0);
      }
    }
    network->initialise(test::seeded(1));
    for (const auto& [name, tensor] : test::state_of(*network)) {
      EXPECT_TRUE(torch::equal(tensor, wanted.at(name))) << name;
    }
    EXPECT_FALSE(torch::equal(others.at("head.weight"), wanted.at("head.weight")));
  }
}

TEST(Network, WithInputSkipPredictsNoChangeAtFirst) {
  const torch::NoGradGuard no_gradient;
  auto options = tiny();
  options.input_skip = true;
  const auto output = network_of(options, 6, 3)->forward(random_image(6, {8, 8}));
  EXPECT_EQ(output.abs().max().item<float>(), 0.0F);
}

TEST(Network, BlocksWithoutNormBeginAsTheIdentity) {
  auto options = tiny();
  options.norm = Norm::none;
  const auto network = network_of(options, 6, 3);
  std::int64_t blocks = 0;
  for (const auto& child : network->children()) {
    if (const auto* block = child->as<ResidualBlock>()) {
      EXPECT_EQ(block->second->conv->weight.abs().max().item<float>(), 0.0F);
      ++blocks;
    }
  }
  EXPECT_EQ(blocks, 2);
}

TEST(Network, SummaryNamesItsParts) {
  const auto page = Network(with_everything(), 10, 4)->summary();
  for (const char* part : {"network: (N, 10, rows, cols) -> (N, 4, rows, cols)", "lift", "full_resolution",
                           "down1", "encoder1", "attention", "upsample0", "skip0", "decoder0",
                           "decoder_block0", "head", "parameters: ", "stride: 2 pixels", "receptive field: ",
                           "by attention the windows of 4 pixels", "multiply-adds per pixel: 1677\n"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part << " is not in\n" << page;
  }
}

TEST(Network, AttentionIsAnchoredAtTheImage) {
  const torch::NoGradGuard no_gradient;
  auto network = network_of(tiny(), 4, 2);
  const auto image = random_image(4, {64, 64});
  const auto all = network->forward(image, {0, 0, 64, 64});
  const auto part = network->forward(image.narrow(2, 4, 60), {4, 0, 60, 64});
  // Far from the cut the results agree although the part begins in the middle of an attention window.
  test::expect_close(part.narrow(2, 44, 16), all.narrow(2, 48, 16), 1e-5);
}

}  // namespace
}  // namespace hyperdefect::nn
