// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace hyperdefect::fuzz {

/// A safetensors file in parts, each of which may be wrong by itself.
struct TensorText {
  std::map<std::string, std::string> metadata;
  /// The JSON object of the tensors.
  std::string tensors = "{}";
  std::string data;
};

/// The parts of a whole file.
inline TensorText parts_of(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  auto header = nlohmann::json::parse(bytes.substr(sizeof length, length));
  TensorText parts;
  if (header.contains("__metadata__")) {
    parts.metadata = header["__metadata__"].get<std::map<std::string, std::string>>();
    header.erase("__metadata__");
  }
  parts.tensors = header.dump();
  parts.data = bytes.substr(sizeof length + length);
  return parts;
}

/// The text as JSON, whatever else its bytes are.
inline std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    }
  }
  return quoted + '"';
}

inline std::string file_of(const TensorText& parts) {
  std::string metadata;
  for (const auto& [key, value] : parts.metadata) {
    metadata += (metadata.empty() ? "" : ",") + json_text(key) + ':' + json_text(value);
  }
  const auto rest = parts.tensors.substr(1);
  const auto header = metadata.empty()
                          ? parts.tensors
                          : "{\"__metadata__\":{" + metadata + (rest.starts_with('}') ? "}" : "},") + rest;
  std::string bytes(sizeof(std::uint64_t), '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + parts.data;
}

/// Begins a text that is followed by the bytes of a file.
inline constexpr std::string_view kRaw = "RAW\n";

/// The file that a text makes of a whole one, so that a mutation breaks one thing only. A line KEY=VALUE sets
/// an entry of the metadata, a line KEY removes it; a line that begins with { is the object of the tensors,
/// and their data follow it. After kRaw come the bytes of the file.
inline std::string changed_file(std::string_view text, TensorText parts) {
  if (text.starts_with(kRaw)) {
    return std::string(text.substr(kRaw.size()));
  }
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = std::string(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = line.find('=');
    if (line.starts_with('{')) {
      parts.tensors = line;
      parts.data = text;
      break;
    }
    if (equals == std::string::npos) {
      parts.metadata.erase(line);
    } else {
      parts.metadata[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  return file_of(parts);
}

}  // namespace hyperdefect::fuzz
