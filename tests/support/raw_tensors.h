// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/temp_dir.h"

namespace hyperdefect::test {

/// A .safetensors file in its two parts, to be changed into what no program writes.
struct RawTensors {
  nlohmann::json header;
  std::string data;

  nlohmann::json& metadata() { return header["__metadata__"]; }
};

/// The bytes of a file with this header, whatever it is.
inline std::string tensor_file_bytes(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + data;
}

inline std::string tensor_file_bytes(const RawTensors& file) {
  return tensor_file_bytes(file.header.dump(), file.data);
}

inline RawTensors read_raw_tensors(const std::filesystem::path& path) {
  const auto bytes = read_bytes(path);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return {nlohmann::json::parse(bytes.substr(sizeof length, length)), bytes.substr(sizeof length + length)};
}

/// Writes a value over the first bytes of a tensor.
template <class T>
void set_first_value(RawTensors& file, const std::string& name, T value) {
  const auto begin = file.header.at(name).at("data_offsets").at(0).get<std::size_t>();
  std::memcpy(file.data.data() + begin, &value, sizeof value);
}

/// Takes a tensor and its bytes away.
inline void remove_tensor(RawTensors& file, const std::string& name) {
  const auto begin = file.header.at(name).at("data_offsets").at(0).get<std::size_t>();
  const auto end = file.header.at(name).at("data_offsets").at(1).get<std::size_t>();
  file.header.erase(name);
  file.data.erase(begin, end - begin);
  for (auto& [other, entry] : file.header.items()) {
    if (other != "__metadata__" && entry["data_offsets"][0].get<std::size_t>() >= end) {
      entry["data_offsets"][0] = entry["data_offsets"][0].get<std::size_t>() - (end - begin);
      entry["data_offsets"][1] = entry["data_offsets"][1].get<std::size_t>() - (end - begin);
    }
  }
}

/// Adds a tensor of this type and shape after the others.
inline void add_tensor(RawTensors& file, const std::string& name, const std::string& type,
                       const std::vector<std::int64_t>& shape, const std::string& bytes) {
  file.header[name] = {{"dtype", type},
                       {"shape", shape},
                       {"data_offsets", {file.data.size(), file.data.size() + bytes.size()}}};
  file.data += bytes;
}

}  // namespace hyperdefect::test
