// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// Each writes one line to stderr. They may be called from any thread.
void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace hyperdefect::log
