// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

/// Runs the program where no file may grow beyond so many blocks of 512 bytes: like a full disk, any write
/// may fail, or only the closing of the file.
Outcome run_limited(int blocks, const std::vector<std::string>& arguments) {
  return run_program(arguments, by_shell("ulimit -f " + std::to_string(blocks) + " && exec \"$@\""));
}

bool has_temporary_files(const fs::path& folder) {
  const auto names = names_below(folder);
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.find(".part") != std::string::npos; });
}

/// Every size limit until the run goes through: whichever file is the one that does not fit, the run says so.
void expect_said_or_done(const std::vector<std::string>& arguments, const fs::path& output,
                         const fs::path& last_file) {
  int failures = 0;
  for (int blocks = 1; blocks <= 1 << 14; blocks *= 2) {
    const auto outcome = run_limited(blocks, arguments);
    EXPECT_FALSE(has_temporary_files(output)) << blocks;
    if (outcome.exit_code == 0) {
      EXPECT_TRUE(fs::exists(last_file));
      break;
    }
    ++failures;
    expect_failure(outcome, 1, "cannot write ");
    EXPECT_TRUE(contains(outcome.err, "File too large"));
    EXPECT_FALSE(fs::exists(last_file)) << blocks;
  }
  EXPECT_GT(failures, 0);
}

TEST(FullDisk, IsSaidBySynth) {
  const TempDir folder;
  const auto output = folder / "o";
  fs::create_directories(output);
  expect_said_or_done({"synth", "-o", output, "--rows", "64", "--cols", "64", "--bands", "20", "--overwrite"},
                      output, output / "scene_001.img");
  EXPECT_TRUE(fs::exists(output / "scene_001.hdr"));
}

TEST(FullDisk, IsSaidByDetect) {
  const TempDir folder;
  write_cube(folder / "scan.img", mixtures_with_defect(8, 60, 50, 1));
  const auto output = folder / "o";
  fs::create_directories(output);
  expect_said_or_done(joined({"detect", folder / "scan.img", "-o", output, "--overwrite"}, rx()), output,
                      output / "summary.json");
}

TEST(FullDisk, IsSaidByTrain) {
  const TempDir folder;
  write_small_cube(folder / "scan.img");
  const auto output = folder / "o";
  fs::create_directories(output);
  expect_said_or_done(joined({"train", folder / "scan.img", "-o", output / "m.safetensors", "--overwrite"},
                             joined(rx(), without_rates())),
                      output, output / "m.safetensors");
}

/// A disk that is full in earnest; only root can make a small one.
TEST(FullDisk, IsSaidOnASmallFileSystem) {
  const TempDir folder;
  const auto disk = folder / "disk";
  fs::create_directories(disk);
  const auto mount = "mount -t tmpfs -o size=100k tmpfs " + shell_quoted(disk) + " 2>" +
                     shell_quoted(folder / "why") + " </dev/null";
  if (::geteuid() != 0 || std::system(mount.c_str()) != 0) {
    GTEST_SKIP() << "needs root and the right to mount";
  }
  const auto outcome =
      run_program({"synth", "-o", disk / "o", "--rows", "64", "--cols", "64", "--bands", "20"});
  expect_failure(outcome, 1, "scene_001.img: No space left on device");
  EXPECT_TRUE(names_below(disk).empty());
  EXPECT_EQ(std::system(("umount " + shell_quoted(disk)).c_str()), 0);
}

}  // namespace
}  // namespace hyperdefect::test
