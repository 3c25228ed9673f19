// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::log {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("hyperdefect",
                                                 std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%^%l%$: %v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      break;
  }
  return spdlog::level::off;
}

/// What all that is written to stderr shares.
struct Stderr {
  std::mutex mutex;
  std::function<void()> clear;
};

Stderr& shared_stderr() {
  static Stderr instance;
  return instance;
}

void write(Level level, std::string_view message) {
  if (!enabled(level)) {
    return;
  }
  const auto line = text::printable(message);
  auto& shared = shared_stderr();
  const std::scoped_lock lock(shared.mutex);
  if (shared.clear) {
    shared.clear();
  }
  logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

const std::vector<std::string>& level_names() {
  static const std::vector<std::string> names{"debug", "info", "warning", "error", "off"};
  return names;
}

void set_level(std::string_view name) {
  const auto& names = level_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) {
      logger().set_level(to_spdlog(static_cast<Level>(i)));
      return;
    }
  }
  throw UsageError(
      text::concat("log level '", name, "' is unknown: choose one of ", text::join(names, ", ")));
}

bool enabled(Level level) {
  return logger().should_log(to_spdlog(level));
}

void before_each_line(std::function<void()> clear) {
  const std::scoped_lock lock(shared_stderr().mutex);
  shared_stderr().clear = std::move(clear);
}

void between_lines(const std::function<void()>& write) {
  const std::scoped_lock lock(shared_stderr().mutex);
  write();
}

void debug(std::string_view message) {
  write(Level::debug, message);
}
void info(std::string_view message) {
  write(Level::info, message);
}
void warning(std::string_view message) {
  write(Level::warning, message);
}
void error(std::string_view message) {
  write(Level::error, message);
}

}  // namespace hyperdefect::log
