// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <string>

namespace hyperdefect::app {

/// While it lives, SIGINT, SIGTERM and SIGHUP ask the program to stop: stop_requested() says so, and whoever
/// computes throws Interrupted at the next step. If that takes longer than 0.3 s, in the middle of a
/// long window, say, the program ends there with exit code 130: files appear whole or not at all, so that
/// nothing half stands. A second signal ends it at once. A signal that was ignored when the program began, as
/// `nohup` ignores SIGHUP, stays ignored. Behind its end the signals do nothing: the run is done, and its
/// exit code holds.
class StopOnSignals {
 public:
  StopOnSignals();
  ~StopOnSignals();
  StopOnSignals(const StopOnSignals&) = delete;
  StopOnSignals& operator=(const StopOnSignals&) = delete;
};

/// Whether a signal has come since StopOnSignals was made.
bool stop_requested();

/// What is written to stderr if the program ends in the middle of a step; without one: "stopped". Takes
/// effect while it lives; at most one lives at a time.
class StopMessage {
 public:
  explicit StopMessage(const std::string& message);
  ~StopMessage();
  StopMessage(const StopMessage&) = delete;
  StopMessage& operator=(const StopMessage&) = delete;

 private:
  std::string line_;
};

/// A pipe that nobody reads and a file that may grow no further shall be errors of the write, not the end of
/// the program.
void let_writes_fail();

}  // namespace hyperdefect::app
