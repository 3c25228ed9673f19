// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <streambuf>
#include <string>

namespace hyperdefect::app {

/// Opens what is closed of stdin, stdout and stderr, so that no file of the program gets their number and
/// with it what is printed. Reading finds the end, writing fails.
void open_standard_files();

/// std::cout while this lives: what is printed goes to stdout, and the first failure is kept instead of
/// forgotten.
class CheckedOutput {
 public:
  CheckedOutput();
  ~CheckedOutput();
  CheckedOutput(const CheckedOutput&) = delete;
  CheckedOutput& operator=(const CheckedOutput&) = delete;

  /// Writes what is left. @return the system's number of the first error of all writes (errno), or 0.
  int finish();

 private:
  class Buffer;

  std::unique_ptr<Buffer> buffer_;
  std::streambuf* before_;
};

}  // namespace hyperdefect::app
