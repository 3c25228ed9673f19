// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hyperdefect::log {

enum class Level { debug, info, warning, error, off };

/// The names that set_level() takes, as a user writes them.
const std::vector<std::string>& level_names();

/// Sets what reaches stderr; throws UsageError for an unknown name.
void set_level(std::string_view name);

/// Whether a line of this level would be written.
bool enabled(Level level);

/// Calls `clear` before each line from now on, so that a progress bar can take itself off the screen;
/// nullptr: nothing. No other line is written meanwhile.
void before_each_line(std::function<void()> clear);

/// Runs `write`, which writes to stderr itself, while no line is written.
void between_lines(const std::function<void()>& write);

/// Each writes one line to stderr, its control characters escaped: names and headers come from anywhere. They
/// may be called from any thread. What cannot be written is lost.
void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace hyperdefect::log
