// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/model_file.h"

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::model {
namespace {

struct TypeName {
  const char* name;
  at::ScalarType type;
};
constexpr std::array kTypes{TypeName{"F64", at::kDouble},    TypeName{"F32", at::kFloat},
                            TypeName{"BF16", at::kBFloat16}, TypeName{"I64", at::kLong},
                            TypeName{"I32", at::kInt},       TypeName{"U8", at::kByte},
                            TypeName{"BOOL", at::kBool}};
/// A header larger than this is taken for damage; the format's own limit is the same.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

std::string name_of(at::ScalarType type) {
  for (const auto& entry : kTypes) {
    if (entry.type == type) {
      return entry.name;
    }
  }
  throw Error(text::cat("a tensor of type ", c10::toString(type), " has no place in a safetensors file"));
}

at::ScalarType type_named(const std::string& name) {
  for (const auto& entry : kTypes) {
    if (name == entry.name) {
      return entry.type;
    }
  }
  throw std::invalid_argument(text::cat("tensor type ", name, " is unknown"));
}

ModelError damaged(const std::filesystem::path& path, const std::string& what) {
  return ModelError(text::cat(path.string(), ": not a whole safetensors file (", what,
                              "): take the file that `hyperdefect train` wrote, or train again"));
}

/// The header's text padded with blanks, so that the data begins at a multiple of 8 bytes.
std::string header_of(const TensorFile& content, const std::map<std::string, torch::Tensor>& tensors) {
  nlohmann::json header = nlohmann::json::object();
  if (!content.metadata.empty()) {
    header["__metadata__"] = content.metadata;
  }
  std::size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto end = offset + tensor.nbytes();
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

std::string file_bytes(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    throw ModelError(text::cat(path.string(), ": is a folder, a model file (.safetensors) is needed"));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw ModelError(text::cat(path.string(), ": no such model file, or it cannot be read"));
  }
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

torch::Tensor tensor_from(const nlohmann::json& entry, std::string_view data) {
  const auto type = type_named(entry.at("dtype").get<std::string>());
  const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto begin = entry.at("data_offsets").at(0).get<std::size_t>();
  const auto end = entry.at("data_offsets").at(1).get<std::size_t>();
  std::size_t bytes = c10::elementSize(type);
  for (const auto size : shape) {
    if (size < 0 || (size > 0 && bytes > data.size() / static_cast<std::size_t>(size))) {
      throw std::invalid_argument("a shape does not fit the file");
    }
    bytes *= static_cast<std::size_t>(size);
  }
  if (end < begin || end > data.size() || end - begin != bytes) {
    throw std::invalid_argument(text::cat(data.size(), " bytes of data, a tensor reaches to ", end));
  }
  auto tensor = torch::empty(shape, type);
  if (bytes > 0) {
    std::memcpy(tensor.data_ptr(), data.data() + begin, bytes);
  }
  return tensor;
}

std::string shape_and_type(const torch::Tensor& tensor) {
  std::vector<std::string> sizes;
  for (const auto size : tensor.sizes()) {
    sizes.push_back(std::to_string(size));
  }
  return text::cat('(', text::join(sizes, ", "), ") ", c10::toString(tensor.scalar_type()));
}

}  // namespace

void write_tensors(const std::filesystem::path& path, const TensorFile& content) {
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& [name, tensor] : content.tensors) {
    tensors[name] = tensor.detach().cpu().contiguous();
  }
  const auto header = header_of(content, tensors);
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  bytes += header;
  for (const auto& [name, tensor] : tensors) {
    bytes.append(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  }
  write_file(path, bytes);
}

TensorFile read_tensors(const std::filesystem::path& path) {
  const auto bytes = file_bytes(path);
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) {
    throw damaged(path, text::cat(bytes.size(), " bytes"));
  }
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeaderBytes || length > bytes.size() - sizeof length) {
    throw damaged(path, "its header is longer than the file");
  }
  const std::string_view all(bytes);
  TensorFile content;
  try {
    const auto header = nlohmann::json::parse(all.substr(sizeof length, length));
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        content.metadata = entry.get<std::map<std::string, std::string>>();
      } else {
        content.tensors[name] = tensor_from(entry, all.substr(sizeof length + length));
      }
    }
  } catch (const nlohmann::json::exception&) {
    throw damaged(path, "its header is not the JSON that the format asks for");
  } catch (const std::invalid_argument& reason) {
    throw damaged(path, reason.what());
  } catch (const c10::Error&) {
    throw damaged(path, "a shape does not fit the file");
  }
  return content;
}

std::map<std::string, torch::Tensor> state_of(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> state;
  for (const auto& item : module.named_parameters()) {
    state[item.key()] = item.value();
  }
  for (const auto& item : module.named_buffers()) {
    state[item.key()] = item.value();
  }
  return state;
}

void load_state(torch::nn::Module& module, const std::map<std::string, torch::Tensor>& tensors,
                const std::string& origin) {
  auto state = state_of(module);
  std::vector<std::string> faults;
  for (const auto& [name, target] : state) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      faults.push_back(text::cat(name, " is missing"));
    } else if (found->second.sizes() != target.sizes() ||
               found->second.scalar_type() != target.scalar_type()) {
      faults.push_back(
          text::cat(name, " is ", shape_and_type(found->second), " instead of ", shape_and_type(target)));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (state.find(name) == state.end()) {
      faults.push_back(text::cat(name, " is unknown"));
    }
  }
  if (!faults.empty()) {
    throw ModelError(text::cat(
        origin, ": does not fit the model that its configuration describes: ", text::join(faults, "; ")));
  }
  const torch::NoGradGuard no_gradient;
  for (auto& [name, target] : state) {
    target.copy_(tensors.at(name));
  }
}

}  // namespace hyperdefect::model
