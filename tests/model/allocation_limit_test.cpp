// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/allocation_limit.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_options.h"
#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/detector/registry.h"
#include "hyperdefect/detector/segmenter/segmenter_options.h"
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
  for (const auto& row : detector::registry()) {
    auto options = test::tiny_options();
    options.name = row.name;
    options.preprocess.components = 1000;
    options.of<detector::LikelihoodRatioOptions>().components = 1000;
    const std::vector<std::int64_t> features(6, 1024);
    options.of<detector::AutoencoderOptions>().network.features = features;
    options.of<detector::SegmenterOptions>().features = features;
    const AllocationLimit limit(kMegabyte);
    EXPECT_THROW(detector::Pipeline(options, test::regular_bands(2000)), AllocationRefused) << row.name;
  }
}

}  // namespace
}  // namespace hyperdefect::model
