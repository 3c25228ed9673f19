// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/extreme_pixels.h"

#include <gtest/gtest.h>

#include "hyperdefect/detector/registry.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/predictor.h"
#include "support/fits.h"
#include "support/module_state.h"

namespace hyperdefect::engine {
namespace {

class ExtremePixelsOfAFit : public ::testing::TestWithParam<detector::Row> {
 protected:
  ExtremePixelsOfAFit() {
    set(2, 3, 4, 1e38);
    set(1, 20, 27, -9999);
    set(5, 31, 0, 65535);
    config_.detector = test::tiny_options(GetParam().name);
    config_.detector.preprocess.max_noise_fraction = 1;
    config_.train.epochs = 1;
  }

  void set(std::int64_t band, std::int64_t row, std::int64_t col, double value) {
    values_.index_put_({band, row, col}, value);
    usual_.index_put_({row, col}, false);
  }

  torch::Tensor values_ = test::smooth_scene(6, {32, 28}, 1);
  torch::Tensor usual_ = test::all_valid({32, 28});
  model::RunConfig config_ = test::tiny_config();
};

INSTANTIATE_TEST_SUITE_P(Registry, ExtremePixelsOfAFit,
                         ::testing::ValuesIn(detector::registry().begin(), detector::registry().end()),
                         [](const auto& row) { return std::string(row.param.name); });

/// By construction: the detector is that of a cube in which these pixels are invalid, bit by bit; and yet
/// they have scores, finite ones, and among the highest.
TEST_P(ExtremePixelsOfAFit, DecideNothingInAnyDetectorAndAreFound) {
  ProgressMonitor monitor;
  const auto source = test::memory_blocks(values_);
  const auto with = fit_scene(*source, config_, 1, monitor).model;
  const auto without = fit_scene(*test::memory_blocks(values_, usual_), config_, 1, monitor).model;
  const auto wanted = test::state_of(*without.detector);
  for (const auto& [name, tensor] : test::state_of(*with.detector)) {
    EXPECT_TRUE(torch::equal(tensor, wanted.at(name))) << name;
  }
  const auto score = predict(*with.detector, *source, 4096, monitor).score;
  EXPECT_TRUE(score.isfinite().all().item<bool>());
  // A network of one epoch knows no objects.
  if (GetParam().name != std::string("segmenter")) {
    const auto median = score.masked_select(usual_).median();
    EXPECT_TRUE(score.masked_select(usual_.logical_not()).gt(median).all().item<bool>());
  }
}

}  // namespace
}  // namespace hyperdefect::engine
