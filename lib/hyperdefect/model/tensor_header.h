// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hyperdefect::model {

/// A tensor as the header of a .safetensors file states it.
struct TensorEntry {
  std::string name;
  /// "F32" and so on.
  std::string type;
  std::vector<std::uint64_t> shape;
  /// Its bytes in the file's data: from the first to the one after the last.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The header of a .safetensors file.
struct TensorHeader {
  /// In the order of their data.
  std::vector<TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads the JSON in one pass and holds nothing that the format does not ask for, so that a hostile header
/// costs no more memory than its own length.
///
///     const TensorHeader header = parse_tensor_header(json);
///     for (const TensorEntry& tensor : header.tensors) {
///       std::cout << plain_name(tensor.name) << ": " << tensor.end - tensor.begin << " bytes\n";
///     }
///
/// @throws std::invalid_argument with the reason if it is not the format's JSON: another structure, a key
/// that is given twice, more than 8 dimensions or 65,536 tensors.
TensorHeader parse_tensor_header(std::string_view json);

/// A name for a message: in quotes and shortened if it holds anything but plain characters.
std::string plain_name(const std::string& name);

}  // namespace hyperdefect::model
