// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
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

/// A field of an enumeration, with the names of its values in the order in which a user sees them.
class Choice {
 public:
  template <class Enum>
  using Names = std::vector<std::pair<std::string, Enum>>;

  /// The field must outlive it.
  template <class Enum>
  Choice(Enum* field, const Names<Enum>& names)
      : get_([field, names] {
          for (const auto& [name, value] : names) {
            if (value == *field) {
              return name;
            }
          }
          return std::string();
        }),
        set_([field, names](const std::string& text) {
          for (const auto& [name, value] : names) {
            if (name == text) {
              *field = value;
            }
          }
        }) {
    for (const auto& [name, value] : names) {
      names_.push_back(name);
    }
  }

  const std::vector<std::string>& names() const { return names_; }
  /// The name of the field's present value.
  std::string name() const { return get_(); }
  /// Gives the field the value of this name, which is one of names().
  void set(const std::string& name) const { set_(name); }

 private:
  std::vector<std::string> names_;
  std::function<std::string()> get_;
  std::function<void(const std::string&)> set_;
};

/// The field that a key fills.
using Target = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<double>*,
                            std::vector<std::int64_t>*, std::vector<std::string>*, Choice>;

/// When a key has an effect.
struct Use {
  /// Looks at the fields that decide, which must outlive it.
  std::function<bool()> holds;
  /// The same in words that follow "if": "threshold.method is manual".
  std::string when;
};

/// Who turns a key: everybody, who knows the method, or who changes it.
enum class Level { basic, advanced, expert };

/// One key of a configuration: the field it fills, what it means and what it allows. The functions that
/// return an Option complete the declaration. They throw Error if they do not suit the field's type, which is
/// a mistake in the program.
class Option {
 public:
  /// Takes the field's present value for the default. `section` and `key` make the name.
  Option(const std::string& section, std::string key, Target target, std::string help);

  /// The smallest and the largest value, both allowed; for numbers, and for each number of a list. Infinity
  /// can be given only if a bound is infinite, and NaN never.
  Option& range(double lowest, double highest);
  /// The texts that are allowed; for a text, and for each text of a list.
  Option& choices(std::vector<std::string> allowed);
  /// The fewest and the most elements of a list; without it any number, none included.
  Option& entries(std::size_t fewest, std::size_t most);
  /// The text is a path; a relative one is resolved against the folder of the file that gives it, or for
  /// Schema::set() against the working directory. An empty text stays empty. The default is taken as it is.
  /// @param words texts that are no paths and stay as they are.
  Option& is_path(std::vector<std::string> words = {});
  /// The key has an effect only if this holds too. Schema::remarks() names the keys that were set in
  /// vain.
  Option& used_if(Use use);
  /// advanced without it.
  Option& level(Level level);
  /// A model that was trained with a value cannot have another one; see SectionTraits.
  Option& fixed_by_training();
  /// A name that the key had before ("section.key"); it is still read.
  Option& formerly(std::string name);
  /// A text that was allowed before, and the one that stands for it now.
  Option& value_formerly(std::string text, std::string now);

  const std::string& key() const { return key_; }
  /// "section.key".
  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  Level level() const { return level_; }
  bool is_fixed_by_training() const { return fixed_by_training_; }
  const std::vector<std::string>& former_names() const { return former_names_; }
  /// "boolean", "integer", "number", "text", "path", "list of integers" and so on.
  std::string type_name() const;
  /// What is allowed in words, "1 to 64" or "nearest, bilinear"; "" if the type says it all.
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
  std::string resolved(const std::string& path, const std::filesystem::path& folder) const;

  std::string key_;
  std::string name_;
  std::string help_;
  Target target_;
  std::string default_text_;
  std::optional<std::pair<double, double>> range_;
  std::optional<std::pair<std::size_t, std::size_t>> entries_;
  std::vector<std::string> choices_;
  bool is_path_ = false;
  std::vector<std::string> path_words_;
  std::vector<Use> uses_;
  Level level_ = Level::advanced;
  bool fixed_by_training_ = false;
  std::vector<std::string> former_names_;
  std::vector<std::pair<std::string, std::string>> former_values_;
};

/// What the keys of a section are to a model and its results.
struct SectionTraits {
  /// They are written into model files.
  bool travels_with_model = true;
  /// Another value may give other scores or verdicts.
  bool changes_results = true;
  /// A model that was trained with them cannot have others.
  bool fixed_by_training = false;
};

/// A named group of options.
class Section {
 public:
  Section(std::string name, std::string help);

  /// Declares a key for the field, whose present value is the default; the field must outlive the section,
  /// and the reference stays valid. @throws Error if the key is declared twice.
  Option& add(std::string key, Target target, std::string help);

  /// The keys that are declared from here on have an effect only if this holds; without one, always.
  void used_if(std::optional<Use> use = std::nullopt) { use_ = std::move(use); }
  /// The level of the keys that are declared from here on.
  void level(Level level) { level_ = level; }
  Section& traits(const SectionTraits& traits) {
    traits_ = traits;
    return *this;
  }
  const SectionTraits& traits() const { return traits_; }

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
  Level level_ = Level::advanced;
  SectionTraits traits_;
};

}  // namespace hyperdefect::config
