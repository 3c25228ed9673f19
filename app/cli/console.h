// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "hyperdefect/engine/observer.h"

namespace hyperdefect::app {

/// Shows progress on stderr: a bar with the time left where it is a terminal, a line now and then where it is
/// not, nothing where quiet. Asks computations to stop after SIGINT or SIGTERM.
class Console : public engine::Observer {
 public:
  explicit Console(bool quiet);
  ~Console() override;

  /// What the next progress belongs to: "[3/120] day1/scan_07".
  void set_subject(std::string subject);
  void progress(const engine::Progress& progress) override;
  bool stop_requested() const override;
  /// Takes the bar off the screen, so that a line can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::string line_for(const engine::Progress& progress) const;

  bool quiet_;
  bool terminal_;
  bool bar_shown_ = false;
  std::string subject_;
  std::string task_;
  Clock::time_point task_began_;
  Clock::time_point last_shown_;
};

}  // namespace hyperdefect::app
