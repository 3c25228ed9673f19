// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/random.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>

namespace hyperdefect {
namespace {

TEST(Fingerprint, IsFnv1aOfTheBytes) {
  EXPECT_EQ(fingerprint(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(fingerprint("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(fingerprint("foobar"), 0x85944171f73967e8ULL);
  EXPECT_NE(fingerprint("\xff"), fingerprint("\x7f"));
}

TEST(DeriveSeed, StaysTheSameForeverMore) {
  EXPECT_EQ(derive_seed(0, ""), 0xf52a15e9a9b5e89bULL);
  EXPECT_EQ(derive_seed(42, "epoch 3"), 0xa4f9e175b1dfe117ULL);
}

TEST(DeriveSeed, EverySeedAndLabelHasItsOwn) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (int label = 0; label < 100; ++label) {
      seeds.insert(derive_seed(seed, "epoch " + std::to_string(label)));
    }
  }
  EXPECT_EQ(seeds.size(), 10000u);
}

TEST(DeriveSeed, NeighbouringSeedsShareHalfTheirBits) {
  double differing = 0.0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    differing += std::popcount(derive_seed(seed, "x") ^ derive_seed(seed + 1, "x"));
  }
  EXPECT_NEAR(differing / 1000, 32.0, 0.5);
}

}  // namespace
}  // namespace hyperdefect
