// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <map>
#include <string>

namespace hyperdefect::model {

/// What a .safetensors file holds: tensors by name, and text by key.
///
///     write_tensors("weights.safetensors", {state_of(*network), {{"made_by", "a test"}}});
///     const TensorFile file = read_tensors("weights.safetensors");
///     load_state(*network, file.tensors, "weights.safetensors");
struct TensorFile {
  std::map<std::string, torch::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// What a message about a damaged model file asks the user to do.
inline constexpr const char* kTrainAgain = ": use the file as training wrote it, or train again";

/// Writes the safetensors format (8 bytes of header length, JSON header, raw little-endian data; sorted by
/// name, so that equal content gives equal bytes). The file appears whole or not at all. @throws Error if
/// it cannot be written.
void write_tensors(const std::filesystem::path& path, const TensorFile& content);

/// Checks the whole file before any memory is taken for its tensors: their data must fill the file without a
/// gap, an overlap or a rest, and each shape must fit its data.
/// @param remedy what the message about a damaged file ends with.
/// @throws ModelError if the file is missing, damaged, not a safetensors file or larger than the memory.
TensorFile read_tensors(const std::filesystem::path& path, const std::string& remedy = kTrainAgain);

/// The same without the values: the tensors are on the device "meta" and take no memory.
TensorFile read_header(const std::filesystem::path& path, const std::string& remedy = kTrainAgain);

/// Adds the entry "checksum" to the metadata: a fingerprint of all names, texts and values, which shows a
/// damaged byte. It is no protection against somebody who means to deceive.
void add_checksum(TensorFile& content);

/// Whether the metadata hold the checksum of the content.
bool has_right_checksum(const TensorFile& content);

/// All parameters and buffers of a module by their path in it.
std::map<std::string, torch::Tensor> state_of(const torch::nn::Module& module);

/// In which names, shapes and types the found tensors differ from the wanted ones, in words; "" if in none.
/// Values are not looked at.
std::string differences(const std::map<std::string, torch::Tensor>& wanted,
                        const std::map<std::string, torch::Tensor>& found);

/// Which of the tensors cannot be part of a fitted detector, in words: one with a value that is not finite,
/// or a count below 0; "" if all can.
std::string value_faults(const std::map<std::string, torch::Tensor>& tensors);

/// @throws ModelError if a name is missing or unknown, or a shape or type differs, naming them and the
/// origin.
void check_state(const torch::nn::Module& module, const std::map<std::string, torch::Tensor>& tensors,
                 const std::string& origin);

/// Copies the tensors into the module's parameters and buffers. @throws what check_state() throws.
void load_state(torch::nn::Module& module, const std::map<std::string, torch::Tensor>& tensors,
                const std::string& origin);

}  // namespace hyperdefect::model
