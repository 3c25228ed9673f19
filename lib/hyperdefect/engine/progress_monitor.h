// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hyperdefect::engine {

/// How far a task has come.
struct Progress {
  std::string task;
  std::int64_t done = 0;
  /// 0: not known.
  std::int64_t total = 0;
  /// The running loss, while a network is trained.
  std::optional<double> loss;
};

/// What a long computation tells its caller, and asks of it.
///
///     class PercentMonitor : public ProgressMonitor {
///      public:
///       void progress(const Progress& now) override {
///         if (now.total > 0) {
///           std::cerr << now.task << ' ' << 100 * now.done / now.total << " %\n";
///         }
///       }
///     };
class ProgressMonitor {
 public:
  virtual ~ProgressMonitor() = default;
  virtual void progress(const Progress&) {}
  /// Whether the user wants to stop; asked between steps.
  virtual bool stop_requested() const { return false; }
};

}  // namespace hyperdefect::engine
