// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/temp_dir.h"

namespace hyperdefect::test {

/// How a run of the program ended, and what it wrote.
struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

inline std::string shell_quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + '\'';
}

/// Runs the program with these arguments, as a user would, to its end; its exit code is -1 where a signal
/// killed it.
/// @param through a command that runs the program: "env -i".
inline Outcome run_program(const std::vector<std::string>& arguments, const std::string& through = "") {
  const TempDir folder;
  auto command = through + ' ' + shell_quoted(HYPERDEFECT_PROGRAM);
  for (const auto& argument : arguments) {
    command += ' ' + shell_quoted(argument);
  }
  command += " </dev/null >" + shell_quoted(folder / "out") + " 2>" + shell_quoted(folder / "err");
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_bytes(folder / "out"),
          read_bytes(folder / "err")};
}

/// For `through`: runs the program by this line of shell, in which "$@" is the program with its arguments.
inline std::string by_shell(const std::string& line) {
  return "sh -c " + shell_quoted(line) + " sh";
}

inline ::testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "'" << part << "' is not in:\n" << text;
}

/// The text without the lines of progress that a slow machine gets to see, and without the warnings of
/// settings that have no effect, such as those of a network that a test does not use.
inline std::string without_progress(const std::string& err) {
  static const std::regex progress(
      "(?!(debug|info|warning|error): ).*( [0-9]+/[0-9]+|  [0-9]+ (s|min|h)).*"
      "|warning: [a-z_.]+ = .* has no effect: .*");
  std::istringstream lines(err);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    kept += std::regex_match(line, progress) ? "" : line + '\n';
  }
  return kept;
}

/// Expects that the run failed with this exit code, with nothing on stdout and this text on one line of
/// stderr, progress apart.
inline void expect_failure(const Outcome& outcome, int exit_code, const std::string& message) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  const auto err = without_progress(outcome.err);
  EXPECT_TRUE(contains(err, message));
  EXPECT_EQ(err.find('\n'), err.size() - 1) << outcome.err;
}

}  // namespace hyperdefect::test
