// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hyperdefect::app {

/// While it lives, SIGINT and SIGTERM only leave a note that the user wants to stop; a second one kills the
/// program.
class StopOnSignals {
 public:
  StopOnSignals();
  ~StopOnSignals();
  StopOnSignals(const StopOnSignals&) = delete;
  StopOnSignals& operator=(const StopOnSignals&) = delete;
};

/// Whether a signal has come since StopOnSignals was made.
bool stop_requested();

}  // namespace hyperdefect::app
