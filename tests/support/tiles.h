// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "hyperdefect/core/window_plan.h"
#include "hyperdefect/model/detector.h"
#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::test {

/// Scores the windows of at most so many pixels that the scene is read in, of which there must be so many at
/// least, and compares what each keeps with the maps of the whole scene.
inline void expect_same_in_tiles(model::Detector& detector, const spectral::Block& scene,
                                 std::int64_t max_pixels, std::size_t fewest, double tolerance) {
  const torch::NoGradGuard no_gradient;
  const auto all = detector.score(scene);
  EXPECT_TRUE(torch::equal(all.score.isnan().logical_not(), scene.valid));
  EXPECT_TRUE(torch::equal(all.sad_rad.isnan().logical_not(), scene.valid));
  const auto plan = plan_windows(scene.image, detector.field(), {1, max_pixels, {1, 1}});
  ASSERT_GE(plan.size(), fewest);
  for (const auto& window : plan) {
    const auto part = detector.score(cut(scene, window.read));
    const auto kept = [&](const torch::Tensor& map) {
      return map.narrow(0, window.keep.row - window.read.row, window.keep.rows)
          .narrow(1, window.keep.col - window.read.col, window.keep.cols);
    };
    const auto wanted = [&](const torch::Tensor& map) {
      return map.narrow(0, window.keep.row, window.keep.rows).narrow(1, window.keep.col, window.keep.cols);
    };
    EXPECT_TRUE(torch::equal(kept(part.valid), wanted(all.valid)));
    expect_close(kept(part.score).nan_to_num(-1), wanted(all.score).nan_to_num(-1), tolerance);
    expect_close(kept(part.sad_rad).nan_to_num(-1), wanted(all.sad_rad).nan_to_num(-1), tolerance);
  }
}

}  // namespace hyperdefect::test
