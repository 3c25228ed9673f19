// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/tensor_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::model {
namespace {

constexpr std::size_t kMostTensors = 65'536;
constexpr std::size_t kMostDimensions = 8;
constexpr std::size_t kOffsets = 2;
constexpr std::size_t kLongestName = 60;

[[noreturn]] void refuse() {
  throw std::invalid_argument("its header is not the JSON that the format asks for");
}

/// Takes the parser's events as long as they are those of the format:
///   {"__metadata__": {KEY: TEXT, ...}, NAME: {"dtype": TEXT, "shape": [N, ...], "data_offsets": [N, N]},
///   ...}
class HeaderEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  TensorHeader take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (place_ == Placement::outside) {
      place_ = Placement::header;
    } else if (place_ == Placement::header) {
      place_ = key_ == "__metadata__" ? Placement::metadata : Placement::tensor;
      tensor_.name = key_;
    } else {
      refuse();
    }
    return true;
  }

  bool key(string_t& key) override {
    const bool is_new = place_ == Placement::tensor     ? fields_.insert(key).second
                        : place_ == Placement::metadata ? !header_.metadata.contains(key)
                                                        : names_.insert(key).second;
    if (!is_new) {
      throw std::invalid_argument(text::concat("its header holds ", plain_name(key), " twice"));
    }
    key_ = std::move(key);
    return true;
  }

  bool end_object() override {
    if (place_ == Placement::tensor) {
      end_tensor();
    }
    place_ = place_ == Placement::header ? Placement::outside : Placement::header;
    return true;
  }

  bool string(string_t& text) override {
    if (place_ == Placement::metadata) {
      header_.metadata[key_] = std::move(text);
    } else if (place_ == Placement::tensor && key_ == "dtype") {
      tensor_.type = std::move(text);
    } else {
      refuse();
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Placement::tensor || (key_ != "shape" && key_ != "data_offsets")) {
      refuse();
    }
    place_ = Placement::numbers;
    return true;
  }

  bool number_unsigned(number_unsigned_t number) override {
    if (place_ != Placement::numbers) {
      refuse();
    }
    auto& numbers = key_ == "shape" ? tensor_.shape : offsets_;
    if (numbers.size() == kMostDimensions) {
      throw std::invalid_argument(text::concat(plain_name(tensor_.name), " has more than ", kMostDimensions,
                                               key_ == "shape" ? " dimensions" : " data_offsets"));
    }
    numbers.push_back(number);
    return true;
  }

  bool end_array() override {
    place_ = Placement::tensor;
    return true;
  }

  bool null() override { refuse(); }
  bool boolean(bool) override { refuse(); }
  bool number_integer(number_integer_t) override { refuse(); }
  bool number_float(number_float_t, const string_t&) override { refuse(); }
  bool binary(binary_t&) override { refuse(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { refuse(); }

 private:
  enum class Placement { outside, header, metadata, tensor, numbers };

  void end_tensor() {
    if (fields_ != std::set<std::string>{"data_offsets", "dtype", "shape"} || offsets_.size() != kOffsets) {
      refuse();
    }
    tensor_.begin = offsets_[0];
    tensor_.end = offsets_[1];
    header_.tensors.push_back(std::move(tensor_));
    if (header_.tensors.size() > kMostTensors) {
      throw std::invalid_argument(text::concat("it holds more than ", kMostTensors, " tensors"));
    }
    tensor_ = {};
    offsets_.clear();
    fields_.clear();
  }

  TensorHeader header_;
  Placement place_ = Placement::outside;
  std::string key_;
  TensorEntry tensor_;
  std::vector<std::uint64_t> offsets_;
  std::set<std::string> fields_;
  std::set<std::string> names_;
};

}  // namespace

TensorHeader parse_tensor_header(std::string_view json) {
  HeaderEvents events;
  nlohmann::json::sax_parse(json, &events);
  auto header = events.take();
  std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  return header;
}

std::string plain_name(const std::string& name) {
  const bool is_plain = !name.empty() && name.size() <= kLongestName &&
                        std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return is_plain ? name : text::shown(name);
}

}  // namespace hyperdefect::model
