// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include "hyperdefect/io/map_reader.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

/// Two spots of another spectrum in a scene, and the same scene with three pixels of nonsense.
class ExtremePixelsInAScene : public ::testing::Test {
 protected:
  void SetUp() override {
    auto values = mixtures_with_defect(8, 40, 30, 1);
    write_cube(folder_ / "clean/a.img", values);
    values.index_put_({4, 20, 20}, 1e38);
    values.index_put_({1, 30, 5}, -9999);
    values.index_put_({7, 35, 28}, 65535);
    write_cube(folder_ / "dirty/a.img", values);
  }

  static constexpr const char* kSaid =
      "warning: left 3 of 1200 pixels out of the fit, because their values are far outside the usual range "
      "(1e+38 in band 4 at row 20, column 20 of ";

  torch::Tensor score(const std::string& folder) const {
    return io::read_map(folder_ / folder / "a_score.tif");
  }

  TempDir folder_;
};

TEST_F(ExtremePixelsInAScene, DetectFindsTheSameDefectsAndThem) {
  for (const auto& options : {rx(), tiny_network()}) {
    for (const std::string name : {"clean", "dirty"}) {
      const auto outcome = run_program(joined({"detect", folder_ / name, "-o", folder_ / ("maps_" + name),
                                               "--overwrite", "--set", "threshold.quantile=0.99"},
                                              options));
      ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
      EXPECT_EQ(outcome.err.find(kSaid) != std::string::npos, name == "dirty") << outcome.err;
    }
    const auto clean = score("maps_clean");
    const auto dirty = score("maps_dirty");
    EXPECT_TRUE(dirty.isfinite().all().item<bool>());
    // The defect at row 2 stands out as clearly as it did.
    const auto rank = [](const torch::Tensor& map) {
      return map.gt(map[2][3].item<float>()).sum().item<std::int64_t>();
    };
    EXPECT_LE(rank(dirty), rank(clean) + 100);
    for (const auto& [row, col] : {std::pair{20, 20}, {30, 5}, {35, 28}}) {
      EXPECT_GT(dirty[row][col].item<float>(), clean.median().item<float>());
    }
  }
}

TEST_F(ExtremePixelsInAScene, TrainLearnsAlmostTheSame) {
  const auto judged_by = [&](const std::string& name) {
    const auto model = folder_ / (name + ".safetensors");
    const auto trained = run_program(joined({"train", folder_ / name, "-o", model}, rx()));
    EXPECT_EQ(trained.exit_code, 0) << trained.err;
    EXPECT_EQ(trained.err.find(kSaid) != std::string::npos, name == "dirty") << trained.err;
    const auto maps = folder_ / ("by_" + name);
    const auto judged = run_program({"infer", folder_ / "clean", "-m", model, "-o", maps, "--threads", "1"});
    EXPECT_EQ(judged.exit_code, 0) << judged.err;
    return io::read_map(maps / "a_score.tif");
  };
  const auto wanted = judged_by("clean");
  const auto got = judged_by("dirty");
  EXPECT_LT((got - wanted).abs().max().item<double>(), 0.05 * wanted.max().item<double>());
}

}  // namespace
}  // namespace hyperdefect::test
