// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/batch_norm.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "support/module_checks.h"
#include "support/module_state.h"
#include "support/seeded.h"

namespace hyperdefect::nn {
namespace {

torch::Tensor features(std::uint64_t seed) {
  return torch::randn({2, 3, 7, 5}, test::seeded(seed), torch::kFloat) * 2 + 1;
}

/// Ours and torch's with the same weights and statistics, none of them the usual ones.
struct Norms {
  Norms() : theirs(3), ours(3) {
    const torch::NoGradGuard no_gradient;
    theirs->weight.copy_(torch::tensor({0.5F, -2.0F, 3.0F}));
    theirs->bias.copy_(torch::tensor({1.0F, 0.0F, -4.0F}));
    theirs->running_mean.copy_(torch::tensor({0.25F, -1.0F, 2.0F}));
    theirs->running_var.copy_(torch::tensor({0.5F, 4.0F, 1e-3F}));
    test::load_state(*ours, test::state_of(*theirs));
  }

  void train(bool on) {
    theirs->train(on);
    ours->train(on);
  }

  torch::nn::BatchNorm2d theirs;
  BatchNorm ours;
};

TEST(BatchNorm, EqualsTorchsInEval) {
  Norms norms;
  norms.train(false);
  EXPECT_TRUE(torch::equal(norms.ours->forward(features(1)), norms.theirs->forward(features(1))));
}

TEST(BatchNorm, EqualsTorchsInTrainingAndLearnsTheSameStatistics) {
  Norms norms;
  norms.train(true);
  EXPECT_TRUE(torch::equal(norms.ours->forward(features(1)), norms.theirs->forward(features(1))));
  const auto wanted = test::state_of(*norms.theirs);
  for (const auto& [name, tensor] : test::state_of(*norms.ours)) {
    EXPECT_TRUE(torch::equal(tensor, wanted.at(name))) << name;
  }
}

TEST(BatchNorm, NormalisedTakesTheStatisticsThatAreGiven) {
  Norms norms;
  norms.train(false);
  const auto mean = torch::tensor({3.0F, 1.0F, -1.0F});
  const auto variance = torch::tensor({2.0F, 0.25F, 9.0F});
  const auto got = norms.ours->normalised(features(1), mean, variance);
  norms.theirs->running_mean.copy_(mean);
  norms.theirs->running_var.copy_(variance);
  test::expect_close(got, norms.theirs->forward(features(1)), 1e-6);
}

/// Adds a number instead of normalising.
class Adding : public NormSource {
 public:
  explicit Adding(double number) : number_(number) {}
  torch::Tensor normalised(const BatchNormImpl&, const torch::Tensor& x) override { return x + number_; }

 private:
  double number_;
};

TEST(NormSource, IsAskedWhileItIsInUse) {
  Norms norms;
  norms.train(false);
  const auto x = features(1);
  const auto usual = norms.ours->forward(x);
  Adding outer(1.0);
  Adding inner(2.0);
  {
    const NormSource::Use use(outer);
    EXPECT_TRUE(torch::equal(norms.ours->forward(x), x + 1.0));
    {
      const NormSource::Use another(inner);
      EXPECT_TRUE(torch::equal(norms.ours->forward(x), x + 2.0));
    }
    EXPECT_TRUE(torch::equal(norms.ours->forward(x), x + 1.0)) << "the one before is back";
  }
  EXPECT_TRUE(torch::equal(norms.ours->forward(x), usual));
}

TEST(NormSource, IsPutAwayWhenAnExceptionPasses) {
  Norms norms;
  norms.train(false);
  const auto usual = norms.ours->forward(features(1));
  Adding source(1.0);
  try {
    const NormSource::Use use(source);
    throw std::runtime_error("stop");
  } catch (const std::runtime_error&) {
  }
  EXPECT_TRUE(torch::equal(norms.ours->forward(features(1)), usual));
}

TEST(NormSource, ChangesOnlyTheThreadThatUsesIt) {
  Norms norms;
  norms.train(false);
  const auto x = features(1);
  const auto usual = norms.ours->forward(x);
  std::atomic<bool> is_in_use{false};
  std::atomic<bool> is_done{false};
  torch::Tensor in_other_thread;
  std::thread other([&] {
    Adding source(1.0);
    const NormSource::Use use(source);
    is_in_use = true;
    in_other_thread = norms.ours->forward(x);
    while (!is_done) {
      std::this_thread::yield();
    }
  });
  while (!is_in_use) {
    std::this_thread::yield();
  }
  const auto here = norms.ours->forward(x);
  is_done = true;
  other.join();
  EXPECT_TRUE(torch::equal(here, usual));
  EXPECT_TRUE(torch::equal(in_other_thread, x + 1.0));
}

}  // namespace
}  // namespace hyperdefect::nn
