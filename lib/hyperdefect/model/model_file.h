// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

namespace hyperdefect::model {

/// What a .safetensors file holds: tensors by name, and text by key.
struct TensorFile {
  std::map<std::string, torch::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Writes the safetensors format (8 bytes of header length, JSON header, raw little-endian data; sorted by
/// name, so that equal content gives equal bytes). The file appears whole or not at all. @throws Error where
/// it cannot be written.
void write_tensors(const std::filesystem::path& path, const TensorFile& content);

/// @throws ModelError where the file is missing, damaged, or not a safetensors file.
TensorFile read_tensors(const std::filesystem::path& path);

/// All parameters and buffers of a module by their path in it.
std::map<std::string, torch::Tensor> state_of(const torch::nn::Module& module);

/// Copies the tensors into the module's parameters and buffers.
/// @throws ModelError where a name is missing or unknown, or a shape or type differs, naming all of them and
/// the origin.
void load_state(torch::nn::Module& module, const std::map<std::string, torch::Tensor>& tensors,
                const std::string& origin);

}  // namespace hyperdefect::model
