// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/batch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <new>
#include <nlohmann/json.hpp>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/io/cube_writer.h"
#include "hyperdefect/io/map_reader.h"
#include "support/expect_error.h"
#include "support/fits.h"
#include "support/memory_blocks.h"
#include "support/temp_dir.h"

namespace hyperdefect::engine {
namespace {

/// The first band is the score, the threshold 10; it counts its cubes.
class FirstBand : public CubeScorer {
 public:
  ScoredCube score(preprocess::BlockSource& source, const std::filesystem::path& relative,
                   ProgressMonitor&) override {
    scored.push_back(relative.generic_string());
    const auto block = source.read(whole(source.size()));
    if (after_score) {
      after_score();
    }
    return {{block.values[0].clone(), torch::zeros_like(block.values[0]), block.valid},
            {.threshold = 10.0, .min_pixels = 2},
            {}};
  }
  std::vector<std::string> scored;
  std::function<void()> after_score;
};

class Batch : public ::testing::Test {
 protected:
  Batch() {
    auto quiet = torch::ones({3, 6, 8});
    auto defective = quiet.clone();
    defective[0][2][3] = 20.0;
    defective[0][2][4] = 30.0;
    defective[0][5][7] = 40.0;
    write("a", quiet);
    write("sub/b", defective);
    job_.output = folder_ / "maps";
    job_.made_with = {"1.0.0", "infer", "c0ffee", "beef", 1, 1};
    job_.config.threshold.min_pixels = 2;
  }

  void write(const std::string& name, const torch::Tensor& values) {
    const auto path = folder_ / ("cubes/" + name + ".img");
    std::filesystem::create_directories(path.parent_path());
    io::write_envi(path, values, test::regular_bands(3));
    job_.cubes.push_back({path, name});
  }

  void truncate(const std::string& name) {
    std::filesystem::resize_file(folder_ / ("cubes/" + name + ".img"), 100);
  }

  BatchReport run() {
    const auto claim = claim_outputs(job_);
    return run_batch(job_, scorer_, monitor_, [](std::size_t, const files::CubeInput&) {});
  }

  bool exists(const std::string& name) const { return std::filesystem::exists(job_.output / name); }

  test::TempDir folder_;
  BatchJob job_;
  FirstBand scorer_;
  ProgressMonitor monitor_;
};

TEST_F(Batch, WritesTheResultsOfEachCube) {
  std::vector<std::size_t> begun;
  const auto report =
      run_batch(job_, scorer_, monitor_, [&](std::size_t number, const auto&) { begun.push_back(number); });
  EXPECT_EQ(begun, (std::vector<std::size_t>{1, 2}));
  ASSERT_EQ(report.rows.size(), 2U);
  EXPECT_EQ(report.rows[0].verdict, decision::Verdict::accepted);
  EXPECT_EQ(report.rows[0].valid_share, 1.0);
  const auto& row = report.rows[1];
  EXPECT_EQ(row.verdict, decision::Verdict::rejected);
  EXPECT_EQ(row.reason, "1 defect");
  EXPECT_EQ(row.defects, 1);
  EXPECT_EQ(row.defect_pixels, 2) << "a single pixel is too small to be a defect";
  EXPECT_EQ(row.score_max, 40.0);
  EXPECT_EQ(row.bands, 3);
  for (const char* file : {"a_score.tif", "a_sad.tif", "a_defects.tif", "a_overlay.png", "a.json",
                           "sub/b_score.tif", "sub/b.json", "scores.csv", "summary.json", "config.yaml"}) {
    EXPECT_TRUE(exists(file)) << file;
  }
  EXPECT_EQ(read_row(job_.output / "sub/b.json")->row.defects, 1);
  const auto defects = io::read_map(job_.output / "sub/b_defects.tif");
  EXPECT_EQ(defects.sum().item<double>(), 2.0);
  const auto summary = nlohmann::json::parse(test::read_bytes(job_.output / "summary.json"));
  EXPECT_EQ(summary.at("totals").at("rejected"), 1);
}

TEST_F(Batch, LeavesOutWhatTheConfigurationSays) {
  job_.config.output.sad = job_.config.output.overlay = false;
  run();
  EXPECT_TRUE(exists("a_score.tif"));
  EXPECT_FALSE(exists("a_sad.tif"));
  EXPECT_FALSE(exists("a_overlay.png"));
}

TEST_F(Batch, MarksInvalidPixels) {
  auto values = torch::ones({3, 6, 8});
  values.select(1, 0).fill_(0.0);
  write("c", values);
  const auto report = run();
  EXPECT_EQ(report.rows[2].invalid_pixels, 8);
  EXPECT_EQ(io::read_map(job_.output / "c_defects.tif")[0].isnan().sum().item<std::int64_t>(), 8);
}

TEST_F(Batch, ResumeScoresOnlyWhatIsNotFinished) {
  const auto first = run();
  std::filesystem::remove(job_.output / "sub/b.json");
  job_.existing = Existing::resume;
  const auto report = run();
  EXPECT_EQ(scorer_.scored, (std::vector<std::string>{"a", "sub/b", "sub/b"}));
  EXPECT_EQ(report.skipped, 1);
  ASSERT_EQ(report.rows.size(), 2U);
  EXPECT_EQ(report.rows[0].score_max, first.rows[0].score_max);
  EXPECT_EQ(report.rows[0].seconds, first.rows[0].seconds);
}

TEST_F(Batch, ResumeRefusesTheResultsOfAnotherRun) {
  run();
  job_.existing = Existing::resume;
  for (const auto& change : std::vector<std::function<void(Provenance&)>>{
           [](Provenance& p) { p.configuration = "other"; }, [](Provenance& p) { p.model = "other"; },
           [](Provenance& p) { p.version = "other"; }, [](Provenance& p) { p.seed = 2; },
           [](Provenance& p) { p.threads = 2; }, [](Provenance& p) { p.command = "detect"; }}) {
    auto other = job_;
    change(other.made_with);
    HYPERDEFECT_EXPECT_ERROR(claim_outputs(other), UsageError,
                             (job_.output / "a.json").string() + " was made by another run");
  }
  EXPECT_NO_THROW(claim_outputs(job_));
}

TEST_F(Batch, ReplacesNothingUnasked) {
  run();
  HYPERDEFECT_EXPECT_ERROR(claim_outputs(job_), UsageError,
                           (job_.output / "a.json").string() +
                               " exists: nothing was done; choose another folder with -o, replace it with "
                               "--overwrite, or continue with --resume");
  job_.existing = Existing::overwrite;
  EXPECT_EQ(run().skipped, 0);
  EXPECT_EQ(scorer_.scored.size(), 4U);
}

TEST_F(Batch, RefusesTheTableOfAnEarlierRun) {
  std::filesystem::create_directories(job_.output);
  test::write_bytes(job_.output / "summary.json", "{}");
  HYPERDEFECT_EXPECT_ERROR(claim_outputs(job_), UsageError, "summary.json exists: nothing was done");
}

TEST_F(Batch, FailedCubeDoesNotStopTheOthers) {
  truncate("a");
  const auto report = run();
  EXPECT_EQ(report.failed, 1);
  ASSERT_EQ(report.rows.size(), 2U);
  EXPECT_FALSE(report.rows[0].ok);
  EXPECT_NE(report.rows[0].error.find("is truncated"), std::string::npos) << report.rows[0].error;
  EXPECT_TRUE(report.rows[1].ok);
  EXPECT_FALSE(exists("a.json"));
  EXPECT_NE(test::read_bytes(job_.output / "scores.csv").find(",failed,,false,,,"), std::string::npos);
}

TEST_F(Batch, SingleCubeThatFailsIsTheRunsError) {
  truncate("a");
  job_.cubes.resize(1);
  HYPERDEFECT_EXPECT_ERROR(run(), InputError, "is truncated");
}

TEST_F(Batch, InterruptedRunLeavesWhatIsFinished) {
  scorer_.after_score = [this] {
    if (scorer_.scored.size() == 2) {
      throw Interrupted("stopped");
    }
  };
  EXPECT_THROW(run(), Interrupted);
  EXPECT_TRUE(exists("a.json"));
  EXPECT_FALSE(exists("sub/b.json"));
  EXPECT_FALSE(exists("summary.json"));
  scorer_.after_score = nullptr;
  job_.existing = Existing::resume;
  EXPECT_EQ(run().skipped, 1);
  EXPECT_TRUE(exists("summary.json"));
}

struct Foreign {
  const char* what;
  std::function<void()> thrown;
  const char* reason;
};

class ForeignException : public Batch, public ::testing::WithParamInterface<Foreign> {};

TEST_P(ForeignException, IsTheRowOfItsCube) {
  scorer_.after_score = [this] {
    if (scorer_.scored.back() == "a") {
      GetParam().thrown();
    }
  };
  const auto report = run();
  ASSERT_EQ(report.rows.size(), 2U);
  EXPECT_EQ(report.failed, 1);
  EXPECT_FALSE(report.rows[0].ok);
  EXPECT_EQ(report.rows[0].verdict, decision::Verdict::none);
  EXPECT_EQ(report.rows[0].error.rfind((folder_ / "cubes/a.img").string() + ": " + GetParam().reason, 0), 0U)
      << report.rows[0].error;
  EXPECT_EQ(report.rows[0].error.find('\n'), std::string::npos);
  EXPECT_EQ(report.rows[1].verdict, decision::Verdict::rejected);
  EXPECT_FALSE(exists("a.json"));
  EXPECT_TRUE(exists("summary.json"));
  job_.cubes.resize(1);
  job_.existing = Existing::overwrite;
  const auto alone = test::message_of<Error>([this] { run(); });
  EXPECT_EQ(alone, report.rows[0].error);
}

INSTANTIATE_TEST_SUITE_P(
    Batch, ForeignException,
    ::testing::Values(Foreign{"LibTorch", [] { TORCH_CHECK(false, "linalg.cholesky failed"); },
                              "linalg.cholesky failed"},
                      Foreign{"file_system",
                              [] {
                                throw std::filesystem::filesystem_error(
                                    "cannot do", "x", std::make_error_code(std::errc::filename_too_long));
                              },
                              "filesystem error: cannot do: File name too long"},
                      Foreign{"memory", [] { throw std::bad_alloc(); }, "out of memory: lower run.ram_mb"},
                      Foreign{"standard", [] { std::vector<int>().at(1); }, "vector::_M_range_check"},
                      Foreign{"own_failure", [] { throw Error("cannot write x"); }, "cannot write x"},
                      Foreign{"own_model_error", [] { throw ModelError("lacks a band"); }, "lacks a band"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST_F(Batch, StopsWhenTheDiskTakesNothingMore) {
  scorer_.after_score = [] { throw StorageError("cannot write a: No space left on device"); };
  HYPERDEFECT_EXPECT_ERROR(run(), StorageError, "No space left on device");
  EXPECT_EQ(scorer_.scored.size(), 1U);
  EXPECT_FALSE(exists("summary.json"));
}

TEST_F(Batch, NamesThatAreTooLongForTheDiskAreRows) {
  write(std::string(245, 'n'), torch::ones({3, 6, 8}));
  const auto report = run();
  ASSERT_EQ(report.rows.size(), 3U);
  EXPECT_TRUE(report.rows[0].ok && report.rows[1].ok);
  EXPECT_NE(report.rows[2].error.find("File name too long"), std::string::npos) << report.rows[2].error;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(job_.output), {}), 4 + 5 + 1)
      << "nothing is left of the cube that failed";
}

TEST_F(Batch, CubeThatChangesWhileItIsReadIsUndecidedAndHasNoMaps) {
  for (const auto existing : {Existing::refuse, Existing::overwrite}) {
    job_.existing = existing;
    scorer_.after_score = [this] {
      if (scorer_.scored.back() == "sub/b") {
        std::filesystem::last_write_time(folder_ / "cubes/sub/b.hdr",
                                         std::filesystem::file_time_type::clock::now());
      }
    };
    const auto report = run();
    EXPECT_EQ(report.undecided, 1);
    EXPECT_EQ(report.rows[1].verdict, decision::Verdict::undecided);
    EXPECT_NE(report.rows[1].reason.find("it changed while it was read ("), std::string::npos);
    EXPECT_NE(report.rows[1].reason.find("b.hdr was modified"), std::string::npos) << report.rows[1].reason;
    EXPECT_TRUE(exists("sub/b.json"));
    for (const auto* file : {"sub/b_score.tif", "sub/b_defects.tif", "sub/b_sad.tif", "sub/b_overlay.png"}) {
      EXPECT_FALSE(exists(file)) << file;
    }
  }
  scorer_.after_score = nullptr;
  job_.existing = Existing::resume;
  const auto resumed = run();
  EXPECT_EQ(resumed.skipped, 1);
  EXPECT_EQ(resumed.rows[1].verdict, decision::Verdict::rejected);
}

TEST_F(Batch, CubeThatFailsBecauseItShrankIsUndecided) {
  scorer_.after_score = [this] {
    if (scorer_.scored.back() == "sub/b") {
      truncate("sub/b");
      throw InputError("reading rows 3 to 5 failed");
    }
  };
  const auto report = run();
  EXPECT_EQ(report.rows[1].verdict, decision::Verdict::undecided);
  EXPECT_NE(report.rows[1].reason.find("bytes and has 100 now"), std::string::npos) << report.rows[1].reason;
}

TEST_F(Batch, ResumeJudgesAgainWhatIsNotTheRowsOwn) {
  run();
  job_.existing = Existing::resume;
  const auto judged_again = [this](const std::function<void()>& change) {
    scorer_.scored.clear();
    change();
    run();
    return scorer_.scored;
  };
  using Names = std::vector<std::string>;
  const auto data = folder_ / "cubes/a.img";
  EXPECT_EQ(judged_again([] {}), Names());
  const auto later = [](const std::filesystem::path& file) {
    std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(1));
  };
  EXPECT_EQ(judged_again([&] { later(data); }), Names{"a"});
  EXPECT_EQ(judged_again([&] { later(folder_ / "cubes/a.hdr"); }), Names{"a"});
  EXPECT_EQ(judged_again([] {}), Names());
  for (const auto* file : {"a_score.tif", "a_sad.tif", "a_defects.tif", "a_overlay.png", "a.json"}) {
    EXPECT_EQ(judged_again([&] { std::filesystem::remove(job_.output / file); }), Names{"a"}) << file;
  }
  EXPECT_EQ(judged_again([this] { job_.saves_models = true; }), (Names{"a", "sub/b"})) << "no model is there";
}

TEST_F(Batch, ResumeReplacesTheResultOfAnotherCubeOfTheSameName) {
  run();
  write("tue/a", 9 * torch::ones({3, 6, 8}));
  job_.cubes = {{job_.cubes.back().path, "a"}};
  job_.existing = Existing::resume;
  const auto report = run();
  ASSERT_EQ(report.rows.size(), 1U);
  EXPECT_EQ(report.rows[0].score_max, 9.0);
  EXPECT_EQ(read_row(job_.output / "a.json")->row.file, job_.cubes[0].path.string());
}

TEST_F(Batch, TablesCoverTheWholeFolder) {
  const auto all = job_.cubes;
  write("c", torch::ones({3, 6, 8}));
  const auto last = job_.cubes.back();
  truncate("a");
  job_.cubes = all;
  run();
  job_.cubes = {last};
  job_.existing = Existing::resume;
  EXPECT_EQ(run().others, 2);
  const auto csv = test::read_bytes(job_.output / "scores.csv");
  for (const auto* line : {"/c.img,ok,accepted,", "/sub/b.img,ok,rejected,", "/a.img,failed,,"}) {
    EXPECT_NE(csv.find(line), std::string::npos) << line << " is not in\n" << csv;
  }
  EXPECT_EQ(nlohmann::json::parse(test::read_bytes(job_.output / "summary.json")).at("totals").at("cubes"),
            3);
}

TEST_F(Batch, TablesLeaveOutWhatAnotherRunMade) {
  const auto all = job_.cubes;
  run();
  job_.cubes = {all[1]};
  job_.existing = Existing::overwrite;
  job_.made_with.model = "other";
  EXPECT_EQ(run().others, 0);
  EXPECT_EQ(test::read_bytes(job_.output / "scores.csv").find("/a.img"), std::string::npos);
  job_.existing = Existing::resume;
  HYPERDEFECT_EXPECT_ERROR(run(), UsageError, (job_.output / "a.json").string() + " was made by another run");
}

TEST_F(Batch, IsHeldByOneRunAtATime) {
  const auto claim = claim_outputs(job_);
  for (const auto existing : {Existing::refuse, Existing::overwrite, Existing::resume}) {
    job_.existing = existing;
    HYPERDEFECT_EXPECT_ERROR(claim_outputs(job_), UsageError,
                             job_.output.string() + " is in use by another run (process " +
                                 std::to_string(::getpid()) +
                                 ", infer, model beef, configuration c0ffee): nothing was done");
  }
}

TEST_F(Batch, ResultsNeverLandOutsideTheOutput) {
  const auto cube = job_.cubes[0].path;
  for (const auto* relative : {"../a", "x/../../a", "/a", ".."}) {
    job_.cubes = {{cube, relative}};
    HYPERDEFECT_EXPECT_ERROR(claim_outputs(job_), UsageError, "would not land in the output folder");
  }
  std::filesystem::create_directories(folder_ / "outside");
  std::filesystem::create_directories(job_.output);
  test::write_bytes(folder_ / "outside/a.json", "mine");
  std::filesystem::create_directory_symlink(folder_ / "outside", job_.output / "day");
  for (const auto existing : {Existing::refuse, Existing::overwrite, Existing::resume}) {
    job_.cubes = {{cube, "day/b"}, {cube, "day/deeper/b"}, {cube, "a"}};
    job_.existing = existing;
    const auto report = run();
    EXPECT_EQ(report.failed, 2);
    EXPECT_NE(report.rows[0].error.find("which is not in the output folder"), std::string::npos);
    EXPECT_TRUE(report.rows[2].ok);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "outside"), {}), 1);
  }
}

TEST_F(Batch, SaysThatTheFolderCannotBeWritten) {
  test::write_bytes(folder_ / "file", "not a folder");
  job_.output = folder_ / "file/maps";
  HYPERDEFECT_EXPECT_ERROR(claim_outputs(job_), UsageError,
                           "cannot make the output folder " + job_.output.string() + ": ");
  job_.output = "/proc";
  HYPERDEFECT_EXPECT_ERROR(claim_outputs(job_), UsageError, "cannot write into the output folder /proc: ");
}

TEST_F(Batch, SceneScorerFitsEachCubeAndKeepsItsModel) {
  const auto values = test::smooth_scene(6, {20, 20}, 1);
  auto config = test::tiny_config();
  config.train.epochs = 1;
  config.threshold.method = model::ThresholdMethod::quantile;
  config.threshold.quantile = 0.5;
  const auto cube = test::memory_blocks(values);
  SceneScorer scorer(config, folder_ / "models");
  const auto scored = scorer.score(*cube, "day/scan", monitor_);
  EXPECT_EQ(scored.maps.score.gt(scored.rule.threshold).sum().item<std::int64_t>(), 200);
  const auto model =
      std::make_shared<model::FittedModel>(model::load_model(folder_ / "models/day/scan_model.safetensors"));
  EXPECT_EQ(model->threshold, scored.rule.threshold);
  ModelScorer again(model, 4096);
  EXPECT_TRUE(torch::equal(again.score(*cube, "day/scan", monitor_).maps.score, scored.maps.score));
  EXPECT_FALSE(torch::equal(scorer.score(*cube, "other", monitor_).maps.score, scored.maps.score))
      << "a cube's random numbers come from its path";
}

}  // namespace
}  // namespace hyperdefect::engine
