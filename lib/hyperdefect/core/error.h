// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace hyperdefect {

/// What a run can end with; the values are the program's exit codes.
enum class ExitCode : int {
  ok = 0,
  failed = 1,
  usage = 2,
  input = 3,
  model = 4,
  partial = 5,
  defect_found = 10,
  interrupted = 130,
};

/// The root of every exception that the library throws on purpose: one line that a user can act upon.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::failed)
      : std::runtime_error(message), code_(code) {}
  ExitCode exit_code() const { return code_; }

 private:
  ExitCode code_;
};

/// Wrong arguments, or an output that exists or cannot be written.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(message, ExitCode::usage) {}
};

/// A configuration that cannot be obeyed; the message may hold several lines, one a fault.
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& message) : Error(message, ExitCode::usage) {}
};

/// An input that cannot be read or is not what it claims to be.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(message, ExitCode::input) {}
};

/// A model that is missing, damaged or does not fit the cube.
class ModelError : public Error {
 public:
  explicit ModelError(const std::string& message) : Error(message, ExitCode::model) {}
};

/// The user asked to stop; what was finished stands.
class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& message) : Error(message, ExitCode::interrupted) {}
};

}  // namespace hyperdefect
