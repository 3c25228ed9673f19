// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/input_list.h"

#include <fstream>
#include <string_view>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/file_access.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Hands out the lines of a list, and watches over its limits.
class ListLines {
 public:
  explicit ListLines(const fs::path& list)
      : list_(list), stream_(list, std::ios::binary), buffer_(kLongestListLine + 2, '\0') {
    std::error_code failure;
    if (!stream_ || fs::is_directory(list, failure)) {
      throw InputError(text::concat(list.string(), ": the list of inputs cannot be read"));
    }
  }

  /// The next line without its end; false behind the last one.
  bool next(std::string& line) {
    if (!stream_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size())) &&
        stream_.gcount() == 0) {
      return false;
    }
    ++number_;
    const bool too_long = stream_.fail();
    // getline() counts the line's end too, unless the file ends without one.
    const auto read = static_cast<std::size_t>(stream_.gcount());
    line.assign(buffer_, 0, stream_.eof() || too_long ? read : read - 1);
    bytes_ += read;
    check(line, too_long);
    if (number_ == 1 && line.starts_with(kByteOrderMark)) {
      line.erase(0, kByteOrderMark.size());
    }
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    return true;
  }

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... why) const {
    throw InputError(text::concat(list_.string(), " line ", number_, ": ", why...));
  }

 private:
  void check(const std::string& line, bool too_long) const {
    if (number_ > kMostListLines || bytes_ > kMostListBytes) {
      refuse("the list is too long: at most ", kMostListLines, " lines and ", kMostListBytes >> 20,
             " MiB are allowed; split it");
    }
    if (line.find('\0') != std::string::npos) {
      refuse("holds a NUL byte, which no name can have; save the list as plain text (UTF-8, not UTF-16)");
    }
    if (too_long || line.size() > kLongestListLine) {
      refuse("is longer than ", kLongestListLine, " bytes; write one file, folder or pattern per line");
    }
  }

  fs::path list_;
  std::ifstream stream_;
  std::string buffer_;
  std::size_t number_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

std::vector<std::string> read_input_list(const fs::path& list, const SearchStep& step) {
  ListLines lines(list);
  std::vector<std::string> inputs;
  for (std::string line; lines.next(line);) {
    step();
    const auto trimmed = text::trimmed(line);
    if (trimmed.empty() || trimmed.starts_with('#')) {
      continue;
    }
    const bool has_blanks = trimmed.size() != line.size() && format::is_named(list.parent_path() / line);
    inputs.push_back(has_blanks ? line : trimmed);
    if (trimmed.starts_with('@') && !format::is_named(list.parent_path() / inputs.back())) {
      lines.refuse("a list cannot name another list (", trimmed, ")");
    }
  }
  if (inputs.empty()) {
    throw InputError(
        text::concat(list.string(), ": the list names no input; write one file, folder or pattern per line"));
  }
  return inputs;
}

}  // namespace hyperdefect::files
