// SPDX-License-Identifier: Apache-2.0
// Safetensors files: what is read holds no more than the file, and is written so that it reads back equal.
#include "hyperdefect/model/model_file.h"

#include <optional>

#include "fuzz/fuzz.h"
#include "fuzz/input_file.h"
#include "fuzz/tensor_checks.h"
#include "fuzz/tensor_text.h"
#include "hyperdefect/core/error.h"

namespace hyperdefect::fuzz {
namespace {

std::optional<model::TensorFile> read(const std::filesystem::path& path) {
  std::optional<model::TensorFile> content;
  accepted<ModelError>([&] { content = model::read_tensors(path); });
  return content;
}

/// What stands behind the header.
std::size_t data_size(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return bytes.size() - sizeof length - length;
}

void check(std::string_view text) {
  static const InputFile file("a.safetensors");
  const auto bytes = changed_file(text, {});
  const auto content = read(file.holding(bytes));
  if (!content) {
    return;
  }
  require(bytes_of(content->tensors) <= data_size(bytes), "the tensors hold no more than the file");
  model::write_tensors(file.path(), *content);
  const auto again = read(file.path());
  require(again.has_value(), "what was accepted reads back");
  require(again->metadata == content->metadata, "the metadata read back equal");
  require_equal(content->tensors, again->tensors);
}

}  // namespace
}  // namespace hyperdefect::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hyperdefect::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
