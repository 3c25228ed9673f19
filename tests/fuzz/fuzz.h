// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace hyperdefect::fuzz {

/// The longest line that a message may have.
inline constexpr std::size_t kLongestLine = 2000;

/// Ends the program, which libFuzzer takes for a fault and keeps the input of.
inline void require(bool holds, std::string_view property, std::string_view given = {}) {
  if (!holds) {
    std::fprintf(stderr, "DOES NOT HOLD: %.*s\n%.*s\n", static_cast<int>(property.size()), property.data(),
                 static_cast<int>(given.size()), given.data());
    std::abort();
  }
}

/// What a user reads is one line (of a ConfigError: a few) of bounded length.
inline void require_message(std::string_view message, std::int64_t most_lines = 1) {
  require(!message.empty(), "a message says something");
  require(message.find('\r') == std::string_view::npos, "a message holds no carriage return", message);
  require(std::count(message.begin(), message.end(), '\n') < most_lines, "a message is one line", message);
  while (!message.empty()) {
    const auto end = std::min(message.find('\n'), message.size());
    require(end <= kLongestLine, "a message has a bounded length", message);
    message.remove_prefix(std::min(end + 1, message.size()));
  }
}

/// Whether the work was done. It may be refused by a Refusal alone: any other exception leaves the harness,
/// which is a fault.
template <class Refusal, class Work>
bool accepted(Work work, std::int64_t most_lines = 1) {
  try {
    work();
    return true;
  } catch (const Refusal& refusal) {
    require_message(refusal.what(), most_lines);
    return false;
  }
}

/// The text again and again, up to the size: what takes more than linear time is so seen by libFuzzer's
/// -timeout. Empty for all but one of 4096 inputs, since it is slow.
inline std::string amplified(std::string_view text, std::size_t size) {
  std::string repeated;
  if (!text.empty() && std::hash<std::string_view>{}(text) % 4096 == 0) {
    while (repeated.size() + text.size() <= size) {
      repeated += text;
    }
  }
  return repeated;
}

}  // namespace hyperdefect::fuzz
