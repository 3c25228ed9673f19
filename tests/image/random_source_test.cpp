// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/random_source.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "support/seeded.h"

namespace hyperdefect::image {
namespace {

TEST(RandomSource, DrawsWithinTheBounds) {
  auto generator = test::seeded(1);
  RandomSource random(generator);
  double sum = 0.0;
  double sum_of_logarithms = 0.0;
  std::set<std::int64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto uniform = random.uniform(-2.0, 3.0);
    EXPECT_TRUE(uniform >= -2.0 && uniform <= 3.0) << uniform;
    sum += uniform;
    const auto logarithmic = random.log_uniform(0.01, 1.0);
    EXPECT_TRUE(logarithmic >= 0.01 && logarithmic <= 1.0) << logarithmic;
    sum_of_logarithms += std::log10(logarithmic);
    seen.insert(random.below(5));
  }
  EXPECT_NEAR(sum / 1000, 0.5, 0.15);
  EXPECT_NEAR(sum_of_logarithms / 1000, -1.0, 0.06);
  EXPECT_EQ(seen, (std::set<std::int64_t>{0, 1, 2, 3, 4}));
}

TEST(RandomSource, FollowsItsGenerator) {
  auto a = test::seeded(7);
  auto b = test::seeded(7);
  EXPECT_TRUE(torch::equal(RandomSource(a).normal({4, 5}), RandomSource(b).normal({4, 5})));
  EXPECT_EQ(RandomSource(a).gaussian(), RandomSource(b).gaussian());
  EXPECT_TRUE(torch::equal(RandomSource(a).below(100, 20), RandomSource(b).below(100, 20)));
}

TEST(Split, GivesSequencesOfTheirOwnThatTheFirstOneDecides) {
  const auto draws = [](bool use_first) {
    auto generator = test::seeded(3);
    auto first = split(generator);
    if (use_first) {
      torch::rand({100}, first);
    }
    auto second = split(generator);
    return torch::stack({torch::rand({8}, first), torch::rand({8}, second), torch::rand({8}, generator)});
  };
  const auto untouched = draws(false);
  EXPECT_TRUE(torch::equal(draws(false), untouched));
  // How much one of them draws does not matter to the others.
  EXPECT_TRUE(torch::equal(draws(true).slice(0, 1), untouched.slice(0, 1)));
  EXPECT_FALSE(torch::equal(draws(true)[0], untouched[0]));
  EXPECT_FALSE(torch::equal(untouched[0], untouched[1]));
}

}  // namespace
}  // namespace hyperdefect::image
