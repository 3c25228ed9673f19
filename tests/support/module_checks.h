// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/serialize.h>
#include <torch/utils.h>

#include <algorithm>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "support/test_device.h"

namespace hyperdefect::test {

/// Expects equal shapes and values within the tolerance (absolute, and relative to the wanted value).
inline void expect_close(const torch::Tensor& got, const torch::Tensor& wanted, double tolerance = 1e-9) {
  ASSERT_EQ(got.sizes(), wanted.sizes());
  const auto a = got.detach().to(torch::kCPU, torch::kDouble);
  const auto b = wanted.detach().to(torch::kCPU, torch::kDouble);
  EXPECT_TRUE(torch::allclose(a, b, tolerance, tolerance))
      << "largest difference " << (a - b).abs().max().item<double>();
}

/// What TORCH_CHECK says where the call is refused; a test failure where it is not.
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

/// What a module prints, children included.
template <class Holder>
std::string printed(const Holder& module) {
  std::ostringstream stream;
  stream << module;
  return stream.str();
}

/// bfloat16 autocast on the test device, as long as it lives.
class Autocast {
 public:
  Autocast() {
    at::autocast::set_autocast_dtype(test_device().type(), torch::kBFloat16);
    at::autocast::set_autocast_enabled(test_device().type(), true);
  }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(test_device().type(), false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
};

/// Compares autograd's gradient of a scalar with central differences in up to 24 elements of a double leaf.
inline void expect_gradient(const std::function<torch::Tensor()>& scalar, const torch::Tensor& leaf,
                            const std::string& what) {
  const auto gradient = torch::autograd::grad({scalar()}, {leaf})[0].reshape(-1).cpu();
  const torch::NoGradGuard no_grad;
  const auto flat = leaf.detach().view(-1);
  constexpr double kStep = 1e-6;
  for (int64_t i = 0; i < flat.numel(); i += std::max<int64_t>(1, flat.numel() / 24)) {
    const auto kept = flat[i].item<double>();
    flat[i] = kept + kStep;
    const auto above = scalar().item<double>();
    flat[i] = kept - kStep;
    const auto below = scalar().item<double>();
    flat[i] = kept;
    const auto numeric = (above - below) / (2 * kStep);
    EXPECT_NEAR(gradient[i].item<double>(), numeric, 1e-5 * std::max(1.0, std::abs(numeric)))
        << what << ", element " << i;
  }
}

/// What every module of the room owes, checked with the module in eval mode. `call` feeds inputs to a module.
template <class Holder>
struct ModuleContract {
  using Inputs = std::vector<torch::Tensor>;
  using Call = std::function<torch::Tensor(Holder&, const Inputs&)>;

  Holder module;
  /// Double, on the test device.
  Inputs inputs;
  Call call;

  void expect_kept() {
    module->to(test_device());
    expect_mode_untouched();
    module->eval();
    expect_gradients();
    expect_clone_independent();
    expect_round_trip();
    expect_memory_formats_agree();
    expect_autocast();
  }

 private:
  static Inputs converted(const Inputs& from, torch::ScalarType type, torch::MemoryFormat format) {
    Inputs result;
    for (const auto& input : from) {
      result.push_back(input.detach().to(type).contiguous(format).requires_grad_());
    }
    return result;
  }

  Inputs floats() const { return converted(inputs, torch::kFloat, torch::MemoryFormat::Contiguous); }

  Holder copy() const {
    return Holder(std::dynamic_pointer_cast<typename Holder::ContainedType>(module->clone()));
  }

  void expect_mode_untouched() {
    for (const bool training : {true, false}) {
      module->train(training);
      call(module, floats());
      EXPECT_EQ(module->is_training(), training);
    }
  }

  void expect_gradients() {
    auto precise = copy();
    precise->to(torch::kDouble);
    auto leaves = converted(inputs, torch::kDouble, torch::MemoryFormat::Contiguous);
    const auto scalar = [&] { return call(precise, leaves).square().sum(); };
    for (const auto& leaf : leaves) {
      expect_gradient(scalar, leaf, "input");
    }
    for (const auto& parameter : precise->named_parameters()) {
      expect_gradient(scalar, parameter.value(), parameter.key());
    }
  }

  void expect_clone_independent() {
    auto twin = copy();
    const auto before = call(module, floats());
    expect_close(call(twin, floats()), before, 0.0);
    const torch::NoGradGuard no_grad;
    for (auto& parameter : twin->parameters()) {
      parameter.add_(1.0);
    }
    expect_close(call(module, floats()), before, 0.0);
    if (!twin->parameters().empty()) {
      EXPECT_FALSE(torch::equal(call(twin, floats()), before)) << "the clone ignores its own parameters";
    }
  }

  void expect_round_trip() {
    std::stringstream file;
    torch::save(module, file);
    auto restored = copy();
    {
      const torch::NoGradGuard no_grad;
      for (auto& parameter : restored->parameters()) {
        parameter.zero_();
      }
    }
    torch::load(restored, file);
    expect_close(call(restored, floats()), call(module, floats()), 0.0);
  }

  void expect_memory_formats_agree() {
    const auto channels_last = converted(inputs, torch::kFloat, torch::MemoryFormat::ChannelsLast);
    expect_close(call(module, channels_last), call(module, floats()), 2e-5);
  }

  /// The gradients of the sum of squares at the inputs and the parameters, one after the other.
  torch::Tensor gradients(const Inputs& leaves, const torch::Tensor& output) {
    module->zero_grad();
    output.square().sum().backward();
    std::vector<torch::Tensor> all;
    for (const auto& leaf : leaves) {
      all.push_back(leaf.grad().reshape(-1).to(torch::kFloat));
    }
    for (const auto& parameter : module->named_parameters()) {
      EXPECT_TRUE(parameter->grad().defined()) << parameter.key();
      all.push_back(parameter->grad().reshape(-1).to(torch::kFloat));
    }
    return torch::cat(all).clone();
  }

  void expect_autocast() {
    const auto exact = floats();
    const auto wanted = call(module, exact);
    const auto wanted_gradients = gradients(exact, wanted);
    const auto leaves = converted(inputs, torch::kFloat, torch::MemoryFormat::ChannelsLast);
    torch::Tensor got;
    {
      const Autocast bfloat16;
      got = call(module, leaves).to(torch::kFloat);
    }
    const auto expect_near = [](const torch::Tensor& a, const torch::Tensor& b, double tolerance) {
      EXPECT_LE((a - b).norm().template item<double>(), tolerance * b.norm().template item<double>() + 1e-6);
    };
    expect_near(got.detach(), wanted.detach(), 0.03);
    expect_near(gradients(leaves, got), wanted_gradients, 0.1);
    module->zero_grad();
  }
};

/// The contract of a module with one input.
template <class Holder>
void expect_contract(Holder module, const torch::Tensor& input) {
  ModuleContract<Holder>{module, {input}, [](Holder& m, const auto& x) { return m(x[0]); }}.expect_kept();
}

}  // namespace hyperdefect::test
