// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace hyperdefect::config {

struct Node;
struct Fault;

/// What a key can hold.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<double>,
                           std::vector<std::int64_t>, std::vector<std::string>>;

/// The field that a key fills.
using Target = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<double>*,
                            std::vector<std::int64_t>*, std::vector<std::string>*>;

/// When a key has an effect.
struct Use {
  /// Looks at the fields that decide, which must outlive it.
  std::function<bool()> holds;
  /// The same in words that follow "if": "threshold.method is manual".
  std::string when;
};

/// One key of a configuration: the field it fills, what it means and what it allows. The first five functions
/// complete the declaration; they throw Error where they don't suit the field's type, which is a mistake in
/// the program.
class Option {
 public:
  /// Takes the field's present value for the default. `section` and `key` make the name.
  Option(const std::string& section, std::string key, Target target, std::string help);

  /// The smallest and the largest value, both allowed; for numbers, and for each number of a list. Infinity
  /// can be given only where a bound is infinite, and NaN never.
  Option& range(double lowest, double highest);
  /// The texts that are allowed; for a text, and for each text of a list.
  Option& choices(std::vector<std::string> allowed);
  /// The fewest and the most elements of a list; without it any number, none included.
  Option& entries(std::size_t fewest, std::size_t most);
  /// The text is a path; a relative one is resolved against the folder of the file that gives it, or for
  /// Schema::set() against the working directory. An empty text stays empty. The default is taken as it is.
  Option& is_path();
  /// The key has an effect only if this holds too. Schema::without_effect() names the keys that were set in
  /// vain.
  Option& used_if(Use use);

  const std::string& key() const { return key_; }
  /// "section.key".
  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  /// "boolean", "integer", "number", "text", "path", "list of integers" and so on.
  std::string type_name() const;
  /// What is allowed in words, "1 to 64" or "nearest, bilinear"; "" where the type says it all.
  std::string allowed() const;
  /// The default, as it would be written in YAML.
  const std::string& default_text() const { return default_text_; }
  /// The field's present value, as it would be written in YAML.
  std::string value_text() const;

  /// The first of the conditions that does not hold, in words; "" if the key has an effect.
  std::string missing_condition() const;

  /// The value in the node, checked, with paths resolved against the folder; or nothing, and its faults
  /// appended.
  std::optional<Value> read(const Node& node, const std::filesystem::path& folder,
                            std::vector<Fault>& faults) const;
  /// Fills the field. The value is one that read() returned.
  void assign(const Value& value) const;

 private:
  bool holds_text() const;
  bool holds_list() const;

  std::string key_;
  std::string name_;
  std::string help_;
  Target target_;
  std::string default_text_;
  std::optional<std::pair<double, double>> range_;
  std::optional<std::pair<std::size_t, std::size_t>> entries_;
  std::vector<std::string> choices_;
  bool is_path_ = false;
  std::vector<Use> uses_;
};

/// A named group of options.
class Section {
 public:
  Section(std::string name, std::string help);

  /// Declares a key for the field, whose present value is the default; the field must outlive the section,
  /// and the reference stays valid. @throws Error where the key is declared twice.
  Option& add(std::string key, Target target, std::string help);

  /// The keys that are declared from here on have an effect only if this holds; without one, always.
  void used_if(std::optional<Use> use = std::nullopt) { use_ = std::move(use); }

  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  /// In the order of declaration.
  const std::deque<Option>& options() const { return options_; }
  /// The option of this key, or nullptr.
  const Option* find(const std::string& key) const;

 private:
  std::string name_;
  std::string help_;
  std::deque<Option> options_;
  std::optional<Use> use_;
};

}  // namespace hyperdefect::config
