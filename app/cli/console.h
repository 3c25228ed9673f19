// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "hyperdefect/engine/progress_monitor.h"

namespace hyperdefect::app {

/// Shows progress on stderr, if notes are logged at all (log::Level::info): on a terminal a bar with the time
/// left, elsewhere a line when a task has taken two seconds and then every ten. A thread of its own does it,
/// so that a long step, or one that tells nothing of its progress, is seen to go on. Asks computations to
/// stop after SIGINT, SIGTERM or SIGHUP. At most one lives at a time.
class Console : public engine::ProgressMonitor {
 public:
  /// Begins the first task.
  explicit Console(const std::string& task);
  ~Console() override;

  /// What the next progress belongs to: "[3/120] day1/scan_07".
  void set_subject(const std::string& subject);
  void progress(const engine::Progress& progress) override;
  bool stop_requested() const override;
  /// Takes the bar off the screen until there is progress again, so that results can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void begin(const std::string& task);
  void show_until(const std::stop_token& end);
  bool is_due(Clock::time_point now) const;
  std::string current_line(Clock::time_point now) const;
  void draw(const std::string& line);
  void erase();

  bool terminal_;
  /// Shared with log::between_lines().
  bool bar_shown_ = false;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::string subject_;
  engine::Progress progress_;
  bool resting_ = false;
  bool told_of_task_ = false;
  Clock::time_point task_began_;
  Clock::time_point updated_;
  Clock::time_point last_shown_;
  std::jthread shower_;
};

}  // namespace hyperdefect::app
