// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "hyperdefect/core/window_plan.h"
#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/image/crop.h"
#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::test {

/// The window of a tile that is written, as seen from the window that is read.
inline Window written(const Tile& tile) {
  return {tile.write.row - tile.read.row, tile.write.col - tile.read.col, tile.write.rows, tile.write.cols};
}

/// Scores the windows of at most so many pixels that the scene is read in, of which there must be so many at
/// least, and compares what each keeps with the maps of the whole scene.
inline void expect_same_in_tiles(const detector::Pipeline& pipeline, const spectral::Block& scene,
                                 std::int64_t max_pixels, std::size_t fewest, double tolerance) {
  const auto all = scored(pipeline, scene);
  EXPECT_TRUE(torch::equal(all.score.isnan().logical_not(), scene.valid));
  EXPECT_TRUE(torch::equal(all.sad_rad.isnan().logical_not(), scene.valid));
  const auto plan = plan_windows(scene.image, pipeline.receptive_field(), {1, max_pixels, {1, 1}});
  ASSERT_GE(plan.size(), fewest);
  for (const auto& tile : plan) {
    const auto part = scored(pipeline, cut(scene, tile.read));
    const auto expect_same = [&](const torch::Tensor& got, const torch::Tensor& wanted) {
      expect_close(image::crop(got, written(tile)).nan_to_num(-1),
                   image::crop(wanted, tile.write).nan_to_num(-1), tolerance);
    };
    expect_same(part.valid, all.valid);
    expect_same(part.score, all.score);
    expect_same(part.sad_rad, all.sad_rad);
    ASSERT_EQ(part.parts.size(), all.parts.size());
    for (std::size_t i = 0; i < all.parts.size(); ++i) {
      EXPECT_EQ(part.parts[i].first, all.parts[i].first);
      expect_same(part.parts[i].second, all.parts[i].second);
    }
  }
}

}  // namespace hyperdefect::test
