// SPDX-License-Identifier: Apache-2.0
#include "app/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <system_error>

#include "app/cli/signals.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::app {
namespace {

constexpr auto kBarEvery = std::chrono::milliseconds(100);
constexpr auto kFirstLineAfter = std::chrono::seconds(2);
constexpr auto kLineEvery = std::chrono::seconds(10);
constexpr const char* kUnnamedTask = "working";
constexpr const char* kClearLine = "\r\033[K";
constexpr int kBarWidth = 24;

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string bar(double part) {
  const auto filled = static_cast<int>(std::lround(part * kBarWidth));
  return '[' + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(kBarWidth - filled), '.') + ']';
}

/// A longer line would wrap, and only its last row could be cleared.
std::size_t columns_of_terminal() {
  constexpr std::size_t kUsual = 80;
  constexpr std::size_t kLeast = 20;
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::max<std::size_t>(size.ws_col, kLeast) : kUsual;
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

Console::Console(const std::string& task) : terminal_(::isatty(STDERR_FILENO) != 0) {
  begin(task);
  if (log::enabled(log::Level::info)) {
    log::before_each_line([this] { erase(); });
    try {
      shower_ = std::jthread([this](const std::stop_token& end) { show_until(end); });
    } catch (const std::system_error& reason) {
      log::debug(text::concat("no progress is shown: ", reason.what()));
    }
  }
}

Console::~Console() {
  if (shower_.joinable()) {
    shower_.request_stop();
    shower_.join();
    log::between_lines([this] { erase(); });
    log::before_each_line(nullptr);
  }
}

void Console::set_subject(const std::string& subject) {
  const std::scoped_lock lock(mutex_);
  subject_ = text::printable(subject);
  begin(kUnnamedTask);
}

bool Console::stop_requested() const {
  return app::stop_requested();
}

void Console::progress(const engine::Progress& progress) {
  const std::scoped_lock lock(mutex_);
  if (progress.task != progress_.task || resting_) {
    begin(progress.task);
  }
  progress_ = progress;
  updated_ = Clock::now();
}

void Console::clear() {
  {
    const std::scoped_lock lock(mutex_);
    resting_ = true;
  }
  log::between_lines([this] { erase(); });
}

void Console::begin(const std::string& task) {
  progress_ = {task, 0, 0, {}};
  resting_ = false;
  told_of_task_ = false;
  task_began_ = updated_ = Clock::now();
}

void Console::show_until(const std::stop_token& end) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, end, kBarEvery, [&end] { return end.stop_requested(); })) {
    const auto now = Clock::now();
    if (!is_due(now)) {
      continue;
    }
    const auto line = current_line(now);
    last_shown_ = now;
    told_of_task_ = true;
    lock.unlock();
    log::between_lines([&] { draw(line); });
    lock.lock();
  }
}

bool Console::is_due(Clock::time_point now) const {
  if (resting_) {
    return false;
  }
  if (terminal_) {
    return true;
  }
  const auto since_begin = now - task_began_;
  return since_begin >= kFirstLineAfter && (!told_of_task_ || now - last_shown_ >= kLineEvery);
}

std::string Console::current_line(Clock::time_point now) const {
  std::ostringstream line;
  line << subject_ << (subject_.empty() ? "" : "  ");
  const bool is_counted = progress_.total > 0;
  if (is_counted && progress_.done >= progress_.total && now - updated_ > kFirstLineAfter) {
    // The task is done, and what follows it has not told its name.
    line << kUnnamedTask << "  " << duration_text(seconds(now - updated_));
    return line.str();
  }
  const double passed = seconds(now - task_began_);
  line << progress_.task;
  if (!is_counted) {
    line << "  " << duration_text(passed);
    return line.str();
  }
  const double part = static_cast<double>(progress_.done) / static_cast<double>(progress_.total);
  line << ' ' << (terminal_ ? bar(part) + ' ' : "") << progress_.done << '/' << progress_.total;
  if (progress_.loss) {
    line << "  loss " << std::setprecision(4) << *progress_.loss;
  }
  if (part > 0 && part < 1 && passed > 1) {
    line << "  " << duration_text(seconds(updated_ - task_began_) * (1 - part) / part) << " left";
  }
  return line.str();
}

void Console::draw(const std::string& line) {
  const std::scoped_lock lock(mutex_);
  if (resting_) {
    return;  // clear() came between.
  }
  if (terminal_) {
    std::cerr << kClearLine << text::shortened(line, columns_of_terminal() - 1) << std::flush;
    bar_shown_ = true;
  } else {
    std::cerr << line << '\n' << std::flush;
  }
}

void Console::erase() {
  if (bar_shown_) {
    std::cerr << kClearLine << std::flush;
    bar_shown_ = false;
  }
}

}  // namespace hyperdefect::app
