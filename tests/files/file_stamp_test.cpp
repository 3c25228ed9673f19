// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/file_stamp.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "support/temp_dir.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

class Stamp : public ::testing::Test {
 protected:
  Stamp() {
    test::write_bytes(folder_ / "scan.img", "12345678");
    test::write_bytes(folder_ / "scan.hdr", "ENVI");
  }

  fs::path file(const std::string& name) const { return fs::canonical(folder_.path()) / name; }

  /// What change_between() says after the change.
  std::string after(const std::function<void()>& change) const {
    const auto before = stamp_of(folder_ / "scan.img");
    change();
    return change_between(before, stamp_of(folder_ / "scan.img"));
  }

  test::TempDir folder_;
};

TEST_F(Stamp, NamesTheDataFileAndItsHeader) {
  const auto stamp = stamp_of(folder_ / "scan.img");
  ASSERT_EQ(stamp.files.size(), 2U);
  EXPECT_EQ(stamp.path(), file("scan.img").string());
  EXPECT_EQ(stamp.files[0].size, 8);
  EXPECT_EQ(stamp.files[1].path, file("scan.hdr").string());
  EXPECT_EQ(stamp_of(folder_ / "missing.img").path(), "");
}

TEST_F(Stamp, NamesFurtherFilesWithTheirHeaders) {
  test::write_bytes(folder_ / "white.img", "1234");
  test::write_bytes(folder_ / "white.hdr", "ENVI");
  const auto stamp = stamp_of(folder_ / "scan.img", {folder_ / "white.img"});
  ASSERT_EQ(stamp.files.size(), 4U);
  EXPECT_EQ(stamp.path(), file("scan.img").string());
  EXPECT_EQ(stamp.files[2].path, file("white.img").string());
  EXPECT_EQ(stamp.files[3].path, file("white.hdr").string());
  test::write_bytes(folder_ / "white.img", "12");
  EXPECT_EQ(change_between(stamp, stamp_of(folder_ / "scan.img", {folder_ / "white.img"})),
            file("white.img").string() + " had 4 bytes and has 2 now");
  EXPECT_EQ(change_between(stamp, stamp_of(folder_ / "scan.img")), file("white.img").string() + " is gone");
}

TEST_F(Stamp, IsTheSameUntilSomethingChanges) {
  EXPECT_EQ(after([] {}), "");
  EXPECT_EQ(after([this] { test::read_bytes(folder_ / "scan.img"); }), "");
  EXPECT_EQ(after([this] { test::write_bytes(folder_ / "neighbour.img", "12"); }), "");
}

TEST_F(Stamp, SaysWhatChanged) {
  const auto data = file("scan.img").string();
  const auto header = file("scan.hdr").string();
  EXPECT_EQ(after([&] { fs::resize_file(data, 2); }), data + " had 8 bytes and has 2 now");
  EXPECT_EQ(after([&] { test::write_bytes(header, "ENVI "); }), header + " had 4 bytes and has 5 now");
  EXPECT_EQ(
      after([&] { fs::last_write_time(data, fs::last_write_time(data) + std::chrono::nanoseconds(1000)); }),
      data + " was modified");
  EXPECT_EQ(after([&] {
              const auto time = fs::last_write_time(data);
              test::write_bytes(folder_ / "other", "ab");
              fs::last_write_time(folder_ / "other", time);
              fs::rename(folder_ / "other", data);
            }),
            data + " was replaced by another file");
  EXPECT_EQ(after([&] { fs::remove(header); }), header + " is gone");
  EXPECT_EQ(after([&] { test::write_bytes(header, "ENVI"); }), header + " is new");
  for (const auto* companion : {"scan.img.hdr", "scan.img.aux.xml", "scan.img.msk"}) {
    EXPECT_NE(after([&] { test::write_bytes(folder_ / companion, "ENVI"); }), "") << companion;
  }
}

TEST_F(Stamp, OfAnotherCubeDiffers) {
  fs::create_directory(folder_ / "tue");
  for (const auto* name : {"scan.img", "scan.hdr"}) {
    fs::copy_file(folder_ / name, folder_ / "tue" / name);
    fs::last_write_time(folder_ / "tue" / name, fs::last_write_time(folder_ / name));
  }
  EXPECT_EQ(change_between(stamp_of(folder_ / "scan.img"), stamp_of(folder_ / "tue/scan.img")),
            file("scan.img").string() + " is gone");
}

TEST_F(Stamp, FollowsALinkToTheFileBehindIt) {
  test::write_bytes(folder_ / "other.img", "12345678");
  fs::create_symlink("scan.img", folder_ / "link.img");
  const auto before = stamp_of(folder_ / "link.img");
  EXPECT_EQ(before.path(), file("scan.img").string());
  fs::remove(folder_ / "link.img");
  fs::create_symlink("other.img", folder_ / "link.img");
  EXPECT_NE(change_between(before, stamp_of(folder_ / "link.img")), "");
}

}  // namespace
}  // namespace hyperdefect::files
