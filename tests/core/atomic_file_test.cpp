// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/atomic_file.h"

#include <gtest/gtest.h>

#include <iterator>

#include "hyperdefect/core/error.h"
#include "support/error_message.h"
#include "support/temporary_folder.h"

namespace hyperdefect {
namespace {

std::int64_t entries(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

TEST(AtomicFile, AppearsWholeAtCommit) {
  const test::TemporaryFolder folder;
  const auto target = folder / "map.tif";
  AtomicFile file(target);
  test::write_text(file.temporary(), "values");
  EXPECT_FALSE(std::filesystem::exists(target));
  file.commit();
  EXPECT_EQ(test::read_text(target), "values");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const test::TemporaryFolder folder;
  test::write_text(folder / "map.tif", "old");
  {
    const AtomicFile file(folder / "map.tif");
    test::write_text(file.temporary(), "half of the val");
  }
  EXPECT_EQ(test::read_text(folder / "map.tif"), "old");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFile, StaysWhereItIsAfterCommit) {
  const test::TemporaryFolder folder;
  {
    AtomicFile file(folder / "map.tif");
    test::write_text(file.temporary(), "values");
    file.commit();
  }
  EXPECT_EQ(test::read_text(folder / "map.tif"), "values");
}

TEST(AtomicFile, WritesBesideTheTargetUnderItsExtension) {
  const AtomicFile file("/some/folder/scene.bil.tif");
  EXPECT_EQ(file.temporary().parent_path(), "/some/folder");
  EXPECT_EQ(file.temporary().extension(), ".tif");
  EXPECT_NE(file.temporary().filename(), "scene.bil.tif");
  EXPECT_EQ(AtomicFile("map.tif").temporary().parent_path(), "");
}

TEST(AtomicFile, SaysWhyItCannotBeCommitted) {
  const test::TemporaryFolder folder;
  AtomicFile unwritten(folder / "map.tif");
  EXPECT_EQ(test::message_of<Error>([&] { unwritten.commit(); }),
            "cannot write " + (folder / "map.tif").string() + ": No such file or directory");
  std::filesystem::create_directory(folder / "taken.tif");
  AtomicFile taken(folder / "taken.tif");
  test::write_text(taken.temporary(), "values");
  EXPECT_EQ(test::message_of<Error>([&] { taken.commit(); }),
            "cannot write " + (folder / "taken.tif").string() + ": Is a directory");
}

TEST(WriteFile, ReplacesTheBytes) {
  const test::TemporaryFolder folder;
  const std::string bytes("a\0\r\n\xff", 5);
  write_file(folder / "a.json", "something longer");
  write_file(folder / "a.json", bytes);
  EXPECT_EQ(test::read_text(folder / "a.json"), bytes);
  write_file(folder / "empty", "");
  EXPECT_EQ(test::read_text(folder / "empty"), "");
  EXPECT_EQ(entries(folder.path()), 2);
}

TEST(WriteFile, SaysWhyItCannot) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(test::message_of<Error>([&] { write_file(folder / "missing/a.json", "{}"); }),
            "cannot write " + (folder / "missing/a.json").string() + ": No such file or directory");
  EXPECT_EQ(entries(folder.path()), 0);
}

TEST(WriteFile, NoticesAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) {
    GTEST_SKIP() << "needs /dev/full";
  }
  const test::TemporaryFolder folder;
  const auto target = folder / "a.json";
  const std::filesystem::path temporary = AtomicFile(target).temporary();
  std::filesystem::create_symlink("/dev/full", temporary);
  EXPECT_EQ(test::message_of<Error>([&] { write_file(target, "{}"); }),
            "cannot write " + target.string() + ": No space left on device");
  EXPECT_EQ(entries(folder.path()), 0);
}

}  // namespace
}  // namespace hyperdefect
