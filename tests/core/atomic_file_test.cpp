// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/atomic_file.h"

#include <gtest/gtest.h>

#include <iterator>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect {
namespace {

std::int64_t entries(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

TEST(AtomicFile, AppearsWholeAtCommit) {
  const test::TempDir folder;
  const auto target = folder / "map.tif";
  AtomicFile file(target);
  test::write_bytes(file.temporary(), "values");
  EXPECT_FALSE(std::filesystem::exists(target));
  file.commit();
  EXPECT_EQ(test::read_bytes(target), "values");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const test::TempDir folder;
  test::write_bytes(folder / "map.tif", "old");
  {
    const AtomicFile file(folder / "map.tif");
    test::write_bytes(file.temporary(), "half of the val");
  }
  EXPECT_EQ(test::read_bytes(folder / "map.tif"), "old");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFile, StaysWhereItIsAfterCommit) {
  const test::TempDir folder;
  {
    AtomicFile file(folder / "map.tif");
    test::write_bytes(file.temporary(), "values");
    file.commit();
  }
  EXPECT_EQ(test::read_bytes(folder / "map.tif"), "values");
}

TEST(AtomicFile, WritesBesideTheTargetUnderItsExtension) {
  const AtomicFile file("/some/folder/scene.bil.tif");
  EXPECT_EQ(file.temporary().parent_path(), "/some/folder");
  EXPECT_EQ(file.temporary().extension(), ".tif");
  EXPECT_NE(file.temporary().filename(), "scene.bil.tif");
  EXPECT_EQ(AtomicFile("map.tif").temporary().parent_path(), "");
}

TEST(AtomicFile, SaysWhyItCannotBeCommitted) {
  const test::TempDir folder;
  AtomicFile unwritten(folder / "map.tif");
  EXPECT_EQ(test::message_of<Error>([&] { unwritten.commit(); }),
            "cannot write " + (folder / "map.tif").string() + ": No such file or directory");
  std::filesystem::create_directory(folder / "taken.tif");
  AtomicFile taken(folder / "taken.tif");
  test::write_bytes(taken.temporary(), "values");
  EXPECT_EQ(test::message_of<Error>([&] { taken.commit(); }),
            "cannot write " + (folder / "taken.tif").string() + ": Is a directory");
}

TEST(WriteFile, ReplacesTheBytes) {
  const test::TempDir folder;
  const std::string bytes("a\0\r\n\xff", 5);
  write_file(folder / "a.json", "something longer");
  write_file(folder / "a.json", bytes);
  EXPECT_EQ(test::read_bytes(folder / "a.json"), bytes);
  write_file(folder / "empty", "");
  EXPECT_EQ(test::read_bytes(folder / "empty"), "");
  EXPECT_EQ(entries(folder.path()), 2);
}

TEST(WriteFile, SaysWhyItCannot) {
  const test::TempDir folder;
  EXPECT_EQ(test::message_of<Error>([&] { write_file(folder / "missing/a.json", "{}"); }),
            "cannot write " + (folder / "missing/a.json").string() + ": No such file or directory");
  EXPECT_EQ(entries(folder.path()), 0);
}

TEST(WriteFile, NoticesAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) {
    GTEST_SKIP() << "needs /dev/full";
  }
  const test::TempDir folder;
  const auto target = folder / "a.json";
  const std::filesystem::path temporary = AtomicFile(target).temporary();
  std::filesystem::create_symlink("/dev/full", temporary);
  EXPECT_EQ(test::message_of<Error>([&] { write_file(target, "{}"); }),
            "cannot write " + target.string() + ": No space left on device");
  EXPECT_EQ(entries(folder.path()), 0);
}

}  // namespace
}  // namespace hyperdefect
