// SPDX-License-Identifier: Apache-2.0
#include "app/cli/signals.h"

#include <csignal>

namespace hyperdefect::app {
namespace {

// A signal handler can reach nothing but a global.
volatile std::sig_atomic_t g_stop = 0;

void note_stop(int signal) {
  g_stop = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

StopOnSignals::StopOnSignals() {
  g_stop = 0;
  std::signal(SIGINT, note_stop);
  std::signal(SIGTERM, note_stop);
}

StopOnSignals::~StopOnSignals() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool stop_requested() {
  return g_stop != 0;
}

}  // namespace hyperdefect::app
