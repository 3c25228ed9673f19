// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/log.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect {
namespace {

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { log::set_level("info"); }

  /// What reaches stderr of one line at each level.
  static std::string written() {
    testing::internal::CaptureStderr();
    log::debug("one");
    log::info("two {}");
    log::warning("three");
    log::error("four");
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, WritesTheLinesOfTheLevelAndAbove) {
  log::set_level("debug");
  EXPECT_EQ(written(), "debug: one\ninfo: two {}\nwarning: three\nerror: four\n");
  log::set_level("info");
  EXPECT_EQ(written(), "info: two {}\nwarning: three\nerror: four\n");
  log::set_level("warning");
  EXPECT_EQ(written(), "warning: three\nerror: four\n");
  log::set_level("error");
  EXPECT_EQ(written(), "error: four\n");
  log::set_level("off");
  EXPECT_EQ(written(), "");
}

TEST_F(LogTest, EveryNameSetsItsOwnLevel) {
  const std::vector<std::string> names{"debug", "info", "warning", "error", "off"};
  EXPECT_EQ(log::level_names(), names);
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    log::set_level(names[i]);
    EXPECT_TRUE(log::enabled(static_cast<log::Level>(i))) << names[i];
    EXPECT_TRUE(log::enabled(log::Level::error)) << names[i];
    if (i > 0) {
      EXPECT_FALSE(log::enabled(static_cast<log::Level>(i - 1))) << names[i];
    }
  }
  log::set_level("off");
  EXPECT_FALSE(log::enabled(log::Level::error));
}

TEST_F(LogTest, AnUnknownLevelIsRefusedAndChangesNothing) {
  log::set_level("error");
  EXPECT_EQ(test::message_of<UsageError>([] { log::set_level("Info"); }),
            "log level 'Info' is unknown: choose one of debug, info, warning, error, off");
  EXPECT_FALSE(log::enabled(log::Level::warning));
}

TEST_F(LogTest, ALineStaysOneLineWhateverANameHolds) {
  testing::internal::CaptureStderr();
  log::error("a\nerror: b\x1b[2J: is no cube");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: a\\nerror: b\\x1b[2J: is no cube\n");
}

TEST_F(LogTest, ClearsTheProgressBarBeforeEachLine) {
  int cleared = 0;
  log::before_each_line([&] { ++cleared; });
  log::set_level("info");
  written();
  EXPECT_EQ(cleared, 3);
  log::before_each_line(nullptr);
  written();
  EXPECT_EQ(cleared, 3);
}

}  // namespace
}  // namespace hyperdefect
