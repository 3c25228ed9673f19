// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/atomic_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/small_disk.h"
#include "support/temp_dir.h"

namespace hyperdefect {
namespace {

namespace fs = std::filesystem;

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

TEST(AtomicFile, WritesInAFolderOfItsOwnBesideTheTarget) {
  const test::TempDir folder;
  const AtomicFile file(folder / "scene.bil.tif");
  EXPECT_EQ(file.temporary().parent_path().parent_path(), folder.path());
  EXPECT_EQ(file.temporary().filename(), "scene.bil.tif");
  EXPECT_EQ(fs::status(file.temporary().parent_path()).permissions(), fs::perms::owner_all);
  const AtomicFile other(folder / "scene.bil.tif");
  EXPECT_NE(file.temporary(), other.temporary()) << "two runs must not write into each other's file";
  EXPECT_EQ(test::message_of<Error>([] { const AtomicFile nowhere("/no/such/folder/scene.tif"); }),
            "cannot write /no/such/folder/scene.tif: No such file or directory");
}

TEST(AtomicFile, ReplacesALinkInsteadOfFollowingIt) {
  const test::TempDir folder;
  test::write_bytes(folder / "precious", "mine");
  fs::create_symlink(folder / "precious", folder / "map.tif");
  write_file(folder / "map.tif", "values");
  EXPECT_EQ(test::read_bytes(folder / "precious"), "mine");
  EXPECT_FALSE(fs::is_symlink(folder / "map.tif"));
  EXPECT_EQ(test::read_bytes(folder / "map.tif"), "values");
}

TEST(AtomicFile, KeepsTheRightsThatTheUserGivesToNewFiles) {
  const test::TempDir folder;
  const auto before = ::umask(0027);
  write_file(folder / "map.tif", "values");
  ::umask(before);
  EXPECT_EQ(static_cast<int>(fs::status(folder / "map.tif").permissions()), 0640);
}

TEST(DeadTemporaries, AreRemovedOnceTheirProcessIsGone) {
  const test::TempDir folder;
  const AtomicFile living(folder / "map.tif");
  test::write_bytes(living.temporary(), "half");
  const auto child = ::fork();
  if (child == 0) {
    const AtomicFile file(folder / "other.tif");
    std::ofstream(file.temporary()) << "half";
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  test::write_bytes(folder / ".hyperdefect-notes/mine", "a folder of the user's");
  fs::create_directory(folder / "elsewhere");
  fs::create_symlink(folder / "elsewhere", folder / ".hyperdefect-abcdef");
  ASSERT_EQ(entries(folder.path()), 5);
  make_output_folder(folder.path());
  EXPECT_EQ(entries(folder.path()), 4);
  EXPECT_TRUE(fs::exists(living.temporary()));
  EXPECT_TRUE(fs::exists(folder / ".hyperdefect-notes/mine"));
  EXPECT_TRUE(fs::exists(folder / "elsewhere"));
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

TEST(WriteFile, TellsAFullDiskFromOtherFaults) {
  const test::SmallDisk disk(256);
  if (!disk.mounted()) {
    GTEST_SKIP() << "needs the right to mount a small disk";
  }
  write_file(disk / "a.json", "{}");
  EXPECT_EQ(test::message_of<StorageError>([&] { write_file(disk / "b.json", std::string(1 << 20, '.')); }),
            "cannot write " + (disk / "b.json").string() + ": No space left on device");
  EXPECT_EQ(entries(disk.path()), 1);
  EXPECT_EQ(test::message_of<Error>([&] { write_file(disk / std::string(300, 'a'), "{}"); }),
            "cannot write " + (disk / std::string(300, 'a')).string() + ": File name too long");
  HYPERDEFECT_EXPECT_ERROR(throw_cannot_write(disk / "b.json", "a library's reason"), Error,
                           "b.json: a library's reason");
  test::write_bytes(disk / "fills", std::string(1 << 20, '.'));
  HYPERDEFECT_EXPECT_ERROR(throw_cannot_write(disk / "b.json", "a library's reason"), StorageError,
                           "b.json: No space left on device");
}

}  // namespace
}  // namespace hyperdefect
