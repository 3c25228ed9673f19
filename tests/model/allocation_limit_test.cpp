// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/allocation_limit.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "hyperdefect/model/detectors.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;

TEST(AllocationLimit, RefusesWhatWouldPassIt) {
  const AllocationLimit limit(kMegabyte);
  EXPECT_THROW(torch::empty({1 << 19}), AllocationRefused);
  const auto half = torch::zeros({1 << 17});
  EXPECT_THROW(torch::zeros({(1 << 17) + 1}), AllocationRefused);
  EXPECT_EQ(torch::zeros({1 << 10}).numel(), 1 << 10);
}

TEST(AllocationLimit, CountsWhatIsHeldAtATime) {
  const AllocationLimit limit(kMegabyte);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(torch::zeros({1 << 17}).numel(), 1 << 17);
  }
}

TEST(AllocationLimit, EndsWithItsLife) {
  {
    const AllocationLimit limit(kMegabyte);
    EXPECT_THROW(torch::empty({kMegabyte}), AllocationRefused);
  }
  EXPECT_EQ(torch::empty({kMegabyte}).numel(), kMegabyte);
}

/// Every detector, asked for with sizes that no file of 1 MB holds.
TEST(AllocationLimit, StopsDetectorsThatAreTooLarge) {
  for (const char* name :
       {"autoencoder", "segmenter", "likelihood", "rx", "area_filter", "local_rx", "crd", "fused"}) {
    auto options = test::tiny_options();
    options.model.detector = name;
    options.preprocess.components = 1000;
    options.likelihood.components = 1000;
    options.model.features = {1024, 1024, 1024, 1024, 1024, 1024};
    options.segmenter.features = options.model.features;
    const AllocationLimit limit(kMegabyte);
    EXPECT_THROW(make_detector(options, test::regular_bands(2000)), AllocationRefused) << name;
  }
}

}  // namespace
}  // namespace hyperdefect::model
