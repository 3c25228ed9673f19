// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "hyperdefect/core/text.h"
#include "support/program.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

/// A folder with a cube, a model, results and their truth, so that every command has something to say.
class Output : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempDir>();
    write_small_cube(path("in/scan.img"));
    ASSERT_EQ(run(joined({"train", path("in"), "-o", path("model.safetensors")}, rx())).exit_code, 0);
    ASSERT_EQ(run(joined({"detect", path("in"), "-o", path("maps")}, rx())).exit_code, 0);
    ASSERT_EQ(run({"synth", "-o", path("truth"), "--rows", "16", "--cols", "12", "--bands", "8"}).exit_code,
              0);
    fs::rename(path("truth/scene_001_mask.png"), path("truth/scan_mask.png"));
    write_bytes(path("my.yaml"), "run:\n  seed: 3\n");
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::string path(const std::string& name) { return *folder_ / name; }
  static Outcome run(const Words& words, const std::string& through = "") {
    return run_program(words, through);
  }

  /// A command for each thing that is printed.
  static std::vector<Words> commands() {
    return {{"--version"},
            {"--help"},
            {"synth", "--help"},
            {"config", "show"},
            {"config", "show", "--annotated"},
            {"config", "check", path("my.yaml")},
            {"config", "keys"},
            {"config", "keys", "--json"},
            {"info", path("in/scan.img"), path("model.safetensors")},
            {"info", path("in/scan.img"), "--json"},
            {"eval", path("maps"), "--truth", path("truth")},
            {"eval", path("maps"), "--truth", path("truth"), "--json"},
            {"synth", "-o", path("new"), "--overwrite", "--rows", "8", "--cols", "8", "--bands", "3"},
            {"train", path("in"), "-o", path("m.safetensors"), "--dry-run", "--overwrite"},
            joined({"train", path("in"), "-o", path("m.safetensors"), "--overwrite"},
                   joined(rx(), without_rates())),
            joined({"train", path("in"), "-o", path("m.safetensors"), "--overwrite", "--json"},
                   joined(rx(), without_rates())),
            joined({"detect", path("in"), "-o", path("o"), "--dry-run", "--overwrite"}, rx()),
            joined({"detect", path("in"), "-o", path("o"), "--overwrite"}, rx()),
            {"infer", path("in"), "-m", path("model.safetensors"), "-o", path("o"), "--overwrite", "--json"}};
  }

  static std::unique_ptr<TempDir> folder_;
};

std::unique_ptr<TempDir> Output::folder_;

TEST_F(Output, ThatCannotBeWrittenIsAFailure) {
  for (const auto& words : commands()) {
    const auto outcome = run(words, by_shell("exec \"$@\" >/dev/full"));
    EXPECT_EQ(outcome.exit_code, 1) << words[0];
    EXPECT_EQ(without_progress(outcome.err), "error: cannot write to stdout: No space left on device\n")
        << words[0];
  }
}

/// The number of a closed stdout must not become that of a file of the program: the result would be written
/// into it.
TEST_F(Output, IntoAClosedStdoutIsAFailureAndSpoilsNoFile) {
  for (const auto& words : commands()) {
    const auto outcome = run(words, by_shell("exec \"$@\" >&- <&-"));
    EXPECT_EQ(outcome.exit_code, 1) << words[0];
    EXPECT_EQ(without_progress(outcome.err), "error: cannot write to stdout: Bad file descriptor\n")
        << words[0];
  }
  EXPECT_EQ(run({"info", path("o/scan_score.tif"), path("m.safetensors")}).exit_code, 0);
}

TEST_F(Output, IntoAPipeThatNobodyReadsEndsQuietly) {
  const auto outcome = run({"config", "keys"}, by_shell("{ sleep 0.3; \"$@\"; echo $? >&2; } | true"));
  EXPECT_EQ(outcome.err, "1\n");
}

TEST_F(Output, OfACommandThatFailedKeepsItsExitCode) {
  const auto outcome = run({"info", "none.img", "--json"}, by_shell("exec \"$@\" >/dev/full"));
  EXPECT_EQ(outcome.exit_code, 3);
}

TEST_F(Output, ToAClosedStderrIsLost) {
  const auto outcome = run({"info", "none.img", path("in/scan.img")}, by_shell("exec \"$@\" 2>&-"));
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_TRUE(contains(outcome.out, "scan.img"));
}

struct OddName {
  std::string name;
  /// In JSON.
  std::string json;
  /// On a terminal.
  std::string shown;
};

class OddNames : public ::testing::TestWithParam<OddName> {
 protected:
  OddNames() : file_((folder_ / "in" / (GetParam().name + ".img")).string()) { write_small_cube(file_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  static std::string in_json(const std::string& folder) { return folder + '/' + GetParam().json + ".img"; }
  static std::string shown(const std::string& folder) { return folder + '/' + GetParam().shown + ".img"; }

  TempDir folder_;
  std::string file_;
};

TEST_P(OddNames, GiveValidJson) {
  const auto info = run_program({"info", "--json", file_, "none.img"});
  EXPECT_EQ(info.exit_code, 5);
  EXPECT_EQ(nlohmann::json::parse(info.out)[0]["data_file"], in_json(path("in")));
  EXPECT_EQ(nlohmann::json::parse(info.out)[1]["file"], "none.img");

  const auto maps = path(GetParam().name);
  const auto detected = run_program(joined({"detect", "--json", file_, "-o", maps}, rx()));
  ASSERT_EQ(detected.exit_code, 0) << detected.err;
  EXPECT_EQ(nlohmann::json::parse(detected.out)["cubes"][0]["file"], in_json(path("in")));
  EXPECT_EQ(nlohmann::json::parse(read_bytes(maps + '/' + GetParam().name + ".json"))["file"],
            in_json(path("in")));

  fs::copy(maps, path("truth"));
  fs::rename(path("truth/" + GetParam().name + "_defects.tif"),
             path("truth/" + GetParam().name + "_mask.tif"));
  const auto judged = run_program({"eval", "--json", maps, "--truth", path("truth")});
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  EXPECT_EQ(nlohmann::json::parse(judged.out)["cubes"][0]["cube"], GetParam().json);

  const auto model = path(GetParam().name + ".safetensors");
  const auto trained = run_program(joined({"train", "--json", file_, "-o", model}, rx()));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(nlohmann::json::parse(trained.out)["model"], path(GetParam().json + ".safetensors"));
}

/// Whether the text has nothing but lines of printable UTF-8.
::testing::AssertionResult is_printable(std::string text) {
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) {
    text[at] = ' ';
  }
  for (const std::string part : {"\x1b", "\r", "\t", "\a", "\x7f", "\u009b", "\u202e", "\xfc"}) {
    const bool is_byte = part == "\xfc";
    if (const auto at = text.find(part); at != std::string::npos && !is_byte) {
      return ::testing::AssertionFailure() << "a control character at " << at << " of " << text;
    }
  }
  return ::testing::AssertionSuccess();
}

TEST_P(OddNames, AreShownOnOneLine) {
  const auto yaml = path(GetParam().name + ".yaml");
  write_bytes(yaml, "run:\n  seed: 3\n");
  const auto missing = file_ + "x";
  for (const auto& words : std::vector<Words>{
           {"info", file_},
           joined({"detect", file_, "-o", path("dry"), "--dry-run"}, rx()),
           joined({"detect", file_, "-o", path("o")}, rx()),
           joined({"train", file_, "-o", path("m.safetensors"), "--dry-run", "--overwrite"}, rx()),
           {"synth", "--into", file_, "-o", path("s")}}) {
    const auto outcome = run_program(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_TRUE(contains(outcome.out, GetParam().shown)) << words[0];
    EXPECT_TRUE(is_printable(outcome.out)) << words[0];
    EXPECT_TRUE(is_printable(outcome.err)) << words[0];
  }
  const auto checked = run_program({"config", "check", yaml});
  EXPECT_EQ(checked.out, path(GetParam().shown) + ".yaml: ok\n");
  expect_failure(run_program({"info", missing}), 3, shown(path("in")) + "x");
}

INSTANTIATE_TEST_SUITE_P(
    All, OddNames,
    ::testing::Values(OddName{"gr\xfcn", "gr\\xfcn", "gr\\xfcn"},
                      OddName{"a\xed\xa0\x80z", "a\\xed\\xa0\\x80z", "a\\xed\\xa0\\x80z"},
                      OddName{"a\x1b[2J\nb\tc\rd", "a\x1b[2J\nb\tc\rd", "a\\x1b[2J\\nb\\tc\\rd"},
                      OddName{"gpj.\u202egnp\u009b", "gpj.\u202egnp\u009b", "gpj.\\u202egnp\\u009b"},
                      OddName{"\"q\\", "\"q\\", "\"q\\"}, OddName{"見本 grün", "見本 grün", "見本 grün"}),
    [](const auto& name) { return text::concat("Name", name.index); });

/// The second column begins at the same place in each line.
TEST(Table, CountsLettersNotBytes) {
  const TempDir folder;
  write_small_cube(folder / "in/grün.img");
  write_small_cube(folder / "in/abcd.img");
  const auto outcome = run_program(joined({"detect", folder / "in", "-o", folder / "o"}, rx()));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto ascii = outcome.out.find("abcd.img  accepted");
  EXPECT_NE(ascii, std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("grün.img  accepted"), std::string::npos) << outcome.out;
}

TEST(Quiet, WritesErrorsAloneAndPrintsResults) {
  const TempDir folder;
  write_small_cube(folder / "in/good.img");
  write_small_cube(folder / "in/short.img");
  fs::resize_file(folder / "in/short.img", 100);
  for (const Words& more : {Words{}, Words{"--log-level", "debug"}}) {
    const auto outcome = run_program(
        joined(joined({"detect", "-q", folder / "in", "-o", folder / "o", "--overwrite"}, rx()), more));
    EXPECT_EQ(outcome.exit_code, 5);
    EXPECT_TRUE(contains(outcome.out, "good.img"));
    EXPECT_EQ(outcome.err.rfind("error: ", 0), 0U) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  }
}

TEST(Config, SaysEachFaultOnItsOwnLine) {
  const TempDir folder;
  write_bytes(folder / "a\nb.yaml", "run:\n  sead: 3\n  threads: x\n");
  const auto outcome = run_program({"config", "check", folder / "a\nb.yaml"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "\nerror: " + (folder / "a\\nb.yaml").string() + ":3: "));
}

}  // namespace
}  // namespace hyperdefect::test
