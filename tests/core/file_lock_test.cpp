// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/file_lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect {
namespace {

TEST(FileLock, IsHeldByOneAtATime) {
  const test::TempDir folder;
  const auto path = folder / ".lock";
  {
    const auto first = FileLock::try_hold(path, "the first");
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(FileLock::try_hold(path, "the second").has_value());
    EXPECT_EQ(FileLock::note_in(path), "the first");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(FileLock::try_hold(path, "the third").has_value());
}

TEST(FileLock, StaysHeldWhenItIsHandedOn) {
  const test::TempDir folder;
  auto first = FileLock::try_hold(folder / ".lock", "note");
  const auto moved = std::move(*first);
  first.reset();
  EXPECT_FALSE(FileLock::try_hold(folder / ".lock", "other").has_value());
}

TEST(FileLock, DiesWithItsProcess) {
  const test::TempDir folder;
  const auto path = folder / ".lock";
  const auto child = ::fork();
  if (child == 0) {
    const auto lock = FileLock::try_hold(path, "the dead one, who wrote a longer note");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto lock = FileLock::try_hold(path, "alive");
  ASSERT_TRUE(lock.has_value());
  EXPECT_EQ(FileLock::note_in(path), "alive");
}

/// Processes take and release one lock in turn; the place holds the number of whoever is inside.
TEST(FileLock, NeverHasTwoHoldersWhateverTheOrder) {
  const test::TempDir folder;
  const auto path = folder / ".lock";
  const auto inside = folder / "inside";
  std::array<pid_t, 4> children{};
  for (auto& child : children) {
    child = ::fork();
    if (child == 0) {
      for (int held = 0; held < 50;) {
        if (const auto lock = FileLock::try_hold(path, "note")) {
          if (::mkdir(inside.c_str(), 0700) != 0 || ::rmdir(inside.c_str()) != 0) {
            ::_exit(1);
          }
          ++held;
        }
      }
      ::_exit(0);
    }
  }
  for (const auto child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << "two held the lock at once";
  }
}

TEST(FileLock, FollowsNoLinkAndSaysWhyItCannotBeMade) {
  const test::TempDir folder;
  test::write_bytes(folder / "precious", "mine");
  std::filesystem::create_symlink(folder / "precious", folder / ".lock");
  HYPERDEFECT_EXPECT_ERROR(FileLock::try_hold(folder / ".lock", "note"), Error, "cannot write ");
  EXPECT_EQ(test::read_bytes(folder / "precious"), "mine");
  HYPERDEFECT_EXPECT_ERROR(FileLock::try_hold(folder / "no/.lock", "note"), Error,
                           "No such file or directory");
}

}  // namespace
}  // namespace hyperdefect
