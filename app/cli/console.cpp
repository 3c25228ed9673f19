// SPDX-License-Identifier: Apache-2.0
#include "app/cli/console.h"

#include <unistd.h>

#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <utility>

#include "app/cli/signals.h"

namespace hyperdefect::app {
namespace {

constexpr auto kBarEvery = std::chrono::milliseconds(100);
constexpr auto kLineEvery = std::chrono::seconds(10);
constexpr int kBarWidth = 24;

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string bar(double part) {
  const auto filled = static_cast<int>(std::lround(part * kBarWidth));
  return '[' + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(kBarWidth - filled), '.') + ']';
}

std::string duration_text(double left) {
  std::ostringstream text;
  const auto whole = static_cast<std::int64_t>(std::ceil(left));
  if (whole >= 3600) {
    text << whole / 3600 << " h " << whole / 60 % 60 << " min";
  } else if (whole >= 60) {
    text << whole / 60 << " min " << whole % 60 << " s";
  } else {
    text << whole << " s";
  }
  return text.str();
}

}  // namespace

Console::Console(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) != 0) {}

Console::~Console() {
  clear();
}

void Console::set_subject(std::string subject) {
  clear();
  subject_ = std::move(subject);
  task_.clear();
}

bool Console::stop_requested() const {
  return app::stop_requested();
}

void Console::progress(const engine::Progress& progress) {
  const auto now = Clock::now();
  if (progress.task != task_) {
    task_ = progress.task;
    task_began_ = now;
    last_shown_ = now;
  }
  if (quiet_) {
    return;
  }
  const bool finished = progress.done >= progress.total;
  if (terminal_ && (finished || now - last_shown_ >= kBarEvery)) {
    std::cerr << "\r\033[K" << line_for(progress) << std::flush;
    bar_shown_ = true;
    last_shown_ = now;
  } else if (!terminal_ && now - last_shown_ >= kLineEvery) {
    std::cerr << line_for(progress) << '\n';
    last_shown_ = now;
  }
}

std::string Console::line_for(const engine::Progress& progress) const {
  const double part =
      progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : 1;
  std::ostringstream line;
  line << subject_ << (subject_.empty() ? "" : "  ") << progress.task << ' ';
  if (terminal_) {
    line << bar(part) << ' ';
  }
  line << progress.done << '/' << progress.total;
  if (progress.loss) {
    line << "  loss " << std::setprecision(4) << *progress.loss;
  }
  const double passed = seconds(Clock::now() - task_began_);
  if (part > 0 && part < 1 && passed > 1) {
    line << "  " << duration_text(passed * (1 - part) / part) << " left";
  }
  return line.str();
}

void Console::clear() {
  if (bar_shown_) {
    std::cerr << "\r\033[K" << std::flush;
    bar_shown_ = false;
  }
}

}  // namespace hyperdefect::app
