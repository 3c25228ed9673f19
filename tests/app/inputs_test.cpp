// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "hyperdefect/core/text.h"
#include "support/envi_files.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

class Inputs : public ::testing::Test {
 protected:
  Outcome detect(const std::vector<std::string>& inputs, const std::vector<std::string>& more = {}) const {
    return run_program(joined(joined(joined({"detect"}, inputs), {"-o", path("maps")}), joined(rx(), more)));
  }

  std::string path(const std::string& name) const { return folder_ / name; }

  /// How often a line of this kind was said: "info: ".
  static std::ptrdiff_t lines(const std::string& text, const std::string& begin) {
    std::ptrdiff_t count = 0;
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
      count += at == 0 || text[at - 1] == '\n' ? 1 : 0;
    }
    return count;
  }

  TempDir folder_;
};

TEST_F(Inputs, WhatIsLeftOutIsSaidInOneLine) {
  write_small_cube(folder_ / "in/scan.img");
  write_small_cube(folder_ / "in/scan_WHITEREF.img");
  for (const auto* name : {"a_mask.png", "b_mask.png", "c_mask.png", "d_mask.png"}) {
    write_bytes(folder_ / "in" / name, "\x89PNG\r\n\x1A\n");
  }
  write_bytes(folder_ / "in/notes.txt", "x");
  const auto outcome = detect({path("in")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(
      contains(outcome.err,
               "info: left out 6 files that are not cubes: 4 masks (a_mask.png, b_mask.png, c_mask.png and 1 "
               "more), 1 white reference (scan_WHITEREF.img), 1 other file (notes.txt)\n"));
  EXPECT_EQ(lines(outcome.err, "info: left out"), 1);
  EXPECT_TRUE(contains(detect({path("in")}, {"--overwrite", "--dry-run"}).err, "info: left out 6 files"));
  EXPECT_FALSE(contains(detect({path("in")}, {"--overwrite", "-q"}).err, "left out"));
  EXPECT_TRUE(contains(run_program(joined({"train", path("in"), "-o", path("m.safetensors")}, rx())).err,
                       "info: left out 6 files"));
  EXPECT_TRUE(contains(run_program({"synth", "--into", path("in"), "-o", path("made")}).err,
                       "info: left out 6 files"));
}

TEST_F(Inputs, EarlierResultsAreNotCubesWhereverTheyLie) {
  write_small_cube(folder_ / "maps/scan.img");
  ASSERT_EQ(detect({path("maps")}).exit_code, 0);
  fs::rename(folder_ / "maps/scan_score.tif", folder_ / "maps/another_name.tif");
  const auto again = detect({path("maps")}, {"--overwrite"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(contains(again.err, "earlier results (")) << again.err;
  EXPECT_TRUE(contains(read_bytes(folder_ / "maps/scores.csv"), "scan.img"));
  EXPECT_FALSE(contains(read_bytes(folder_ / "maps/scores.csv"), "another_name"));
}

TEST_F(Inputs, WhatCannotBeReadHasARowWithTheReason) {
  write_small_cube(folder_ / "in/scan.img");
  write_bytes(folder_ / "in/lonely.hdr", RawCube().header());
  write_bytes(folder_ / "in/damaged.img", "pixels");
  write_bytes(folder_ / "in/damaged.hdr", "ENVI\nbands = {1\n");
  write_bytes(folder_ / "in/foreign.img", "pixels");
  write_bytes(folder_ / "in/foreign.hdr", "not a header");
  write_bytes(folder_ / "in/raw.bil", "pixels");
  fs::create_symlink("nowhere.img", folder_ / "in/broken.img");
  fs::create_symlink("self.img", folder_ / "in/self.img");
  fs::create_symlink("../in", folder_ / "in/again");
  ::mkfifo(path("in/pipe.img").c_str(), 0600);
  const auto outcome = detect({path("in")});
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  const auto table = read_bytes(folder_ / "maps/scores.csv");
  for (const auto* reason :
       {"lonely.hdr: the header's data file is missing", "damaged.hdr line 2: the list 'bands' is not closed",
        "foreign.hdr: is not an ENVI header",
        "raw.bil: is not an image that can be read, and there is no ENVI header",
        "broken.img: is a link to nowhere.img, which cannot be reached: No such file or directory",
        "self.img: is a link to self.img, which cannot be reached: Too many levels of symbolic links"}) {
    EXPECT_TRUE(contains(table, reason));
  }
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 8);
  EXPECT_TRUE(
      contains(outcome.err,
               "info: left out 2 files that are not cubes: 1 link to a folder that is searched anyway "
               "(again), 1 pipe, socket or device (pipe.img)\n"));
}

TEST_F(Inputs, ResultsNeverLeaveTheOutput) {
  write_small_cube(folder_ / "day1/p.img");
  write_small_cube(folder_ / "day2/q.img");
  write_small_cube(folder_ / "day2/summary.img");
  const auto before = names_below(folder_ / "day1");
  const auto outcome =
      detect({text::concat('{', path("day1"), ',', path("day2"), "}/*.img"), path("day1/../day2/*.img")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(names_below(folder_ / "day1"), before);
  for (const auto* name : {"day1/p.json", "day2/q.json", "day2/summary.json", "summary.json", "scores.csv"}) {
    EXPECT_TRUE(fs::exists(folder_ / "maps" / name)) << name;
  }
  const auto named = detect({path("day2/summary.img")}, {"--overwrite"});
  EXPECT_EQ(named.exit_code, 0) << named.err;
  EXPECT_TRUE(fs::exists(folder_ / "maps/summary.img.json"));
}

/// No name beside it (its header, its mask) can exist, and looking for one is no reason to end the batch.
TEST_F(Inputs, ANameThatIsTooLongForItsCompanionsEndsNoBatch) {
  write_small_cube(folder_ / "in/good.img");
  const std::string long_name(248, 'b');
  for (const auto* ending : {".txt", ".xml", "bbb.dat", ".tif", ".img", "bbb.hdr"}) {
    write_bytes(folder_ / "in" / (long_name + ending), "x");
  }
  const auto outcome = detect({path("in")});
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  EXPECT_FALSE(contains(outcome.err, "filesystem error")) << outcome.err;
  EXPECT_TRUE(contains(read_bytes(folder_ / "maps/scores.csv"), "good.img"));
  for (const auto* command : {"info", "detect"}) {
    const auto alone = run_program({command, folder_ / "in" / (long_name + ".tif"), "-o", path("alone")});
    EXPECT_FALSE(contains(alone.err, "filesystem error")) << alone.err;
  }
}

TEST_F(Inputs, AnEmptyNameIsRefusedAtOnce) {
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"detect", "x.img"}, {"train", "x.img"}, {"synth"}}) {
    const auto outcome = run_program(joined(command, {"-o", ""}));
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_TRUE(contains(outcome.err, "the name is empty: is a variable of your script not set?"))
        << outcome.err;
  }
}

TEST_F(Inputs, PatternsAndListsHaveLimits) {
  std::string braces;
  for (int i = 0; i < 30; ++i) {
    braces += "{a,b}";
  }
  expect_failure(detect({path(braces)}), 3,
                 "the braces stand for more than 1000 patterns; name the inputs in a list");
  expect_failure(detect({path("**/x.img")}), 3, "** is not supported; name the folder instead");
  write_bytes(folder_ / "list.txt", "a.img\n" + std::string(5000, 'x'));
  expect_failure(detect({text::concat('@', path("list.txt"))}), 3,
                 "list.txt line 2: is longer than 4096 bytes");
  expect_failure(detect({path("{1..3}.img")}), 3, "{1..3}.img: no cube matches the pattern");
}

}  // namespace
}  // namespace hyperdefect::test
