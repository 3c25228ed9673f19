// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "hyperdefect/config/option.h"

namespace hyperdefect::config {

/// What a user may want to know of a key.
struct KeyInfo {
  /// "section.key".
  std::string name;
  std::string type;
  std::string default_text;
  /// The range or the choices in words; "" if the type says it all.
  std::string allowed;
  std::string help;
  /// The present value, as it would be written in YAML.
  std::string value_text;
  Level level = Level::advanced;
  SectionTraits traits{};
};

/// All keys of a configuration, bound to the fields that they fill. The read functions and set() check
/// everything before they assign anything; if one throws, no field has changed. A later call wins over an
/// earlier one.
///
/// The YAML is read strictly: a map of sections, each a map of keys; nothing unknown, nothing twice, no null,
/// numbers and booleans (true, false) without quotes, integers without a leading zero. Anchors, aliases, tags
/// and second documents are refused, and files of more than 1 MiB. An empty file and an empty section are
/// allowed.
///
/// After extendable() was called there may be one line "extends: BASE" beside the sections. BASE is then read
/// first: one of the names that were told, or a YAML file, relative to the file that names it.
class Schema {
 public:
  Schema() = default;
  Schema(Schema&&) noexcept = default;
  Schema& operator=(Schema&&) noexcept = default;
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  /// The section of this name; it is made if there is none yet. The reference stays valid.
  Section& section(const std::string& name, const std::string& help);

  /// Allows configurations to extend others, for texts that are trusted to name files: the names that they
  /// may extend, and a function that gives the YAML of one.
  void extendable(std::vector<std::string> names, std::function<std::string(const std::string&)> yaml_of);

  /// Reads a YAML file.
  /// @throws ConfigError with all faults of the file in the order of its lines, one per line: "FILE:LINE:
  /// section.key: what is wrong; allowed: …".
  void read_file(const std::filesystem::path& file);

  /// Reads YAML text; `origin` stands for the file in messages, relative paths are resolved against
  /// `base_dir`.
  /// @throws ConfigError as read_file() does.
  void read_text(const std::string& yaml, const std::string& origin, const std::filesystem::path& base_dir);

  /// Assigns one key: "section.key=value", the value as in YAML ("[1, 2]", "true"). Relative paths are
  /// resolved against the working directory. `origin` says in messages where the assignment comes from; "":
  /// it stands for itself. @throws ConfigError, of one line: "ORIGIN: section.key: what is wrong; allowed:
  /// …".
  void set(const std::string& assignment, const std::string& origin = {});

  /// The present values as YAML that reads back equal, sections and keys in the order of declaration.
  std::string to_yaml() const;
  /// The same of the sections that are wanted.
  std::string to_yaml(const std::function<bool(const SectionTraits&)>& wanted) const;
  /// As to_yaml(), with each key's meaning, type, allowed values and default as comments above it.
  std::string to_annotated_yaml() const;

  /// Every key, in the order of declaration.
  std::vector<KeyInfo> keys() const;

  /// A line for each key that was assigned another value than its default, but has no effect: "section.key =
  /// VALUE has no effect: it is used only if CONDITION". A line for each key that was given by a former name.
  std::vector<std::string> remarks() const;

  /// The names ("section.key") that were assigned by read_file(), read_text() and set(), each once, in the
  /// order of their first assignment; not those that only an extended configuration names.
  const std::vector<std::string>& assigned() const { return assigned_; }
  bool was_set(const std::string& name) const;

 private:
  class Load;

  const Section* find(const std::string& name) const;
  /// The option of this name, or of this former name; nullptr if there is none.
  const Option* option_called(const std::string& section, const std::string& key) const;
  /// Whether some option had a name in this section.
  bool was_section(const std::string& name) const;

  std::deque<Section> sections_;
  std::vector<std::string> assigned_;
  /// The former names that were given.
  std::vector<std::string> renamed_;
  std::vector<std::string> extendable_;
  std::function<std::string(const std::string&)> yaml_of_;
};

}  // namespace hyperdefect::config
