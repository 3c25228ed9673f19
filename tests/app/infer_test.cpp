// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>

#include "hyperdefect/io/map_reader.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

/// A network that was trained on a cube of 8 bands from 500 to 850 nm.
class Infer : public ::testing::Test {
 protected:
  void SetUp() override {
    write_cube(folder_ / "normal.img", mixtures(8, 16, 12, 1));
    train({});
  }

  void train(const std::vector<std::string>& more) const {
    const auto outcome = run_program(
        joined(joined({"train", folder_ / "normal.img", "-o", model_, "--overwrite"}, tiny_network()), more));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  Outcome infer(const fs::path& input, const std::string& output,
                const std::vector<std::string>& more = {}) const {
    return run_program(
        joined({"infer", "-m", model_, input, "-o", folder_ / output, "--threads", "1"}, more));
  }

  torch::Tensor map(const std::string& file) const { return io::read_map(folder_ / file); }

  TempDir folder_;
  std::string model_ = (folder_ / "m.safetensors").string();
};

TEST_F(Infer, RefusesWhatContradictsTheModel) {
  expect_failure(
      infer(folder_ / "normal.img", "maps", {"--set", "autoencoder.heads=4"}), 2,
      "autoencoder.heads is 4, but " + model_ + " was trained with 2: leave it out, or train another model");
  write_bytes(folder_ / "my.yaml", "preprocess:\n  transform: none\n");
  expect_failure(infer(folder_ / "normal.img", "maps", {"-c", folder_ / "my.yaml"}), 2,
                 "preprocess.transform is none, but " + model_ + " was trained with log");
  expect_failure(infer(folder_ / "normal.img", "maps", {"--set", "threshold.quantile=0.5"}), 2,
                 "threshold.quantile: the threshold of " + model_ + " was set when it was trained");
  EXPECT_FALSE(fs::exists(folder_ / "maps"));
}

TEST_F(Infer, AcceptsWhatRepeatsTheModelAndWhatIsNotItsOwn) {
  const auto outcome = infer(folder_ / "normal.img", "maps",
                             {"-c", folder_ / "m.config.yaml", "--set", "autoencoder.heads=2", "--set",
                              "threshold.min_pixels=3", "--set", "output.overlay=false"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "maps/normal_overlay.png"));
  const auto json = nlohmann::json::parse(read_bytes(folder_ / "maps/summary.json"));
  EXPECT_EQ(json["command"], "infer");
  EXPECT_EQ(json["model"].get<std::string>().size(), 16U);
}

TEST_F(Infer, TakesAThresholdByHand) {
  const auto outcome = infer(folder_ / "normal.img", "maps",
                             {"--set", "threshold.method=manual", "--set", "threshold.value=0.5"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(read_bytes(folder_ / "maps/normal.json"));
  EXPECT_EQ(json["threshold"], 0.5);
  EXPECT_TRUE(map("maps/normal_defects.tif").equal(map("maps/normal_score.tif").gt(0.5).to(torch::kFloat)));
}

TEST_F(Infer, FindsTheModelsBandsByWavelength) {
  const auto values = mixtures(8, 9, 7, 5);
  write_cube(folder_ / "plain.img", values);
  auto bands = bands_from_500_nm(8);
  std::reverse(bands.wavelengths_nm.begin(), bands.wavelengths_nm.end());
  bands.wavelengths_nm.push_back(2000);
  bands.count = 9;
  io::write_envi(folder_ / "turned.img", torch::cat({values.flip(0), torch::ones({1, 9, 7})}), bands);
  const auto outcome = infer(folder_ / "{plain,turned}.img", "maps");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(map("maps/plain_score.tif").equal(map("maps/turned_score.tif")));
}

TEST_F(Infer, NamesTheBandsThatACubeLacks) {
  const auto values = mixtures(8, 9, 7, 5);
  auto bands = bands_from_500_nm(8);
  bands.wavelengths_nm[2] += 10;
  io::write_envi(folder_ / "shifted.img", values, bands);
  expect_failure(infer(folder_ / "shifted.img", "maps"), 4,
                 (folder_ / "shifted.img").string() +
                     ": the cube lacks 1 band of the model: 600 nm; it has 8 bands from 500 to 850 nm");
  io::write_envi(folder_ / "few.img", values.slice(0, 0, 5), {5, {}, {}, {}});
  expect_failure(infer(folder_ / "few.img", "maps"), 4,
                 (folder_ / "few.img").string() +
                     ": the cube has 5 bands and the model 8, and the cube states no "
                     "wavelengths to match them by");
}

TEST_F(Infer, InterpolatesWhereTheModelWasTrainedSo) {
  train({"--set", "preprocess.interpolate=true"});
  auto bands = bands_from_500_nm(8);
  bands.wavelengths_nm[2] += 10;
  auto values = mixtures(8, 9, 7, 5);
  io::write_envi(folder_ / "shifted.img", values, bands);
  // The model's band at 600 nm lies between those at 550 and 610 nm.
  values[2] = values[1] + (values[2] - values[1]) * (50.0 / 60.0);
  write_cube(folder_ / "interpolated.img", values);
  const auto outcome = infer(folder_ / "{shifted,interpolated}.img", "maps");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(torch::allclose(map("maps/shifted_score.tif"), map("maps/interpolated_score.tif"), 1e-4, 1e-4));
  EXPECT_TRUE(torch::allclose(map("maps/shifted_sad.tif"), map("maps/interpolated_sad.tif"), 1e-4, 1e-4));
}

TEST_F(Infer, TakesCubesSmallerThanTheNetworksStride) {
  const auto scene = mixtures_with_defect(8, 3, 5, 6);
  write_cube(folder_ / "small/all.img", scene);
  write_cube(folder_ / "small/normal.img", scene.slice(1, 0, 1).slice(2, 0, 1));
  write_cube(folder_ / "small/defect.img", scene.slice(1, 2, 3).slice(2, 3, 4));
  const auto outcome = infer(folder_ / "small", "maps");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto score = map("maps/all_score.tif");
  ASSERT_EQ(score.sizes(), torch::IntArrayRef({3, 5}));
  EXPECT_GT(score[2].slice(0, 3).min().item<float>(), score.slice(0, 0, 2).max().item<float>());
  EXPECT_GT(map("maps/defect_score.tif").item<float>(), map("maps/normal_score.tif").item<float>());
}

TEST_F(Infer, LeavesOutInvalidPixels) {
  auto values = mixtures(8, 12, 10, 7);
  values.select(1, 0).zero_();
  values.index_put_({4, 5, 6}, NAN);
  write_cube(folder_ / "partly.img", values);
  const auto outcome = infer(folder_ / "partly.img", "maps");
  ASSERT_EQ(outcome.exit_code, 5) << outcome.err;
  auto invalid = torch::zeros({12, 10}, torch::kBool);
  invalid.select(0, 0).fill_(true);
  invalid.index_put_({5, 6}, true);
  EXPECT_TRUE(map("maps/partly_score.tif").isnan().equal(invalid));
  EXPECT_TRUE(map("maps/partly_sad.tif").isnan().equal(invalid));
  // read_map() gives no-data, here 255, as NaN.
  EXPECT_TRUE(map("maps/partly_defects.tif").isnan().equal(invalid));
  EXPECT_EQ(nlohmann::json::parse(read_bytes(folder_ / "maps/partly.json"))["invalid_pixels"], 11);
}

TEST_F(Infer, RefusesACubeWithoutAValidPixelInsteadOfAcceptingIt) {
  const auto cube = write_cube(folder_ / "dark.img", torch::zeros({8, 4, 4}));
  expect_failure(infer(cube, "maps"), 3, cube + ": no pixel is valid, so there is nothing to judge");
  EXPECT_FALSE(fs::exists(folder_ / "maps/dark.json"));
}

TEST_F(Infer, RefusesModelsThatAreDamagedOrForeign) {
  const auto bytes = read_bytes(model_);
  const auto refuses = [&](const std::string& content, const std::string& message) {
    write_bytes(model_, content);
    expect_failure(infer(folder_ / "normal.img", "maps"), 4, model_ + ": " + message);
  };
  refuses("", "not a whole safetensors file (0 bytes)");
  refuses(bytes.substr(0, bytes.size() - 1), "not a whole safetensors file (");
  refuses(bytes.substr(0, 200), "not a whole safetensors file (its header is longer than the file)");
  refuses(std::string("\x02\0\0\0\0\0\0\0{}", 10), "is a safetensors file, but not a model of this program");
  auto tampered = bytes;
  tampered.replace(tampered.find("[8, 8, 8]"), 9, "[8, 9, 8]");
  refuses(tampered, "does not fit the model that its configuration describes: ");
  tampered = bytes;
  tampered.replace(tampered.find("upsample:"), 9, "upsamplf:");
  refuses(tampered, "its configuration is not one that this program reads: ");
  fs::remove(model_);
  expect_failure(infer(folder_ / "normal.img", "maps"), 4,
                 model_ + ": no such model file, or it cannot be read");
}

}  // namespace
}  // namespace hyperdefect::test
