// SPDX-License-Identifier: Apache-2.0
// Every module against tests/data/nn_golden.json, which scripts/make_golden.py makes with PyTorch.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "hyperdefect/nn/attention_block.h"
#include "hyperdefect/nn/losses.h"
#include "hyperdefect/nn/residual_block.h"
#include "hyperdefect/nn/skip_connection.h"
#include "hyperdefect/nn/spectral_lift.h"
#include "hyperdefect/nn/upsample.h"
#include "support/module_checks.h"
#include "support/test_data.h"

namespace hyperdefect::nn {
namespace {

using nlohmann::json;

torch::Tensor tensor_of(const json& stored) {
  const auto values = stored.at("values").get<std::vector<double>>();
  const auto shape = stored.at("shape").get<std::vector<int64_t>>();
  return torch::tensor(values, torch::kDouble).view(shape).to(test::test_device());
}

/// One case of the file.
class Golden {
 public:
  explicit Golden(const std::string& name) {
    std::ifstream file(std::string(test::files_dir()) + "/nn_golden.json");
    case_ = json::parse(file).at(name);
  }

  torch::Tensor parameter(const std::string& name) const {
    return tensor_of(case_.at("parameters").at(name));
  }

  /// Expects the stored output, and the stored gradient of its squared sum.
  void expect_from(const std::function<torch::Tensor(const torch::Tensor&)>& function) const {
    const auto x = tensor_of(case_.at("input")).requires_grad_();
    const auto y = function(x);
    test::expect_close(y, tensor_of(case_.at("output")), 1e-7);
    const auto gradient = torch::autograd::grad({y.square().sum()}, {x})[0];
    test::expect_close(gradient, tensor_of(case_.at("gradient")), 1e-7);
  }

  /// The same, by a module that takes exactly the stored parameters.
  template <class Holder>
  void expect_from_module(Holder module) const {
    load_into(*module);
    expect_from([&](const torch::Tensor& x) { return module(x); });
  }

  void load_into(torch::nn::Module& module) const {
    module.to(test::test_device(), torch::kDouble);
    const torch::NoGradGuard no_grad;
    const auto parameters = module.named_parameters();
    ASSERT_EQ(parameters.size(), case_.at("parameters").size());
    for (const auto& entry : parameters) {
      const auto stored = parameter(entry.key());
      ASSERT_EQ(stored.sizes(), entry.value().sizes()) << entry.key();
      torch::Tensor(entry.value()).copy_(stored);
    }
  }

 private:
  json case_;
};

TEST(Golden, ChannelNorm) {
  Golden("channel_norm").expect_from_module(ChannelNorm(5));
}

TEST(Golden, ConvBlock) {
  Golden("conv_block").expect_from_module(ConvBlock(ConvBlockOptions(2, 3)));
}

TEST(Golden, ResidualBlock) {
  Golden("residual_block").expect_from_module(ResidualBlock(ResidualBlockOptions(2, 3).stride(2)));
}

TEST(Golden, SkipConnection) {
  const Golden golden("skip_connection");
  SkipConnection skip(SkipConnectionOptions(2, 3).channels(1));
  golden.load_into(*skip);
  golden.expect_from([&](const torch::Tensor& x) {
    return skip(x.narrow(1, 0, 2), x.narrow(1, 2, 3).narrow(2, 0, x.size(2) - 1));
  });
}

TEST(Golden, SpectralLift) {
  const auto options = [](Lift mode) {
    return SpectralLiftOptions(7, 3).mode(mode).channels(2).kernel({3, 3, 3}).stride({2, 1, 1}).padding(
        Padding::replicate);
  };
  Golden("spectral_lift").expect_from_module(SpectralLift(options(Lift::spectral).residual(true)));
  Golden("spectral_lift_factorised").expect_from_module(SpectralLift(options(Lift::factorised)));
  Golden("spectral_lift_full").expect_from_module(SpectralLift(options(Lift::full)));
}

TEST(Golden, Upsample) {
  Golden("transposed_conv")
      .expect_from_module(
          Upsample(UpsampleOptions(2).mode(Upsampling::transposed_conv).out_channels(3).kernel(4)));
  Golden("bilinear").expect_from_module(Upsample(UpsampleOptions(2).mode(Upsampling::bilinear)));
  Golden("nearest").expect_from_module(Upsample(UpsampleOptions(2).mode(Upsampling::nearest)));
}

TEST(Golden, Attention) {
  Golden("attention")
      .expect_from_module(MultiHeadSelfAttention(MultiHeadSelfAttentionOptions(4, 2).window(2)));
  Golden("attention_block").expect_from_module(AttentionBlock(AttentionBlockOptions(4, 2).window(2)));
}

TEST(Golden, Losses) {
  const auto check = [](const std::string& name, auto loss) {
    const Golden golden(name);
    golden.expect_from([&](const torch::Tensor& x) {
      return loss(x, golden.parameter("target"), golden.parameter("weight"));
    });
  };
  check("root_mean_square_loss",
        [](auto x, auto target, auto weight) { return root_mean_square_loss(x, target, weight); });
  check("squared_loss", squared_loss);
  check("cosine_loss", cosine_loss);
}

}  // namespace
}  // namespace hyperdefect::nn
