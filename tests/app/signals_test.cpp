// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>

#include "hyperdefect/core/text.h"
#include "support/background_program.h"

namespace hyperdefect::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kInTheMiddle = std::chrono::milliseconds(1500);

/// A run whose one step, in which nobody asks whether to stop, takes many seconds.
std::vector<std::string> long_step(const TempDir& folder) {
  return {"synth", "-o",      folder / "o", "--rows",       "2000", "--cols",
          "2000",  "--bands", "120",        "--endmembers", "12"};
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Signal : public ::testing::TestWithParam<int> {};

TEST_P(Signal, EndsALongStepWithinASecond) {
  const TempDir folder;
  BackgroundProgram program(long_step(folder));
  std::this_thread::sleep_for(kInTheMiddle);
  const auto sent = Clock::now();
  program.send(GetParam());
  const auto outcome = program.wait();
  EXPECT_LT(seconds_since(sent), 1.5);
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_EQ(without_progress(outcome.err), "error: stopped\n");
  EXPECT_FALSE(std::filesystem::exists(folder / "o/scene_001.img"));
}

TEST_P(Signal, ThatWasIgnoredStaysIgnored) {
  const TempDir folder;
  BackgroundProgram program(long_step(folder), GetParam());
  std::this_thread::sleep_for(kInTheMiddle);
  program.send(GetParam());
  std::this_thread::sleep_for(std::chrono::milliseconds(900));
  const int other = GetParam() == SIGTERM ? SIGINT : SIGTERM;
  program.send(other);
  EXPECT_EQ(program.wait().exit_code, 130);
}

TEST_P(Signal, EndsTheProgramAtOnceTheSecondTime) {
  const TempDir folder;
  BackgroundProgram program(long_step(folder));
  std::this_thread::sleep_for(kInTheMiddle);
  program.send(GetParam());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  program.send(GetParam());
  const auto outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, -1);
  EXPECT_EQ(without_progress(outcome.err), "");
}

INSTANTIATE_TEST_SUITE_P(All, Signal, ::testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& signal) { return text::concat("Signal", signal.param); });

TEST(Progress, IsShownOfAStepThatTakesOverTwoSeconds) {
  const TempDir folder;
  BackgroundProgram program(long_step(folder));
  EXPECT_TRUE(program.reaches([&] { return contains(program.err(), "make cubes 0/1\n"); })) << program.err();
}

TEST(Progress, IsNotShownQuietly) {
  const TempDir folder;
  auto words = long_step(folder);
  words.emplace_back("-q");
  BackgroundProgram program(words);
  std::this_thread::sleep_for(std::chrono::seconds(4));
  EXPECT_EQ(program.err(), "");
}

}  // namespace
}  // namespace hyperdefect::test
