// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/netcdf_size.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace hyperdefect::format {
namespace {

/// More dimensions or variables than any image has.
constexpr std::uint64_t kMostEntries = 1 << 16;
constexpr std::uint64_t kDimensions = 10;
constexpr std::uint64_t kVariables = 11;
constexpr std::uint64_t kAttributes = 12;
/// The bytes of NC_BYTE, NC_CHAR, NC_SHORT ... NC_UINT64, which are numbered from 1.
constexpr std::array<std::uint64_t, 12> kBytesOfType{0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};

/// The header does not follow the format.
struct Damaged : std::runtime_error {
  Damaged() : std::runtime_error("damaged") {}
};

struct Variable {
  std::uint64_t begin = 0;
  /// Of one record, if it is one of records.
  std::uint64_t bytes = 0;
  bool has_records = false;
};

std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + 3) / 4 * 4;
}

std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) {
    throw Damaged();
  }
  return result;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) {
    throw Damaged();
  }
  return result;
}

/// Reads the header from its beginning to its end. Numbers are big-endian; those of counts have 8 bytes in
/// CDF-5, those of places in CDF-2 and CDF-5.
class Header {
 public:
  explicit Header(const std::filesystem::path& path) : stream_(path, std::ios::binary) {
    constexpr std::uint64_t kMagic = 0x434446;
    if (number(3) != kMagic) {
      throw Damaged();
    }
    version_ = number(1);
    if (version_ != 1 && version_ != 2 && version_ != 5) {
      throw Damaged();
    }
    records_ = number(count_bytes());
    read_dimensions();
    skip_attributes();
    read_variables();
  }

  std::uint64_t file_bytes() const {
    std::uint64_t record = 0;
    const auto kinds =
        std::count_if(variables_.begin(), variables_.end(), [](const auto& v) { return v.has_records; });
    for (const auto& variable : variables_) {
      // The records of a single variable follow each other without gaps.
      record = sum(record, variable.has_records ? (kinds > 1 ? padded(variable.bytes) : variable.bytes) : 0);
    }
    std::uint64_t end = 0;
    for (const auto& variable : variables_) {
      if (!variable.has_records) {
        end = std::max(end, sum(variable.begin, variable.bytes));
      } else if (records() > 0) {
        end = std::max(end, sum(variable.begin, sum(product(records() - 1, record), variable.bytes)));
      }
    }
    return end;
  }

 private:
  std::uint64_t count_bytes() const { return version_ == 5 ? 8 : 4; }
  std::uint64_t place_bytes() const { return version_ == 1 ? 4 : 8; }

  /// A writer that streams leaves the number open: then it follows from the file's size.
  std::uint64_t records() const {
    const auto open = version_ == 5 ? ~std::uint64_t{0} : std::uint64_t{0xFFFFFFFF};
    return records_ == open ? 0 : records_;
  }

  std::uint64_t number(std::uint64_t bytes) {
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < bytes; ++i) {
      const int byte = stream_.get();
      if (byte < 0) {
        throw Damaged();
      }
      value = value << 8 | static_cast<std::uint64_t>(byte);
    }
    return value;
  }

  std::uint64_t count() { return number(count_bytes()); }

  void skip(std::uint64_t bytes) {
    if (bytes > kLongestHeader || !stream_.seekg(static_cast<std::streamoff>(padded(bytes)), std::ios::cur)) {
      throw Damaged();
    }
  }

  /// The entries of a list of this kind; an absent list is two zeros.
  std::uint64_t entries(std::uint64_t kind) {
    const auto found = number(4);
    const auto entries = count();
    if ((found != kind && (found != 0 || entries != 0)) || entries > kMostEntries) {
      throw Damaged();
    }
    return entries;
  }

  std::uint64_t bytes_of_type() {
    const auto type = number(4);
    if (type == 0 || type >= kBytesOfType.size()) {
      throw Damaged();
    }
    return kBytesOfType[type];
  }

  void read_dimensions() {
    for (auto left = entries(kDimensions); left > 0; --left) {
      skip(count());
      dimensions_.push_back(count());
    }
  }

  void skip_attributes() {
    for (auto left = entries(kAttributes); left > 0; --left) {
      skip(count());
      const auto bytes = bytes_of_type();
      skip(product(bytes, count()));
    }
  }

  void read_variables() {
    for (auto left = entries(kVariables); left > 0; --left) {
      variables_.push_back(variable());
    }
  }

  Variable variable() {
    skip(count());
    Variable variable;
    variable.bytes = 1;
    auto dimensions = count();
    if (dimensions > kMostEntries) {
      throw Damaged();
    }
    for (bool first = true; dimensions > 0; --dimensions, first = false) {
      const auto id = count();
      if (id >= dimensions_.size()) {
        throw Damaged();
      }
      // A length of zero marks the dimension of the records, which comes first.
      variable.has_records = variable.has_records || (first && dimensions_[id] == 0);
      if (dimensions_[id] > 0) {
        variable.bytes = product(variable.bytes, dimensions_[id]);
      }
    }
    skip_attributes();
    variable.bytes = product(variable.bytes, bytes_of_type());
    // The size that stands here does not hold for large variables; it follows from the dimensions.
    number(count_bytes());
    variable.begin = number(place_bytes());
    return variable;
  }

  static constexpr std::uint64_t kLongestHeader = std::uint64_t{1} << 30;

  std::ifstream stream_;
  std::uint64_t version_ = 0;
  std::uint64_t records_ = 0;
  std::vector<std::uint64_t> dimensions_;
  std::vector<Variable> variables_;
};

}  // namespace

std::optional<std::uint64_t> classic_netcdf_bytes(const std::filesystem::path& path) {
  try {
    return Header(path).file_bytes();
  } catch (const Damaged&) {
    return std::nullopt;
  }
}

}  // namespace hyperdefect::format
