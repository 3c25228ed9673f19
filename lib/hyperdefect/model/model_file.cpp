// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/model_file.h"

#include <torch/utils.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/tensor_header.h"

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
  throw Error(
      text::concat("a tensor of type ", c10::toString(type), " cannot be stored in a safetensors file"));
}

at::ScalarType type_named(const std::string& name) {
  for (const auto& entry : kTypes) {
    if (name == entry.name) {
      return entry.type;
    }
  }
  throw std::invalid_argument(text::concat("tensor type ", plain_name(name), " is unknown"));
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

std::uint64_t memory_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// The bytes that the shape and the type ask for. @throws std::invalid_argument if 64 bits do not hold them.
std::uint64_t bytes_of(const TensorEntry& entry) {
  constexpr std::uint64_t kMostElements = std::uint64_t{1} << 59;
  // An empty tensor has a type, too.
  const std::uint64_t element_size = c10::elementSize(type_named(entry.type));
  std::uint64_t elements = 1;
  bool is_empty = false;
  for (const auto size : entry.shape) {
    if (size > kMostElements / elements) {
      throw std::invalid_argument(
          text::concat("the shape of ", plain_name(entry.name), " does not fit the file"));
    }
    elements *= std::max<std::uint64_t>(size, 1);
    is_empty = is_empty || size == 0;
  }
  return is_empty ? 0 : elements * element_size;
}

/// The data must be the tensors' bytes, one after the other, and nothing else.
void check_layout(const TensorHeader& header, std::uint64_t data_bytes) {
  std::uint64_t offset = 0;
  for (const auto& entry : header.tensors) {
    const auto name = plain_name(entry.name);
    if (entry.begin < offset) {
      throw std::invalid_argument(text::concat(name, " overlaps another tensor"));
    }
    if (entry.begin > offset) {
      throw std::invalid_argument(
          text::concat(entry.begin - offset, " bytes before ", name, " belong to no tensor"));
    }
    const auto bytes = bytes_of(entry);
    if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
      throw std::invalid_argument(text::concat("the shape of ", name, " asks for ", bytes,
                                               " bytes, but it has those from ", entry.begin, " to ",
                                               entry.end));
    }
    offset = entry.end;
  }
  if (offset != data_bytes) {
    throw std::invalid_argument(
        text::concat(data_bytes, " bytes of data, but its header describes ", offset));
  }
}

std::vector<std::int64_t> shape_of(const TensorEntry& entry) {
  return {entry.shape.begin(), entry.shape.end()};
}

/// A .safetensors file, opened and read up to its data.
class Reader {
 public:
  Reader(std::filesystem::path path, std::string remedy)
      : path_(std::move(path)), remedy_(std::move(remedy)) {
    open();
    try {
      read_header();
    } catch (const std::invalid_argument& reason) {
      throw damaged(reason.what());
    }
  }

  TensorFile header() {
    TensorFile content{{}, std::move(header_.metadata)};
    for (const auto& entry : header_.tensors) {
      content.tensors[entry.name] =
          torch::empty(shape_of(entry), torch::dtype(type_named(entry.type)).device(torch::kMeta));
    }
    return content;
  }

  TensorFile whole() {
    TensorFile content{{}, std::move(header_.metadata)};
    try {
      for (const auto& entry : header_.tensors) {
        content.tensors[entry.name] = read_tensor(entry);
      }
    } catch (const c10::Error&) {
      throw ModelError(text::concat(path_.string(), ": its ", file_bytes_, " bytes do not fit into memory"));
    }
    return content;
  }

 private:
  ModelError damaged(const std::string& what) const {
    return ModelError(text::concat(path_.string(), ": not a whole safetensors file (", what, ")", remedy_));
  }

  void open() {
    std::error_code unknown;
    const auto kind = std::filesystem::status(path_, unknown).type();
    if (kind == std::filesystem::file_type::directory) {
      throw ModelError(text::concat(path_.string(), ": is a folder; a model file (.safetensors) is needed"));
    }
    // To open a pipe would wait for whoever writes into it.
    if (std::filesystem::exists(path_, unknown) && kind != std::filesystem::file_type::regular) {
      throw ModelError(
          text::concat(path_.string(), ": is not a regular file; a model file (.safetensors) is needed"));
    }
    stream_.open(path_, std::ios::binary);
    file_bytes_ = std::filesystem::file_size(path_, unknown);
    if (!stream_ || unknown) {
      throw ModelError(text::concat(path_.string(), ": no such model file, or it cannot be read"));
    }
  }

  void read_header() {
    std::uint64_t length = 0;
    if (file_bytes_ < sizeof length) {
      throw damaged(text::concat(file_bytes_, " bytes"));
    }
    read(reinterpret_cast<char*>(&length), sizeof length);
    if (length > kMaxHeaderBytes || length > file_bytes_ - sizeof length) {
      throw damaged("its header is longer than the file");
    }
    std::string json(length, '\0');
    read(json.data(), length);
    header_ = parse_tensor_header(json);
    check_layout(header_, file_bytes_ - sizeof length - length);
    if (file_bytes_ > memory_bytes()) {
      throw ModelError(text::concat(path_.string(), ": its ", file_bytes_,
                                    " bytes do not fit into the memory of ", memory_bytes(), " bytes"));
    }
  }

  torch::Tensor read_tensor(const TensorEntry& entry) {
    auto tensor = torch::empty(shape_of(entry), type_named(entry.type));
    if (tensor.nbytes() > 0) {
      read(static_cast<char*>(tensor.data_ptr()), tensor.nbytes());
    }
    if (tensor.scalar_type() == at::kBool && tensor.view(at::kByte).gt(1).any().item<bool>()) {
      throw damaged(text::concat(plain_name(entry.name), " holds values other than true and false"));
    }
    return tensor;
  }

  void read(char* into, std::size_t bytes) {
    if (!stream_.read(into, static_cast<std::streamsize>(bytes))) {
      throw damaged("it ends too early, or it cannot be read");
    }
  }

  std::filesystem::path path_;
  std::string remedy_;
  std::ifstream stream_;
  std::uint64_t file_bytes_ = 0;
  TensorHeader header_;
};

/// The faults as one line; of many the first ones.
std::string listed(std::vector<std::string> faults) {
  constexpr std::size_t kMost = 6;
  if (faults.size() > kMost) {
    const auto more = faults.size() - kMost;
    faults.resize(kMost);
    faults.push_back(text::concat("and ", more, " more"));
  }
  return text::join(faults, "; ");
}

std::string shape_and_type(const torch::Tensor& tensor) {
  std::vector<std::string> sizes;
  for (const auto size : tensor.sizes()) {
    sizes.push_back(std::to_string(size));
  }
  return text::concat('(', text::join(sizes, ", "), ") ", c10::toString(tensor.scalar_type()));
}

constexpr const char* kChecksum = "checksum";

std::string checksum_of(const TensorFile& content) {
  auto sum = fingerprint("");
  const auto add = [&sum](std::string_view bytes) {
    sum = fingerprint(text::concat(bytes.size(), ':'), sum);
    sum = fingerprint(bytes, sum);
  };
  for (const auto& [key, value] : content.metadata) {
    if (key != kChecksum) {
      add(key);
      add(value);
    }
  }
  for (const auto& [name, tensor] : content.tensors) {
    const auto values = tensor.detach().cpu().contiguous();
    add(name);
    add({static_cast<const char*>(values.data_ptr()), values.nbytes()});
  }
  return text::concat(sum);
}

}  // namespace

void write_tensors(const std::filesystem::path& path, const TensorFile& content) {
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& [name, tensor] : content.tensors) {
    tensors[name] = tensor.detach().cpu().contiguous();
  }
  const auto header = header_of(content, tensors);
  const std::uint64_t length = header.size();
  if (length > kMaxHeaderBytes) {
    throw Error(
        text::concat(path.string(), ": a header of ", length, " bytes is too long for a safetensors file"));
  }
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  bytes += header;
  for (const auto& [name, tensor] : tensors) {
    bytes.append(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  }
  write_file(path, bytes);
}

TensorFile read_tensors(const std::filesystem::path& path, const std::string& remedy) {
  return Reader(path, remedy).whole();
}

TensorFile read_header(const std::filesystem::path& path, const std::string& remedy) {
  return Reader(path, remedy).header();
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

std::string differences(const std::map<std::string, torch::Tensor>& wanted,
                        const std::map<std::string, torch::Tensor>& found) {
  std::vector<std::string> faults;
  for (const auto& [name, target] : wanted) {
    const auto tensor = found.find(name);
    if (tensor == found.end()) {
      faults.push_back(text::concat(name, " is missing"));
    } else if (tensor->second.sizes() != target.sizes() ||
               tensor->second.scalar_type() != target.scalar_type()) {
      faults.push_back(
          text::concat(name, " is ", shape_and_type(tensor->second), " instead of ", shape_and_type(target)));
    }
  }
  for (const auto& [name, tensor] : found) {
    if (!wanted.contains(name)) {
      faults.push_back(text::concat(plain_name(name), " is unknown"));
    }
  }
  return listed(std::move(faults));
}

std::string value_faults(const std::map<std::string, torch::Tensor>& tensors) {
  const torch::NoGradGuard no_gradient;
  std::vector<std::string> faults;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.is_floating_point() && !tensor.isfinite().all().item<bool>()) {
      faults.push_back(text::concat(plain_name(name), " holds values that are not finite"));
    } else if (!tensor.is_floating_point() && tensor.lt(0).any().item<bool>()) {
      faults.push_back(text::concat(plain_name(name), " is a count and below 0"));
    }
  }
  return listed(std::move(faults));
}

void check_state(const torch::nn::Module& module, const std::map<std::string, torch::Tensor>& tensors,
                 const std::string& origin) {
  const auto faults = differences(state_of(module), tensors);
  if (!faults.empty()) {
    throw ModelError(
        text::concat(origin, ": does not fit the model that its configuration describes: ", faults));
  }
}

void load_state(torch::nn::Module& module, const std::map<std::string, torch::Tensor>& tensors,
                const std::string& origin) {
  check_state(module, tensors, origin);
  const torch::NoGradGuard no_gradient;
  for (auto& [name, target] : state_of(module)) {
    target.copy_(tensors.at(name));
  }
}

void add_checksum(TensorFile& content) {
  content.metadata[kChecksum] = checksum_of(content);
}

bool has_right_checksum(const TensorFile& content) {
  const auto sum = content.metadata.find(kChecksum);
  return sum != content.metadata.end() && sum->second == checksum_of(content);
}

}  // namespace hyperdefect::model
