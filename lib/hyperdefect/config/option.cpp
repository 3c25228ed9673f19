// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/config/option.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "hyperdefect/config/node.h"
#include "hyperdefect/config/scalar.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::config {
namespace {

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};

/// What a key holds whose target is a T.
template <class T>
struct Held {
  using Type = std::remove_pointer_t<T>;
};
template <>
struct Held<Choice> {
  using Type = std::string;
};

template <class T>
std::string yaml_text(const T& value) {
  return write_scalar(value);
}

template <class T>
std::string yaml_text(const std::vector<T>& list) {
  std::vector<std::string> written;
  std::transform(list.begin(), list.end(), std::back_inserter(written),
                 [](const T& element) { return write_scalar(element); });
  return text::concat('[', text::join(written, ", "), ']');
}

/// A bound as the option's own type writes it: 1000000, not 1e+06, for an integer.
std::string bound_text(double bound, bool integer) {
  constexpr double kExact = 9.2e18;
  return integer && std::abs(bound) < kExact ? std::to_string(static_cast<std::int64_t>(bound))
                                             : text::to_text(bound);
}

std::string range_text(const std::pair<double, double>& range, bool integer) {
  if (std::isinf(range.second)) {
    return text::concat("at least ", bound_text(range.first, integer));
  }
  return std::isinf(range.first)
             ? text::concat("at most ", bound_text(range.second, integer))
             : text::concat(bound_text(range.first, integer), " to ", bound_text(range.second, integer));
}

std::string entries_text(std::size_t fewest, std::size_t most) {
  const auto last = text::pluralise(static_cast<std::int64_t>(most), "element");
  return fewest == most ? last : text::concat(fewest, " to ", last);
}

/// Reads one option's node; it knows what the option allows and gathers what the node violates.
class Reader {
 public:
  using Range = std::optional<std::pair<double, double>>;
  using Renamed = std::vector<std::pair<std::string, std::string>>;

  Reader(const Option& option, const Range& range, const std::vector<std::string>& choices,
         const Renamed& renamed, Faults& faults)
      : option_(option), range_(range), choices_(choices), renamed_(renamed), faults_(faults) {}

  template <class T>
  void read(const Node& node, T& value, const std::string& place = {}) {
    const auto fault = read_scalar(node, value);
    if (!fault.empty()) {
      report(node, place, fault);
    } else {
      renew(value);
      check(node, value, place);
    }
  }

  template <class T>
  void read(const Node& node, std::vector<T>& values) {
    if (node.kind != Node::Kind::list) {
      report(node, "", list_fault(node));
      return;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      T value{};
      read(node.items[i], value, text::concat('[', i, ']'));
      values.push_back(value);
    }
  }

  void report(const Node& node, const std::string& place, const std::string& what,
              const std::string& more = {}) {
    const auto allowed = option_.allowed();
    faults_.push_back({node.line, text::concat(option_.name(), place, ": ", what, "; allowed: ",
                                               allowed.empty() ? option_.type_name() : allowed, more)});
  }

 private:
  static std::string list_fault(const Node& node) {
    if (node.kind == Node::Kind::scalar) {
      return text::concat(text::shown(node.text), " is not a list; write it in brackets, [a, b]");
    }
    return node.kind == Node::Kind::map ? "a section is given" : "no value is given ([] is an empty list)";
  }

  /// A former text becomes the one that stands for it now.
  void renew(std::string& value) const {
    for (const auto& [former, now] : renamed_) {
      if (value == former) {
        value = now;
        return;
      }
    }
  }
  template <class Other>
  void renew(const Other&) const {}

  void check(const Node&, bool, const std::string&) {}

  void check(const Node& node, const std::string& value, const std::string& place) {
    if (choices_.empty() || std::find(choices_.begin(), choices_.end(), value) != choices_.end()) {
      return;
    }
    const auto near = text::closest_match(value.substr(0, 64), choices_);
    report(node, place, text::concat(text::shown(value), " is unknown"),
           near.empty() ? std::string{} : text::concat("; did you mean ", near, '?'));
  }

  template <class Number>
  void check(const Node& node, Number value, const std::string& place) {
    const auto number = static_cast<double>(value);
    const bool fits = range_ ? number >= range_->first && number <= range_->second : std::isfinite(number);
    if (!fits) {
      report(node, place,
             text::concat(text::shown(node.text), range_ ? " is out of range" : " is not finite"));
    }
  }

  const Option& option_;
  const Range& range_;
  const std::vector<std::string>& choices_;
  const Renamed& renamed_;
  Faults& faults_;
};

[[noreturn]] void refuse_declaration(const std::string& name, std::string_view what,
                                     const std::string& type) {
  throw Error(
      text::concat("the declaration of ", name, " is wrong: ", what, " does not suit the type ", type));
}

}  // namespace

Option::Option(const std::string& section, std::string key, Target target, std::string help)
    : key_(std::move(key)), name_(section + '.' + key_), help_(std::move(help)), target_(std::move(target)) {
  if (const auto* choice = std::get_if<Choice>(&target_)) {
    choices_ = choice->names();
  }
  default_text_ = value_text();
}

Option& Option::range(double lowest, double highest) {
  const bool is_number =
      !holds_text() && !std::holds_alternative<bool*>(target_) && !std::holds_alternative<Choice>(target_);
  if (!is_number || !(lowest <= highest)) {
    refuse_declaration(name_, text::concat("the range ", lowest, " to ", highest), type_name());
  }
  range_ = {lowest, highest};
  return *this;
}

Option& Option::choices(std::vector<std::string> allowed) {
  if (!holds_text()) {
    refuse_declaration(name_, "a list of choices", type_name());
  }
  choices_ = std::move(allowed);
  return *this;
}

Option& Option::entries(std::size_t fewest, std::size_t most) {
  if (!holds_list() || fewest > most) {
    refuse_declaration(name_, entries_text(fewest, most), type_name());
  }
  entries_ = {fewest, most};
  return *this;
}

Option& Option::is_path(std::vector<std::string> words) {
  if (!holds_text()) {
    refuse_declaration(name_, "a path", type_name());
  }
  is_path_ = true;
  path_words_ = std::move(words);
  return *this;
}

Option& Option::used_if(Use use) {
  uses_.push_back(std::move(use));
  return *this;
}

Option& Option::level(Level level) {
  level_ = level;
  return *this;
}

Option& Option::fixed_by_training() {
  fixed_by_training_ = true;
  return *this;
}

Option& Option::formerly(std::string name) {
  former_names_.push_back(std::move(name));
  return *this;
}

Option& Option::value_formerly(std::string text, std::string now) {
  if (!holds_text() && !std::holds_alternative<Choice>(target_)) {
    refuse_declaration(name_, "a former text", type_name());
  }
  former_values_.emplace_back(std::move(text), std::move(now));
  return *this;
}

std::string Option::resolved(const std::string& path, const std::filesystem::path& folder) const {
  const bool is_word = std::find(path_words_.begin(), path_words_.end(), path) != path_words_.end();
  return path.empty() || is_word ? path
                                 : std::filesystem::absolute(folder / path).lexically_normal().string();
}

bool Option::holds_text() const {
  return std::holds_alternative<std::string*>(target_) ||
         std::holds_alternative<std::vector<std::string>*>(target_);
}

bool Option::holds_list() const {
  return std::visit(
      [](const auto& target) {
        return IsList<typename Held<std::remove_cvref_t<decltype(target)>>::Type>::value;
      },
      target_);
}

std::string Option::type_name() const {
  static const std::vector<std::string> kNames{
      "boolean", "integer", "number", "text", "list of numbers", "list of integers", "list of texts", "text"};
  if (is_path_) {
    return holds_list() ? "list of paths" : "path";
  }
  return kNames[target_.index()];
}

std::string Option::allowed() const {
  std::vector<std::string> parts;
  if (entries_) {
    parts.push_back(entries_text(entries_->first, entries_->second));
  }
  if (range_) {
    const bool integer = type_name().find("integer") != std::string::npos;
    parts.push_back(text::concat(holds_list() ? "each " : "", range_text(*range_, integer)));
  }
  if (!choices_.empty()) {
    parts.push_back(text::join(choices_, ", "));
  }
  if (!path_words_.empty()) {
    parts.push_back(text::concat(text::join(path_words_, ", "), ", a path"));
  }
  if (std::holds_alternative<bool*>(target_)) {
    parts.emplace_back("true, false");
  }
  return text::join(parts, ", ");
}

std::string Option::value_text() const {
  if (const auto* choice = std::get_if<Choice>(&target_)) {
    return yaml_text(choice->name());
  }
  return std::visit(
      [](const auto& target) {
        if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(target)>>) {
          return yaml_text(*target);
        } else {
          return std::string();
        }
      },
      target_);
}

std::string Option::missing_condition() const {
  const auto missing = std::find_if(uses_.begin(), uses_.end(), [](const Use& use) { return !use.holds(); });
  return missing == uses_.end() ? std::string() : missing->when;
}

std::optional<Value> Option::read(const Node& node, const std::filesystem::path& folder,
                                  Faults& faults) const {
  const auto faults_before = faults.size();
  Reader reader(*this, range_, choices_, former_values_, faults);
  Value value = std::visit(
      [&](const auto& target) {
        typename Held<std::remove_cvref_t<decltype(target)>>::Type read{};
        reader.read(node, read);
        return Value(std::move(read));
      },
      target_);
  if (entries_ && faults.size() == faults_before &&
      (node.items.size() < entries_->first || node.items.size() > entries_->second)) {
    reader.report(node, "", text::concat("a list of ", node.items.size(), " is given"));
  }
  if (faults.size() != faults_before) {
    return std::nullopt;
  }
  if (is_path_ && holds_list()) {
    for (auto& path : std::get<std::vector<std::string>>(value)) {
      path = resolved(path, folder);
    }
  } else if (is_path_) {
    auto& path = std::get<std::string>(value);
    path = resolved(path, folder);
  }
  return value;
}

void Option::assign(const Value& value) const {
  std::visit(
      [&](const auto& target) {
        using Field = std::remove_cvref_t<decltype(target)>;
        if constexpr (std::is_pointer_v<Field>) {
          *target = std::get<typename Held<Field>::Type>(value);
        } else {
          target.set(std::get<std::string>(value));
        }
      },
      target_);
}

Section::Section(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}

Option& Section::add(std::string key, Target target, std::string help) {
  if (find(key) != nullptr) {
    throw Error(text::concat(name_, '.', key, " is declared twice"));
  }
  auto& option = options_.emplace_back(name_, std::move(key), std::move(target), std::move(help));
  option.level(level_);
  return use_ ? option.used_if(*use_) : option;
}

const Option* Section::find(const std::string& key) const {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [&](const Option& option) { return option.key() == key; });
  return found == options_.end() ? nullptr : &*found;
}

}  // namespace hyperdefect::config
