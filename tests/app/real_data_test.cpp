// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <map>
#include <nlohmann/json.hpp>

#include "support/program.h"
#include "support/small_runs.h"
#include "support/test_data.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

nlohmann::json evaluated(const fs::path& maps, const fs::path& truth) {
  const auto outcome = run_program({"eval", maps, "--truth", truth, "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return nlohmann::json::parse(outcome.out);
}

TEST(RealData, RxOnAScenesOwnStatisticsGivesThePublishedAuroc) {
  HYPERDEFECT_NEEDS_DATA();
  const std::map<std::string, double> published{
      {"abu-airport-2", 0.8404}, {"abu-urban-3", 0.9513}, {"hydice-urban", 0.9857}};
  const auto scenes = data_dir() / "scenes";
  const TempDir folder;
  const auto detected = run_program(
      joined({"detect", scenes / "abu-airport-2.img", scenes / "abu-urban-3.tif", scenes / "hydice-urban.img",
              "-o", folder / "maps", "--set", "output.overlay=false"},
             rx()));
  ASSERT_EQ(detected.exit_code, 0) << detected.err;
  const auto json = evaluated(folder / "maps", scenes);
  ASSERT_EQ(json["cubes"].size(), published.size());
  for (const auto& cube : json["cubes"]) {
    EXPECT_NEAR(cube["auroc"].get<double>(), published.at(cube["cube"]), 0.0005) << cube["cube"];
  }
}

/// The AUROC of each folder of implants, for a detector that was trained on the regions without implants.
std::map<std::string, double> auroc_of_implants(const std::vector<std::string>& options) {
  const TempDir folder;
  const auto model = (folder / "m.safetensors").string();
  const auto wafer = (data_dir() / "wafer").string();
  const auto trained =
      run_program(joined({"train", wafer + "/*{01,02,03,04,08,09,10,11}.img", "-o", model}, options));
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "trained on 8 cubes"));
  const auto inferred = run_program({"infer", "-m", model, data_dir() / "implants", "-o", folder / "maps",
                                     "--threads", "1", "--set", "output.overlay=false"});
  EXPECT_EQ(inferred.exit_code, 0) << inferred.err;
  std::map<std::string, double> auroc;
  const auto json = evaluated(folder / "maps", data_dir() / "implants");
  for (const auto& part : json["folders"]) {
    auroc[part["folder"]] = part["auroc"];
  }
  return auroc;
}

TEST(RealData, RxTrainedOnDefectFreeRegionsFindsImplants) {
  HYPERDEFECT_NEEDS_DATA();
  const auto auroc = auroc_of_implants(rx());
  ASSERT_EQ(auroc.size(), 4U);
  EXPECT_NEAR(auroc.at("a05"), 0.8871, 0.0005);
  EXPECT_NEAR(auroc.at("a10"), 0.9153, 0.0005);
  EXPECT_NEAR(auroc.at("a20"), 0.9745, 0.0005);
  EXPECT_NEAR(auroc.at("a40"), 0.9993, 0.0005);
}

TEST(RealData, LikelihoodTrainedOnDefectFreeRegionsFindsFaintImplants) {
  HYPERDEFECT_NEEDS_DATA();
  const auto auroc = auroc_of_implants({"--threads", "1", "--set", "model.detector=likelihood_ratio"});
  ASSERT_EQ(auroc.size(), 4U);
  EXPECT_GT(auroc.at("a05"), 0.994);
  EXPECT_GT(auroc.at("a10"), 0.9985);
  EXPECT_GT(auroc.at("a20"), 0.9995);
  EXPECT_GT(auroc.at("a40"), 0.9999);
}

/// The files in the folder that a user would hand to the program: those that are neither text nor masks.
std::vector<std::string> data_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(data_dir() / folder)) {
    const auto extension = entry.path().extension();
    if (entry.is_regular_file() && extension != ".hdr" && extension != ".png" && extension != ".zip" &&
        extension != ".txt" && extension != ".md") {
      files.push_back(entry.path());
    }
  }
  return files;
}

TEST(RealData, EveryFileIsOpenedOrRefusedForItsReason) {
  HYPERDEFECT_NEEDS_DATA();
  std::vector<std::string> arguments{"info", "--json"};
  for (const auto* folder : {"scenes", "wafer", "calibration", "envi", "spaceborne"}) {
    arguments = joined(arguments, data_files(folder));
  }
  const auto outcome = run_program(arguments);
  EXPECT_EQ(outcome.exit_code, 5);
  std::map<std::string, std::string> refused;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_GT(json.size(), 35U);
  for (const auto& entry : json) {
    const auto name = fs::path(entry["file"].get<std::string>()).filename().string();
    if (entry.contains("error")) {
      refused[name] = entry["error"];
    } else {
      EXPECT_EQ(entry["kind"], "cube") << name;
    }
  }
  EXPECT_EQ(refused.size(), 3U);
  EXPECT_TRUE(contains(refused["rit_thor_classmap.img"], "is a classification map, not a cube"));
  EXPECT_TRUE(contains(refused["ort_img"], "is an ESRI header, not an ENVI header"));
  EXPECT_TRUE(contains(refused["ort_glt"], "is an ESRI header, not an ENVI header"));
}

}  // namespace
}  // namespace hyperdefect::test
