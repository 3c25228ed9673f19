// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include "hyperdefect/io/cube_reader.h"
#include "hyperdefect/io/cube_writer.h"
#include "hyperdefect/io/mask_reader.h"
#include "hyperdefect/io/mask_writer.h"
#include "support/program.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

/// Small scenes into the folder.
Outcome synth(const fs::path& folder, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"synth", "-o", folder, "--rows", "12", "--cols", "10", "--bands", "5"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

/// The bytes of all files of a stem, one after the other.
std::string bytes_of(const fs::path& stem) {
  return read_bytes(stem.string() + ".img") + read_bytes(stem.string() + ".hdr") +
         read_bytes(stem.string() + "_mask.png");
}

spectral::Block read_cube(const fs::path& file) {
  io::CubeReader reader(format::read_cube_info(file));
  return reader.read(whole(reader.info().size()));
}

/// A cube of 8 x 6 pixels and 4 bands, with georeference, whose first row is missing.
spectral::Bands write_flat_cube(const fs::path& file) {
  fs::create_directories(file.parent_path());
  spectral::Bands bands{4, {500, 600, 700, 800}, {5, 5, 5, 5}, {true, true, false, true}};
  auto values = torch::full({4, 8, 6}, 100.0);
  values.select(1, 0).zero_();
  io::EnviWriteOptions options;
  options.data_type = "uint16";
  options.georeference.transform = {{1000, 2, 0, 2000, 0, -2}};
  io::write_envi(file, values, bands, options);
  return bands;
}

TEST(Synth, MakesScenesWithMasks) {
  const TempDir folder;
  const auto outcome =
      synth(folder / "scenes", {"--scenes", "2", "--defects", "2", "--wavelengths", "500", "900"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(
      contains(outcome.out, (folder / "scenes/scene_002.img").string() + ": 12 x 10 pixels, 5 bands, "));
  const auto info = format::read_cube_info(folder / "scenes/scene_001.img");
  EXPECT_EQ(info.data_type, "float32");
  EXPECT_EQ(info.bands.wavelengths_nm, (std::vector<double>{500, 600, 700, 800, 900}));
  const auto mask = io::read_mask(folder / "scenes/scene_001_mask.png");
  EXPECT_EQ(mask.sizes(), torch::IntArrayRef({12, 10}));
  EXPECT_GT(mask.sum().item<int>(), 0);
  EXPECT_NE(bytes_of(folder / "scenes/scene_001"), bytes_of(folder / "scenes/scene_002"));
}

TEST(Synth, SameSeedGivesTheSameBytesHoweverManyScenes) {
  const TempDir folder;
  synth(folder / "a", {"--seed", "5"});
  synth(folder / "b", {"--seed", "5", "--scenes", "2"});
  EXPECT_EQ(bytes_of(folder / "a/scene_001"), bytes_of(folder / "b/scene_001"));
}

TEST(Synth, ReplacesNothingUnasked) {
  const TempDir folder;
  synth(folder.path());
  const auto before = bytes_of(folder / "scene_001");
  const auto image = (folder / "scene_001.img").string();
  expect_failure(
      synth(folder.path(), {"--seed", "1"}), 2,
      image + " exists: nothing was done; choose another folder with -o, or replace it with --overwrite");
  EXPECT_EQ(bytes_of(folder / "scene_001"), before);
  EXPECT_EQ(synth(folder.path(), {"--seed", "1", "--overwrite"}).exit_code, 0);
  EXPECT_NE(bytes_of(folder / "scene_001"), before);
}

TEST(Synth, SceneWithoutDefectsHasNoMaskAndKeepsNoOldOne) {
  const TempDir folder;
  synth(folder.path());
  ASSERT_TRUE(fs::exists(folder / "scene_001_mask.png"));
  EXPECT_EQ(synth(folder.path(), {"--defects", "0", "--overwrite"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder / "scene_001.img"));
  EXPECT_FALSE(fs::exists(folder / "scene_001_mask.png"));
}

TEST(Synth, ImplantsIntoCubes) {
  const TempDir folder;
  const auto bands = write_flat_cube(folder / "in/day1/scan.img");
  const auto outcome =
      run_program({"synth", "-o", folder / "out", "--into", folder / "in", "--kinds", "material", "--defects",
                   "2", "--area", "2", "4", "--abundance", "0.5", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto info = format::read_cube_info(folder / "out/day1/scan.img");
  EXPECT_EQ(info.bands, bands);
  EXPECT_EQ(info.georeference.transform, (std::array<double, 6>{1000, 2, 0, 2000, 0, -2}));
  const auto block = read_cube(folder / "out/day1/scan.img");
  EXPECT_FALSE(block.valid.select(0, 0).any().item<bool>());
  EXPECT_TRUE(block.valid.slice(0, 1).all().item<bool>());
  const auto mask = io::read_mask(folder / "out/day1/scan_mask.png");
  const auto changed = (block.values - 100).abs().amax(0) > 1e-3;
  EXPECT_FALSE(mask.select(0, 0).any().item<bool>());
  EXPECT_TRUE(mask.logical_and(changed.logical_not()).sum().item<int>() == 0);
  EXPECT_GT(mask.sum().item<int>(), 0);
  EXPECT_LT(mask.sum().item<int>(), 30);
}

/// A flat cube of 8 x 6 pixels in "in", whose mask in "truth" marks the pixel (6, 1); output goes to "out".
class SynthIntoLabelled : public ::testing::Test {
 protected:
  void SetUp() override {
    write_flat_cube(folder_ / "in/day1/scan.img");
    auto mask = torch::zeros({8, 6}, torch::kBool);
    mask.index_put_({6, 1}, true);
    fs::create_directories(folder_ / "truth/day1");
    io::write_mask(folder_ / "truth/day1/scan_mask.png", mask);
  }

  Outcome synth_into(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"synth",        "-o",      folder_ / "out",  "--into",
                                       folder_ / "in", "--truth", folder_ / "truth"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  spectral::Block cube() const { return read_cube(folder_ / "out/day1/scan.img"); }
  torch::Tensor mask() const { return io::read_mask(folder_ / "out/day1/scan_mask.png"); }

  TempDir folder_;
};

TEST_F(SynthIntoLabelled, TurnsTheCubeWithItsMask) {
  const auto outcome = synth_into({"--defects", "0", "--flip", "--turn", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "scan.img: 6 x 8 pixels, 4 bands, 1 defect pixel\n"));
  const auto turned = cube();
  EXPECT_FALSE(turned.valid.select(1, 0).any().item<bool>());
  EXPECT_EQ(turned.valid.sum().item<int>(), 42);
  EXPECT_TRUE(mask()[1][6].item<bool>());
  EXPECT_TRUE(format::read_cube_info(folder_ / "out/day1/scan.img").georeference.empty());
}

TEST_F(SynthIntoLabelled, ZoomsTheCubeWithItsMask) {
  ASSERT_EQ(synth_into({"--defects", "0", "--zoom", "2"}).exit_code, 0);
  EXPECT_EQ(mask().sum().item<int>(), 4);
  EXPECT_TRUE(mask()[13][3].item<bool>());
  const auto values = cube().values.masked_select(cube().valid);
  EXPECT_NEAR(values.min().item<double>(), 100, 1e-3);
  EXPECT_NEAR(values.max().item<double>(), 100, 1e-3);
}

TEST_F(SynthIntoLabelled, AddsDefectsToThoseThatAreKnown) {
  ASSERT_EQ(synth_into({"--defects", "1", "--area", "1", "2", "--kinds", "fringe"}).exit_code, 0);
  EXPECT_TRUE(mask()[6][1].item<bool>());
  EXPECT_GE(mask().sum().item<int>(), 2);
  EXPECT_LT((cube().values.slice(1, 6, 7).slice(2, 1, 2) - 100).abs().max().item<double>(), 1e-3);
}

TEST_F(SynthIntoLabelled, DisturbsTheMeasurement) {
  ASSERT_EQ(
      synth_into({"--defects", "0", "--gain", "2", "--tilt", "0.5", "--reverse-bands", "--missing", "0.5"})
          .exit_code,
      0);
  const auto disturbed = cube();
  EXPECT_EQ(disturbed.valid.sum().item<int>(), 21);
  EXPECT_NEAR(disturbed.values[0].masked_select(disturbed.valid).max().item<double>(), 300, 1e-3);
  const auto info = format::read_cube_info(folder_ / "out/day1/scan.img");
  EXPECT_EQ(info.bands.wavelengths_nm, (std::vector<double>{800, 700, 600, 500}));
  EXPECT_TRUE(info.georeference.transform.has_value());
}

TEST_F(SynthIntoLabelled, DisturbanceLeavesTheImplantsTheSame) {
  const std::vector<std::string> implants{"--defects", "2", "--area", "2", "4"};
  ASSERT_EQ(synth_into(implants).exit_code, 0);
  const auto plain = cube().values;
  std::vector<std::string> brighter{"--gain", "4", "--overwrite"};
  brighter.insert(brighter.end(), implants.begin(), implants.end());
  ASSERT_EQ(synth_into(brighter).exit_code, 0);
  EXPECT_TRUE((cube().values / 4).nan_to_num().allclose(plain.nan_to_num()));
}

TEST_F(SynthIntoLabelled, SaysWhichMaskIsMissing) {
  fs::remove(folder_ / "truth/day1/scan_mask.png");
  expect_failure(synth_into({}), 3,
                 "scan.img: has no mask in " + (folder_ / "truth").string() + "; looked for " +
                     (folder_ / "truth/day1/scan_mask.png").string() + " (or .tif)");
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(SynthIntoLabelled, RefusesTheMaskOfAnotherCube) {
  io::write_mask(folder_ / "truth/day1/scan_mask.png", torch::zeros({6, 8}, torch::kBool));
  expect_failure(synth_into({}), 3, "scan_mask.png has 6 x 8 pixels (rows x cols), but its cube ");
}

TEST_F(SynthIntoLabelled, RefusesTransformsOutOfRange) {
  expect_failure(synth_into({"--zoom", "0"}), 2, "transform: zoom is 0; allowed: 1/64 to 64");
  expect_failure(synth_into({"--missing", "2"}), 2, "transform: missing is 2; allowed: 0 to 1");
}

TEST(Synth, NeverWritesOverItsInput) {
  const TempDir folder;
  write_flat_cube(folder / "scan.dat");
  const auto refused =
      run_program({"synth", "-o", folder.path(), "--into", folder / "scan.dat", "--overwrite"});
  expect_failure(refused, 2, (folder / "scan.hdr").string() + " belongs to the input: choose another folder");
  EXPECT_FALSE(fs::exists(folder / "scan.img"));
}

TEST(Synth, RefusesFoldersThatCannotBeMade) {
  const TempDir folder;
  write_bytes(folder / "file", "");
  expect_failure(synth(folder / "file/scenes"), 2, "cannot make the output folder ");
}

TEST(Synth, RefusesOptionsOutOfRange) {
  const TempDir folder;
  expect_failure(synth(folder.path(), {"--abundance", "0", "0.5"}), 2,
                 "synthetic scene: min_abundance is 0; allowed: more than 0");
  expect_failure(synth(folder.path(), {"--scenes", "0"}), 2, "--scenes: Value 0 not in range 1 to ");
  expect_failure(synth(folder.path(), {"--kinds", "scratch"}), 2, "--kinds: scratch not in {");
  expect_failure(synth(folder.path(), {"--into", "a.img"}), 2,
                 "--rows describes new scenes and has no meaning with --into: leave out one of the two");
  expect_failure(synth(folder.path(), {"--zoom", "2"}), 2,
                 "--zoom changes given cubes: name them with --into");
}

TEST(Synth, NamesACubeThatIsMissing) {
  const TempDir folder;
  expect_failure(run_program({"synth", "-o", folder.path(), "--into", "none.img"}), 3,
                 "none.img: there is no such file or folder");
}

}  // namespace
}  // namespace hyperdefect::test
