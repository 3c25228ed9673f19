// SPDX-License-Identifier: Apache-2.0
#include "app/cli/signals.h"

#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::app {
namespace {

constexpr std::array kStopSignals{SIGINT, SIGTERM, SIGHUP};
constexpr suseconds_t kOrderlyStopMicroseconds = 300'000;
/// Where a bar stands on a terminal, it is cleared.
constexpr const char* kLineBegin = "\r\033[K";

// A signal handler can reach nothing but globals.
std::atomic<bool> g_stop = false;
std::atomic<const char*> g_message = nullptr;

static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free);

// The handlers call only what POSIX allows in one; setitimer is a plain system call.

void set_timer(suseconds_t microseconds) {
  const itimerval time{{0, 0}, {0, microseconds}};
  ::setitimer(ITIMER_REAL, &time, nullptr);
}

void set_action(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

/// The stop signals, but for those that were ignored when the program began.
void set_stop_actions(void (*handler)(int)) {
  for (const int signal : kStopSignals) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {
      set_action(signal, handler);
    }
  }
}

void note_stop(int signal) {
  if (g_stop.exchange(true)) {
    set_action(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  set_timer(kOrderlyStopMicroseconds);
}

void end_now(int /*signal*/) {
  if (const char* message = g_message; message != nullptr) {
    if (::isatty(STDERR_FILENO) != 0) {
      [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, kLineBegin, std::strlen(kLineBegin));
    }
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, message, std::strlen(message));
  }
  ::_exit(static_cast<int>(ExitCode::interrupted));
}

/// All is done, and the exit code is decided; unloading the libraries takes a moment more.
void pass_over(int /*signal*/) {}

constexpr const char* kStopped = "error: stopped\n";

}  // namespace

StopOnSignals::StopOnSignals() {
  g_stop = false;
  g_message = kStopped;
  set_action(SIGALRM, end_now);
  sigset_t alarm;
  ::sigemptyset(&alarm);
  ::sigaddset(&alarm, SIGALRM);
  ::sigprocmask(SIG_UNBLOCK, &alarm, nullptr);
  set_stop_actions(note_stop);
}

StopOnSignals::~StopOnSignals() {
  set_stop_actions(pass_over);
  set_timer(0);
}

bool stop_requested() {
  return g_stop;
}

StopMessage::StopMessage(const std::string& message)
    : line_(log::enabled(log::Level::error) ? "error: " + text::printable(message) + '\n' : "") {
  g_message = line_.c_str();
}

StopMessage::~StopMessage() {
  g_message = kStopped;
}

void let_writes_fail() {
  set_action(SIGPIPE, SIG_IGN);
  set_action(SIGXFSZ, SIG_IGN);
}

}  // namespace hyperdefect::app
