// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/path_pattern.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

/// Where a pair of braces that means alternatives ends, and where its commas stand.
struct Braces {
  std::size_t end = 0;
  std::vector<std::size_t> commas;
};

using BracesByBegin = std::vector<Braces>;

/// One pass over the pattern: for each opening brace its end, or 0 if it stands for itself.
BracesByBegin paired_braces(const std::string& pattern) {
  BracesByBegin braces(pattern.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '{') {
      open.push_back(i);
    } else if (pattern[i] == ',' && !open.empty()) {
      braces[open.back()].commas.push_back(i);
    } else if (pattern[i] == '}' && !open.empty()) {
      braces[open.back()].end = braces[open.back()].commas.empty() ? 0 : i;
      open.pop_back();
    }
  }
  return braces;
}

/// Counts and writes out the alternatives of parts [begin, end) of one pattern.
class Alternatives {
 public:
  explicit Alternatives(const std::string& pattern) : pattern_(pattern), braces_(paired_braces(pattern)) {}

  /// How many texts the part stands for; not more than one above the limit.
  std::size_t count(std::size_t begin, std::size_t end, int depth = 0) const {
    check_depth(depth);
    std::size_t product = 1;
    each_braces(begin, end, [&](std::size_t at) {
      std::size_t sum = 0;
      each_alternative(at, [&](std::size_t from, std::size_t to) {
        sum = std::min(sum + count(from, to, depth + 1), kMostAlternatives + 1);
      });
      product = std::min(product * sum, kMostAlternatives + 1);
    });
    return product;
  }

  std::vector<std::string> texts(std::size_t begin, std::size_t end) const {
    std::vector<std::string> texts{""};
    auto literal = begin;
    each_braces(begin, end, [&](std::size_t at) {
      append(pattern_.substr(literal, at - literal), texts);
      append_alternatives(at, texts);
      literal = braces_[at].end + 1;
    });
    append(pattern_.substr(literal, end - literal), texts);
    return texts;
  }

 private:
  void check_depth(int depth) const {
    if (depth > kDeepestBraces) {
      throw InputError(text::concat(pattern_, ": braces are nested more than ", kDeepestBraces,
                                    " deep; name the inputs in a list file (@list.txt) instead"));
    }
  }

  /// Calls `each` with the beginning of every pair of braces that is not inside another one.
  template <class Each>
  void each_braces(std::size_t begin, std::size_t end, const Each& each) const {
    for (auto i = begin; i < end; ++i) {
      if (braces_[i].end != 0) {
        each(i);
        i = braces_[i].end;
      }
    }
  }

  template <class Each>
  void each_alternative(std::size_t at, const Each& each) const {
    auto from = at + 1;
    for (const auto comma : braces_[at].commas) {
      each(from, comma);
      from = comma + 1;
    }
    each(from, braces_[at].end);
  }

  static void append(const std::string& literal, std::vector<std::string>& texts) {
    for (auto& text : texts) {
      text += literal;
    }
  }

  void append_alternatives(std::size_t at, std::vector<std::string>& texts_so_far) const {
    std::vector<std::string> ends;
    each_alternative(at, [&](std::size_t from, std::size_t to) {
      const auto more = texts(from, to);
      ends.insert(ends.end(), more.begin(), more.end());
    });
    std::vector<std::string> joined;
    for (const auto& begin : texts_so_far) {
      for (const auto& end : ends) {
        joined.push_back(begin + end);
      }
    }
    texts_so_far = std::move(joined);
  }

  const std::string& pattern_;
  BracesByBegin braces_;
};

/// Whether a name of a pattern must be compared with what a folder holds.
bool must_be_matched(const std::string& name) {
  return name.find_first_of("*?[\\") != std::string::npos;
}

bool is_missing(const fs::path& path) {
  std::error_code failure;
  return fs::symlink_status(path, failure).type() == fs::file_type::not_found;
}

/// Folders that links make reachable in several ways, each once: else links to `.` multiply with each level.
std::vector<fs::path> each_once(std::vector<fs::path> folders) {
  std::set<fs::path> seen;
  std::erase_if(folders, [&](const fs::path& folder) {
    std::error_code failure;
    const auto target = fs::canonical(folder, failure);
    return !failure && !seen.insert(target).second;
  });
  return folders;
}

/// Follows a pattern name by name.
class Matcher {
 public:
  Matcher(fs::path start, const SearchStep& step) : found_{std::move(start)}, step_(step) {}

  void follow(const std::string& name) {
    std::vector<fs::path> next;
    for (const auto& folder : each_once(std::move(found_))) {
      step_();
      if (must_be_matched(name)) {
        add_matches_in(folder, name, next);
      } else if (!is_missing(folder / name)) {
        next.push_back(folder / name);
      }
    }
    found_ = std::move(next);
  }

  std::vector<fs::path> result() {
    found_.insert(found_.end(), unreadable_.begin(), unreadable_.end());
    return std::move(found_);
  }

 private:
  /// What of a folder has a name that fits, sorted.
  void add_matches_in(const fs::path& folder, const std::string& name, std::vector<fs::path>& next) {
    std::vector<fs::path> fitting;
    std::error_code failure;
    const auto listed = folder.empty() ? fs::path(".") : folder;
    for (fs::directory_iterator entry(listed, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      step_();
      if (::fnmatch(name.c_str(), entry->path().filename().c_str(), FNM_PERIOD) == 0) {
        fitting.push_back(folder / entry->path().filename());
      }
    }
    if (failure && failure != std::errc::not_a_directory) {
      unreadable_.push_back(listed);
    }
    std::sort(fitting.begin(), fitting.end());
    next.insert(next.end(), fitting.begin(), fitting.end());
  }

  std::vector<fs::path> found_;
  std::vector<fs::path> unreadable_;
  const SearchStep& step_;
};

}  // namespace

bool has_wildcard(const std::string& text) {
  return text.find_first_of("*?[{") != std::string::npos;
}

std::vector<std::string> expand_braces(const std::string& pattern) {
  if (pattern.size() > kLongestPattern) {
    throw InputError(text::concat("a pattern of ", pattern.size(), " bytes (", pattern.substr(0, 40),
                                  "...): at most ", kLongestPattern,
                                  " are allowed; name the inputs in a list file (@list.txt) instead"));
  }
  const Alternatives alternatives(pattern);
  if (alternatives.count(0, pattern.size()) > kMostAlternatives) {
    throw InputError(text::concat(pattern, ": the braces stand for more than ", kMostAlternatives,
                                  " patterns; name the inputs in a list file (@list.txt) instead"));
  }
  return alternatives.texts(0, pattern.size());
}

fs::path fixed_part(const fs::path& pattern) {
  fs::path fixed;
  for (const auto& part : pattern.parent_path()) {
    if (must_be_matched(part.string())) {
      break;
    }
    fixed /= part;
  }
  return fixed;
}

std::vector<fs::path> matches(const fs::path& pattern, const fs::path& start, const SearchStep& step) {
  if (pattern.string().find("**") != std::string::npos) {
    throw InputError(text::concat(
        pattern.string(), ": ** is not supported; name the folder instead: every cube below it is taken"));
  }
  Matcher matcher(pattern.is_absolute() ? pattern.root_path() : start, step);
  for (const auto& part : pattern.relative_path()) {
    matcher.follow(part.string());
  }
  return matcher.result();
}

}  // namespace hyperdefect::files
