// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hyperdefect::config {

/// One thing that is wrong with a configuration; line 0 if a line would tell nothing.
struct Fault {
  std::int64_t line = 0;
  std::string message;
};
using Faults = std::vector<Fault>;

/// A piece of a YAML document with the line where it stands.
struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  std::int64_t line = 0;
  /// Of a scalar: its text, and whether it stood in quotes (or was a block of text).
  std::string text;
  bool quoted = false;
  /// Of a map: its keys, all of them scalars; duplicates are kept.
  std::vector<Node> keys;
  /// The elements of a list, or the values of a map, one a key.
  std::vector<Node> items;
};

/// The document in the text, or nothing and one fault. Anchors, aliases, tags and second documents are
/// refused, as is nesting that no configuration needs: they make a file that means something else than it
/// shows.
std::optional<Node> parse_yaml(const std::string& yaml, Faults& faults);

}  // namespace hyperdefect::config
