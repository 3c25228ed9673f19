// SPDX-License-Identifier: Apache-2.0
#include <gdal_priv.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <torch/types.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/io/map_reader.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"
#include "support/tiff_files.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

Outcome detect(const Names& inputs, const fs::path& output, const Names& more = rx()) {
  return run_program(joined(joined({"detect", "-o", output}, inputs), more));
}

/// The defects of write_small_cube() are found, and nothing else.
Names with_threshold(const std::string& value) {
  return joined(rx(), {"--set", "score.calibration=none", "--set", "threshold.method=manual", "--set",
                       "threshold.value=" + value});
}

std::string tag_of(const fs::path& file, const char* name) {
  GDALAllRegister();
  const GDALDatasetUniquePtr dataset(GDALDataset::Open(file.c_str()));
  const char* tag = dataset->GetMetadataItem(name);
  return tag == nullptr ? "" : tag;
}

constexpr std::array<double, 6> kPlace{500000, 30, 0, 5000000, 0, -30};

/// A georeferenced GeoTIFF of 6 bands and 20 x 18 pixels.
void write_placed_tiff(const fs::path& file) {
  const auto values = mixtures(6, 20, 18, 4);
  TiffCube cube;
  cube.bands = 6;
  cube.type = GDT_Float32;
  cube.describe = [](GDALDataset& dataset) {
    OGRSpatialReference crs;
    crs.importFromEPSG(32633);
    dataset.SetSpatialRef(&crs);
    auto place = kPlace;
    dataset.SetGeoTransform(place.data());
  };
  write_tiff_cube(file, cube,
                  [&](int band, int row, int col) { return values[band][row][col].item<double>(); });
}

TEST(Detect, WritesThePartsOfAFusedScoreWhenAsked) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "scan.img");
  const auto parts =
      joined(tiny_network(), {"--set", "model.detector=ensemble", "--set", "ensemble.members=[rx, segmenter]",
                              "--set", "output.parts=true", "--set", "score.calibration=none", "--set",
                              "ensemble.compact_weight=0", "--set", "segmenter.fusion_cap=0"});
  const auto outcome = detect({cube}, folder / "maps", parts);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto rx_map = io::read_map(folder / "maps/scan_part_rx.tif");
  const auto segmenter_map = io::read_map(folder / "maps/scan_part_segmenter.tif");
  EXPECT_TRUE(torch::allclose(io::read_map(folder / "maps/scan_score.tif"),
                              rx_map.log1p() + segmenter_map.log1p(), 1e-5));
  const auto again =
      detect({cube}, folder / "maps", joined(parts, {"--set", "output.parts=false", "--overwrite"}));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_FALSE(fs::exists(folder / "maps/scan_part_rx.tif")) << "of an earlier run";
}

TEST(Detect, WritesTheFilesOfACube) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "scan.img");
  const auto outcome = detect({cube}, folder / "maps", with_threshold("6"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(names_below(folder / "maps"),
            (Names{"config.yaml", "objects.csv", "scan.json", "scan_defects.tif", "scan_overlay.png",
                   "scan_sad.tif", "scan_score.tif", "scores.csv", "summary.json"}));

  for (const auto* name : {"scan_score.tif", "scan_sad.tif"}) {
    const auto info = format::read_cube_info(folder / "maps" / name);
    EXPECT_EQ(info.data_type, "float32");
    EXPECT_EQ(info.bands.count, 1);
    EXPECT_EQ(info.size(), (Size{16, 12}));
    ASSERT_TRUE(info.no_data.has_value());
    EXPECT_TRUE(std::isnan(*info.no_data));
    EXPECT_TRUE(info.georeference.empty());
  }
  const auto sad = io::read_map(folder / "maps/scan_sad.tif");
  EXPECT_GE(sad.min().item<double>(), 0);
  EXPECT_LE(sad.max().item<double>(), M_PI);
  const auto info = format::read_cube_info(folder / "maps/scan_defects.tif");
  EXPECT_EQ(info.data_type, "uint8");
  EXPECT_EQ(info.no_data, 255);
  auto expected = torch::zeros({16, 12});
  expected.index_put_({2, torch::indexing::Slice(3, 5)}, 1);
  EXPECT_TRUE(io::read_map(folder / "maps/scan_defects.tif").equal(expected));
  EXPECT_EQ(format::read_cube_info(folder / "maps/scan_overlay.png").driver, "PNG");

  EXPECT_EQ(tag_of(folder / "maps/scan_score.tif", "HYPERDEFECT_THRESHOLD"), "6");
  EXPECT_NE(tag_of(folder / "maps/scan_score.tif", "HYPERDEFECT_VERSION"), "");
  EXPECT_EQ(run_program({"config", "check", folder / "maps/config.yaml"}).exit_code, 0);
}

TEST(Detect, SaysTheSameInAllTables) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "a, b.img");
  const auto outcome = detect({cube}, folder / "maps", with_threshold("6"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(without_progress(outcome.err), "");
  EXPECT_TRUE(contains(outcome.out, "cube"));
  EXPECT_TRUE(contains(outcome.out, cube + "  rejected        1       2 "));

  const auto json = nlohmann::json::parse(read_bytes(folder / "maps/a, b.json"));
  const auto score = io::read_map(folder / "maps/a, b_score.tif").to(torch::kDouble);
  EXPECT_EQ(json["file"], cube);
  EXPECT_EQ(json["status"], "ok");
  EXPECT_EQ(json["verdict"], "rejected");
  EXPECT_EQ(json["reason"], "1 defect");
  EXPECT_EQ(json["valid_share"], 1.0);
  EXPECT_EQ(json["rows"], 16);
  EXPECT_EQ(json["cols"], 12);
  EXPECT_EQ(json["bands"], 8);
  EXPECT_EQ(json["defects"], 1);
  EXPECT_EQ(json["defect_pixels"], 2);
  EXPECT_EQ(json["invalid_pixels"], 0);
  EXPECT_EQ(json["score_max"], score.max().item<double>());
  EXPECT_NEAR(json["score_mean"].get<double>(), score.mean().item<double>(), 1e-12);
  EXPECT_EQ(json["threshold"], 6.0);
  EXPECT_EQ(json["error"], "");
  EXPECT_EQ(json["made_with"]["command"], "detect");

  const auto summary = nlohmann::json::parse(read_bytes(folder / "maps/summary.json"));
  auto row = json;
  row.erase("made_with");
  EXPECT_EQ(summary["cubes"], nlohmann::json::array({row}));
  EXPECT_EQ(summary["totals"]["rejected"], 1);
  EXPECT_EQ(summary["threads"], 1);
  EXPECT_EQ(summary["configuration_yaml"], read_bytes(folder / "maps/config.yaml"));

  const auto csv = read_bytes(folder / "maps/scores.csv");
  const auto fields = csv_fields(csv.substr(csv.find('\n') + 1));
  EXPECT_EQ(
      csv.substr(0, csv.find('\n')),
      "file,status,verdict,accepted,reason,valid_share,rows,cols,bands,defects,defect_pixels,objects,"
      "marked_pixels,invalid_pixels,"
      "score_max,score_mean,"
      "score_p99,sad_max,sad_mean,sad_p99,threshold,evidence_max,min_evidence,seconds,error,white_reference,"
      "dark_reference,dead_elements,region_share,drift");
  EXPECT_EQ(fields[0], '"' + cube + '"');
  EXPECT_EQ(fields[10], "2");
}

TEST(Detect, KeepsTheGeoreference) {
  const TempDir folder;
  write_placed_tiff(folder / "placed.tif");
  ASSERT_EQ(detect({folder / "placed.tif"}, folder / "maps").exit_code, 0);
  const auto place = format::read_cube_info(folder / "placed.tif").georeference;
  ASSERT_EQ(place.transform, kPlace);
  for (const auto* map : {"placed_score.tif", "placed_sad.tif", "placed_defects.tif"}) {
    EXPECT_EQ(format::read_cube_info(folder / "maps" / map).georeference, place) << map;
  }
}

TEST(Detect, KeepsFoldersAndExtensionsWhereStemsAreEqual) {
  const TempDir folder;
  write_small_cube(folder / "in/day1/scan.img", 1);
  write_small_cube(folder / "in/day2/scan.img", 2);
  write_placed_tiff(folder / "in/day2/scan.tif");
  write_small_cube(folder / "in/day2/scan_WHITEREF.img", 3);
  const auto options = joined(rx(), {"--set", "data.references=none"});
  ASSERT_EQ(detect({folder / "in"}, folder / "maps", options).exit_code, 0);
  EXPECT_EQ(names_below(folder / "maps/day1"),
            (Names{"scan.json", "scan_defects.tif", "scan_overlay.png", "scan_sad.tif", "scan_score.tif"}));
  EXPECT_EQ(names_below(folder / "maps/day2"),
            (Names{"scan.img.json", "scan.img_defects.tif", "scan.img_overlay.png", "scan.img_sad.tif",
                   "scan.img_score.tif", "scan.tif.json", "scan.tif_defects.tif", "scan.tif_overlay.png",
                   "scan.tif_sad.tif", "scan.tif_score.tif"}));
}

TEST(Detect, GivesACubeTheSameBytesWhereverItStandsInABatch) {
  const TempDir folder;
  write_small_cube(folder / "in/a.img", 1);
  const auto second = write_small_cube(folder / "in/b.img", 2);
  ASSERT_EQ(detect({folder / "in"}, folder / "batch", tiny_network()).exit_code, 0);
  ASSERT_EQ(detect({second}, folder / "alone", tiny_network()).exit_code, 0);
  const auto batch = files_below(folder / "batch");
  for (const auto& [name, content] : files_below(folder / "alone")) {
    if (name.starts_with("b")) {
      EXPECT_EQ(batch.at(name), content) << name;
    }
  }
  ASSERT_EQ(detect({second}, folder / "other", joined(tiny_network(), {"--seed", "1"})).exit_code, 0);
  EXPECT_NE(batch.at("b_score.tif"), read_bytes(folder / "other/b_score.tif"));
}

TEST(Detect, ExitsWith10OnlyWhereAskedAndADefectIsFound) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "scan.img");
  const auto failing = [&](const std::string& threshold) {
    return detect({cube}, folder / ("maps" + threshold),
                  joined(with_threshold(threshold), {"--fail-on-defect"}));
  };
  EXPECT_EQ(failing("6").exit_code, 10);
  EXPECT_EQ(failing("1000").exit_code, 0);
}

TEST(Detect, PrintsItsSummaryAsJson) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "scan.img");
  const auto outcome = detect({cube}, folder / "maps", joined(rx(), {"--json", "--quiet"}));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(without_progress(outcome.err), "");
  EXPECT_EQ(outcome.out, read_bytes(folder / "maps/summary.json"));
}

TEST(Detect, LogsToStderrUnlessQuiet) {
  const TempDir folder;
  // All bands alike.
  const auto cube =
      write_cube(folder / "alike.img", torch::arange(1, 17, torch::kFloat).view({1, 4, 4}).repeat({3, 1, 1}));
  const auto loud = detect({cube}, folder / "maps");
  EXPECT_EQ(loud.exit_code, 0);
  EXPECT_TRUE(contains(loud.err, "warning: the covariance of 3 bands from 16 pixels is singular"));
  EXPECT_EQ(loud.out.find("warning"), std::string::npos);
  const auto quiet = detect({cube}, folder / "quiet", joined(rx(), {"-q"}));
  EXPECT_EQ(quiet.err, "");
  EXPECT_TRUE(contains(quiet.out, cube + "  accepted"));
}

TEST(Detect, DryRunSaysWhatItWouldDoAndWritesNothing) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "in/scan.img");
  const auto outcome = detect({folder / "in"}, folder / "maps", joined(rx(), {"--dry-run"}));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, cube + " -> " + (folder / "maps/scan").string() + "_score.tif\n");
  EXPECT_FALSE(fs::exists(folder / "maps"));
}

TEST(Detect, TakesNoMoreThreadsThanProcessorsItMayUse) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "scan.img");
  const auto here = "taskset --cpu-list " + std::to_string(::sched_getcpu());
  const auto outcome =
      run_program({"detect", cube, "-o", folder / "maps", "--set", "model.detector=rx"}, here);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(read_bytes(folder / "maps/summary.json"))["threads"], 1);
}

TEST(Detect, SavesAModelThatInferTakesAndScoresAlikeWith) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "scan.img");
  const auto saving = joined(tiny_network(), {"--save-model"});
  ASSERT_EQ(detect({cube}, folder / "maps", saving).exit_code, 0);
  const auto model = (folder / "maps/scan_model.safetensors").string();
  const auto inferred =
      run_program({"infer", "--model", model, cube, "-o", folder / "again", "--threads", "1"});
  ASSERT_EQ(inferred.exit_code, 0) << inferred.err;
  for (const auto* map : {"scan_score.tif", "scan_sad.tif", "scan_defects.tif"}) {
    EXPECT_TRUE(io::read_map(folder / "maps" / map).equal(io::read_map(folder / "again" / map))) << map;
  }
  EXPECT_NE(tag_of(folder / "again/scan_score.tif", "HYPERDEFECT_MODEL"), "");

  fs::create_directories(folder / "third");
  fs::copy_file(model, folder / "third/scan_model.safetensors");
  expect_failure(detect({cube}, folder / "third", saving), 2,
                 (folder / "third/scan_model.safetensors").string() + " exists: nothing was done");
}

/// 6 bands of a slope of 24 x 24 pixels, the bands 2 and 5 with nothing but noise.
torch::Tensor slope_with_noise_bands() {
  torch::manual_seed(1);
  const auto axis = torch::linspace(0.2, 0.8, 24);
  auto values = (axis.view({-1, 1}) * axis).expand({6, 24, 24}) + 0.01 * torch::randn({6, 24, 24});
  for (const int band : {2, 5}) {
    values[band].copy_(0.5 + 0.1 * torch::randn({24, 24}));
  }
  return values;
}

TEST(Detect, LeavesOutBandsOfNoiseAndSoDoesItsModel) {
  const TempDir folder;
  const auto cube = write_cube(folder / "scan.img", slope_with_noise_bands());
  const auto outcome = detect({cube}, folder / "maps", joined(rx(), {"--save-model"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err,
            "info: " + cube +
                ": 2 of 6 bands left out as noise (preprocess.max_noise_fraction), counted from 0: 2, 5\n");
  const auto score = io::read_map(folder / "maps/scan_score.tif");
  const auto inferred = run_program({"infer", "--model", folder / "maps/scan_model.safetensors", cube, "-o",
                                     folder / "again", "--threads", "1"});
  ASSERT_EQ(inferred.exit_code, 0) << inferred.err;
  EXPECT_TRUE(io::read_map(folder / "again/scan_score.tif").equal(score));

  const auto limit = {std::string("--set"), std::string("preprocess.max_noise_fraction=1")};
  const auto kept = detect({cube}, folder / "kept", joined(rx(), limit));
  EXPECT_EQ(without_progress(kept.err), "");
  EXPECT_FALSE(io::read_map(folder / "kept/scan_score.tif").equal(score));
}

TEST(Detect, OverwriteLeavesNothingOfTheEarlierRun) {
  const TempDir folder;
  const auto cube = write_small_cube(folder / "scan.img");
  ASSERT_EQ(detect({cube}, folder / "maps").exit_code, 0);
  const auto again =
      detect({cube}, folder / "maps",
             joined(rx(), {"--overwrite", "--set", "output.sad=false", "--set", "output.overlay=false"}));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(names_below(folder / "maps"),
            (Names{"config.yaml", "objects.csv", "scan.json", "scan_defects.tif", "scan_score.tif",
                   "scores.csv", "summary.json"}));
}

TEST(Detect, AnsweringToItsHelpWorksAsItStands) {
  EXPECT_TRUE(
      contains(run_program({"detect", "--help"}).out, "Example: hyperdefect detect scene.img -o maps\n"));
}

}  // namespace
}  // namespace hyperdefect::test
