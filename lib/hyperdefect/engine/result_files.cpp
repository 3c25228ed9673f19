// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/result_files.h"

#include <algorithm>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/detector/registry.h"

namespace hyperdefect::engine {
namespace {

namespace fs = std::filesystem;

bool leads_out(const fs::path& relative) {
  return relative.has_root_path() || std::find(relative.begin(), relative.end(), "..") != relative.end();
}

bool lies_below(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// Without links; empty where they lead nowhere.
fs::path real(const fs::path& folder) {
  std::error_code failure;
  return fs::weakly_canonical(folder.empty() ? fs::path(".") : folder, failure);
}

}  // namespace

ResultFiles::ResultFiles(fs::path output, const fs::path& relative)
    : output_(std::move(output)), stem_(output_ / relative) {
  if (relative.empty() || leads_out(relative)) {
    throw UsageError(text::concat("results named '", relative.string(),
                                  "' would not land in the output folder ", output_.string(),
                                  ": name the input in another way"));
  }
}

std::vector<fs::path> ResultFiles::all() const {
  std::vector<fs::path> files{row(), score(), sad(), defects(), p_value(), overlay()};
  for (const auto& detector : detector::member_names()) {
    files.push_back(part(detector));
  }
  return files;
}

bool ResultFiles::lie_inside() const {
  return lies_below(real(folder()), real(output_));
}

void ResultFiles::refuse_links_outside() const {
  if (!lie_inside()) {
    throw UsageError(text::concat(folder().string(), " leads to ", real(folder()).string(),
                                  ", which is not in the output folder ", output_.string(),
                                  ": remove the link, or choose another folder"));
  }
}

}  // namespace hyperdefect::engine
