// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/folder_search.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/files/reference_names.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/file_kind.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

bool is_link(const fs::path& path) {
  std::error_code failure;
  return fs::is_symlink(fs::symlink_status(path, failure));
}

fs::file_type type_behind_links(const fs::path& path) {
  std::error_code failure;
  return fs::status(path, failure).type();
}

bool is_special(fs::file_type type) {
  return type == fs::file_type::fifo || type == fs::file_type::socket || type == fs::file_type::character ||
         type == fs::file_type::block;
}

/// A header that lies beside the file, even if it is a link that leads nowhere.
std::optional<fs::path> header_beside(const fs::path& file) {
  for (const auto& stem : {file, file.parent_path() / file.stem()}) {
    for (const auto* extension : {".hdr", ".HDR", ".Hdr"}) {
      auto header = stem;
      header += extension;
      if (header != file && (is_link(header) || type_behind_links(header) == fs::file_type::regular)) {
        return header;
      }
    }
  }
  return std::nullopt;
}

/// What stands for a cube, or what the file is for.
struct Judgement {
  fs::path path;
  FileRole role = FileRole::cube;
};

/// A header and its data are one cube, named by the data.
Judgement judge_header(const fs::path& header) {
  const auto image = data_or_header(header);
  if (image == header && format::image_with_own_header(header)) {
    return {header, FileRole::second_header};
  }
  if (image != header && format::file_kind(image) != format::FileKind::unknown) {
    return {image, role_of_file(image)};
  }
  if (!format::looks_like_envi_header(header)) {
    return {image, role_of_file(header)};
  }
  try {
    return {image, role_of_envi(format::read_envi_header(header), image)};
  } catch (const InputError&) {
    return {image, FileRole::cube};
  }
}

Judgement judge_without_header(const fs::path& file) {
  const auto role = role_of_file(file);
  const auto header = header_beside(file);
  // find_envi_header() knows of no header that is a link to nowhere.
  const bool lost_its_header = role == FileRole::cube && header && is_link(*header) &&
                               type_behind_links(*header) != fs::file_type::regular;
  return {lost_its_header ? *header : file, role};
}

Judgement judge_regular_file(const fs::path& file) {
  if (format::has_header_extension(file)) {
    return judge_header(file);
  }
  if (format::file_kind(file) != format::FileKind::unknown) {
    return {file, role_of_file(file)};
  }
  const auto header = format::find_envi_header(file);
  return header ? judge_header(*header) : judge_without_header(file);
}

/// A link that leads nowhere. One cube has one row, even if the link is only half of it.
Judgement judge_broken_link(const fs::path& link) {
  const auto header = format::has_header_extension(link) ? std::nullopt : header_beside(link);
  return {header && data_or_header(*header) == *header ? *header : link};
}

Judgement judged(const fs::path& file) {
  const auto type = type_behind_links(file);
  if (is_special(type)) {
    return {file, FileRole::special};
  }
  try {
    auto judgement = type == fs::file_type::regular ? judge_regular_file(file)
                     : is_link(file)                ? judge_broken_link(file)
                                                    : Judgement{file};
    if (judgement.role == FileRole::cube) {
      judgement.role = role_of_name(judgement.path);
    }
    return judgement;
  } catch (const fs::filesystem_error&) {
    // Reading it will meet the same obstacle, and name it.
    return {file};
  }
}

/// All that lies below a folder.
class FolderSearch {
 public:
  FolderSearch(const fs::path& base, const SearchStep& step, SearchResult& result)
      : base_(base), step_(step), result_(result) {}

  void search(const fs::path& root) {
    search_real_folders(root);
    while (!links_.empty()) {
      const auto link = std::move(links_.front());
      links_.pop_front();
      if (leads_to_new_folder(link)) {
        search_real_folders(link);
      } else {
        result_.left_out.push_back({link, FileRole::repeated_folder});
      }
    }
  }

 private:
  /// Not one that was searched, and none of those above the link, which would bring in what nobody named.
  bool leads_to_new_folder(const fs::path& link) const {
    const auto target = resolved(link);
    const auto place = resolved(link.has_parent_path() ? link.parent_path() : ".");
    const bool is_above =
        std::mismatch(target.begin(), target.end(), place.begin(), place.end()).first == target.end();
    return !is_above && !searched_.contains(target.string());
  }

  void search_real_folders(const fs::path& root) {
    std::vector<fs::path> folders{root};
    while (!folders.empty()) {
      const auto folder = std::move(folders.back());
      folders.pop_back();
      if (searched_.insert(resolved(folder).string()).second) {
        search_one(folder, folders);
      }
    }
  }

  void search_one(const fs::path& folder, std::vector<fs::path>& folders) {
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      step_();
      add(entry->path(), folder_below(folder, base_), folders);
    }
    if (failure) {
      result_.cubes.push_back({folder, folder_below(folder.parent_path(), base_)});
    }
  }

  void add(const fs::path& path, const fs::path& name, std::vector<fs::path>& folders) {
    if (path.filename().string().starts_with('.')) {
      result_.left_out.push_back({path, FileRole::hidden});
    } else if (type_behind_links(path) != fs::file_type::directory) {
      judge(path, name, result_);
    } else if (is_link(path)) {
      links_.push_back(path);
    } else {
      folders.push_back(path);
    }
  }

  const fs::path base_;
  const SearchStep& step_;
  SearchResult& result_;
  std::set<std::string> searched_;
  std::deque<fs::path> links_;
};

}  // namespace

fs::path folder_below(const fs::path& folder, const fs::path& base) {
  return base.empty() ? folder : folder.lexically_relative(base);
}

fs::path data_or_header(const fs::path& header) {
  try {
    return format::find_envi_data(header);
  } catch (const InputError&) {
    return header;
  }
}

void judge(const fs::path& file, const fs::path& folder, SearchResult& result) {
  const auto [path, role] = judged(file);
  if (role == FileRole::cube) {
    result.cubes.push_back({path, folder});
  } else {
    result.left_out.push_back({path, role});
  }
}

void search_folder(const fs::path& root, const fs::path& base, const SearchStep& step, SearchResult& result) {
  FolderSearch(base, step, result).search(root);
}

}  // namespace hyperdefect::files
