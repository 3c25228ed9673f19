// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/config/schema.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "hyperdefect/config/node.h"
#include "hyperdefect/config/scalar.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::config {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;
constexpr std::size_t kMostFaults = 100;
constexpr std::size_t kLongestKey = 64;
constexpr std::size_t kLongestAssignment = 200;
constexpr std::size_t kCommentWidth = 100;
constexpr const char* kExtends = "extends";
constexpr std::size_t kDeepestBase = 8;

std::string file_text(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw ConfigError(text::concat(file.string(), ": is a folder; a configuration is a YAML file"));
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw ConfigError(
        text::concat(file.string(), ": cannot be read: ", std::strerror(errno != 0 ? errno : EIO)));
  }
  std::string bytes(kLargestFile + 1, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  if (bytes.size() > kLargestFile) {
    throw ConfigError(
        text::concat(file.string(), ": is larger than 1 MiB; a configuration is a short YAML file"));
  }
  return bytes;
}

/// All faults in the order of their lines, one a line.
std::string listed(Faults faults, const std::string& origin) {
  std::stable_sort(faults.begin(), faults.end(),
                   [](const Fault& a, const Fault& b) { return a.line < b.line; });
  std::vector<std::string> lines;
  for (const auto& fault : faults) {
    if (lines.size() == kMostFaults) {
      lines.push_back(text::concat(text::printable(origin), ": and ", faults.size() - kMostFaults, " more"));
      break;
    }
    const auto place = fault.line > 0 ? text::concat(origin, ':', fault.line) : origin;
    // A name with a line end in it would look like two faults.
    lines.push_back(text::printable(text::concat(place, ": ", fault.message)));
  }
  return text::join(lines, "\n");
}

/// The words of the text in lines of bounded width, each with the prefix.
std::string wrapped(const std::string& text, const std::string& prefix) {
  std::istringstream words(text);
  std::string lines;
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && prefix.size() + line.size() + 1 + word.size() > kCommentWidth) {
      lines += prefix + line + '\n';
      line.clear();
    }
    line += text::concat(line.empty() ? "" : " ", word);
  }
  return line.empty() ? lines : lines + prefix + line + '\n';
}

std::string annotation(const Option& option) {
  const auto allowed = option.allowed();
  const auto facts = text::concat(option.type_name(), allowed.empty() ? "" : ": ", allowed, "; default ",
                                  option.default_text());
  return wrapped(option.help(), "  # ") + wrapped(facts, "  # ");
}

std::string section_yaml(const Section& section) {
  if (section.options().empty()) {
    return section.name() + ": {}\n";
  }
  std::string yaml = section.name() + ":\n";
  for (const auto& option : section.options()) {
    yaml += text::concat("  ", option.key(), ": ", option.value_text(), '\n');
  }
  return yaml;
}

std::string annotated_yaml(const Section& section) {
  auto yaml = wrapped(section.help(), "# ");
  if (section.options().empty()) {
    return yaml + section_yaml(section);
  }
  yaml += section.name() + ":\n";
  for (const auto& option : section.options()) {
    yaml += text::concat(annotation(option), "  ", option.key(), ": ", option.value_text(), '\n');
  }
  return yaml;
}

/// Where a key of this map stood before, if it did.
class Repetitions {
 public:
  /// The line of the key's first occurrence, or 0 where this is the first.
  std::int64_t first_line(const Node& key) {
    const auto [place, fresh] = lines_.emplace(key.text, key.line);
    return fresh ? 0 : place->second;
  }

 private:
  std::map<std::string, std::int64_t> lines_;
};

}  // namespace

/// One reading of a text: it walks the document, gathers values and faults, and assigns all or nothing.
class Schema::Load {
 public:
  /// @param above the configurations that are being read, each extending the next.
  Load(Schema& schema, std::filesystem::path folder, std::vector<std::string> above = {})
      : schema_(schema), folder_(std::move(folder)), above_(std::move(above)) {}

  void text(const std::string& yaml) {
    if (const auto root = parse_yaml(yaml, faults_)) {
      document(*root);
    }
  }

  Faults& faults() { return faults_; }

  void document(const Node& root) {
    if (root.kind == Node::Kind::null) {
      return;
    }
    if (root.kind != Node::Kind::map) {
      faults_.push_back(
          {root.line, text::concat("a configuration holds sections with keys, not ",
                                   root.kind == Node::Kind::list ? "a list" : text::shown(root.text))});
      return;
    }
    Repetitions repetitions;
    for (std::size_t i = 0; i < root.keys.size(); ++i) {
      if (const auto first = repetitions.first_line(root.keys[i])) {
        faults_.push_back(
            {root.keys[i].line,
             text::concat(shown_key(root.keys[i].text), ": ", root.keys[i].text == kExtends ? "" : "section ",
                          "given twice, first on line ", first, "; merge the two")});
      }
      if (root.keys[i].text == kExtends && schema_.yaml_of_) {
        extend(root.keys[i], root.items[i]);
      } else {
        section(root.keys[i], root.items[i]);
      }
    }
  }

  void key(const std::string& section_name, const Node& key, const Node& node) {
    const auto* section = schema_.find(section_name);
    const auto* option = schema_.option_called(section_name, key.text);
    if (option == nullptr) {
      faults_.push_back(
          {key.line, section == nullptr ? unknown_section(section_name) : unknown_key(*section, key.text)});
      return;
    }
    const auto name = text::concat(section_name, '.', key.text);
    if (const auto other = given_name(*option); !other.empty()) {
      faults_.push_back({key.line, text::concat(name, ": is given already, as ", other, "; keep one")});
    } else if (auto value = option->read(node, folder_, faults_)) {
      values_.emplace_back(option, std::move(*value));
      given_names_.push_back(name);
      if (name != option->name()) {
        renamed_.push_back(
            text::concat(name, " is now called ", option->name(), "; the former name is still read"));
      }
    }
  }

  /// What stands on one line has no lines to tell, and one fault says enough.
  void keep_one_fault() {
    if (faults_.empty()) {
      return;
    }
    const auto more = faults_.size() - 1;
    faults_.resize(1);
    faults_[0].line = 0;
    faults_[0].message += more > 0 ? text::concat(" (and ", more, " more)") : "";
  }

  /// @throws ConfigError where there is a fault; then nothing was assigned.
  void finish(const std::string& origin) {
    refuse_faults(origin);
    for (const auto& [option, value] : base_) {
      option->assign(value);
    }
    for (const auto& [option, value] : values_) {
      option->assign(value);
      if (!schema_.was_set(option->name())) {
        schema_.assigned_.push_back(option->name());
      }
    }
    for (const auto& line : renamed_) {
      if (std::find(schema_.renamed_.begin(), schema_.renamed_.end(), line) == schema_.renamed_.end()) {
        schema_.renamed_.push_back(line);
      }
    }
  }

 private:
  using Values = std::vector<std::pair<const Option*, Value>>;

  /// The name by which this text has given the option a value, or "".
  std::string given_name(const Option& option) const {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].first == &option) {
        return given_names_[i];
      }
    }
    return {};
  }

  void refuse_faults(const std::string& origin) const {
    if (!faults_.empty()) {
      throw ConfigError(listed(faults_, origin));
    }
  }

  /// The values of the configuration that this one extends; its faults are told with its own name.
  void extend(const Node& key, const Node& name) {
    const auto report = [&](const auto&... what) {
      faults_.push_back({key.line, text::concat(kExtends, ": ", what...)});
    };
    if (name.kind != Node::Kind::scalar || name.text.empty()) {
      report("takes one name, not a list, a section or nothing", names_or_file());
    } else if (std::find(above_.begin(), above_.end(), base_name(name.text)) != above_.end()) {
      report(text::shown(name.text), " extends this configuration in turn");
    } else if (above_.size() == kDeepestBase) {
      report("more than ", kDeepestBase, " configurations extend each other");
    } else if (is_file(name.text) || is_extendable(name.text)) {
      read_base(name.text);
    } else {
      const auto near = nearest(name.text, schema_.extendable_);
      report(text::shown(name.text), " is unknown",
             near.empty() ? names_or_file() : text::concat("; did you mean ", near, '?'));
    }
  }

  void read_base(const std::string& name) {
    auto above = above_;
    above.push_back(base_name(name));
    const auto path = folder_ / name;
    Load base(schema_, is_file(name) ? path.parent_path() : folder_, std::move(above));
    base.text(is_file(name) ? file_text(path) : schema_.yaml_of_(name));
    base.refuse_faults(is_file(name) ? path.string() : name);
    base_ = std::move(base.base_);
    base_.insert(base_.end(), base.values_.begin(), base.values_.end());
    renamed_.insert(renamed_.end(), base.renamed_.begin(), base.renamed_.end());
  }

  static bool is_file(const std::string& name) { return name.ends_with(".yaml") || name.ends_with(".yml"); }

  bool is_extendable(const std::string& name) const {
    const auto& names = schema_.extendable_;
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  /// One name for a configuration, however it is spelled.
  std::string base_name(const std::string& name) const {
    return is_file(name) ? std::filesystem::weakly_canonical(folder_ / name).string() : name;
  }

  std::string names_or_file() const {
    return text::concat(
        "; give a file NAME.yaml",
        schema_.extendable_.empty() ? "" : " or one of " + text::join(schema_.extendable_, ", "));
  }

  static std::string shown_key(const std::string& key) {
    const auto written = write_scalar(key);
    return written == key && key.size() <= kLongestKey ? key : text::shown(key);
  }

  static std::string did_you_mean(const std::string& name) {
    return text::concat("; did you mean ", name, '?');
  }

  void section(const Node& name, const Node& node) {
    if (schema_.find(name.text) == nullptr && !schema_.was_section(name.text)) {
      faults_.push_back({name.line, unknown_section(name.text)});
      return;
    }
    if (node.kind == Node::Kind::map) {
      keys(name.text, node);
    } else if (node.kind != Node::Kind::null) {
      faults_.push_back(
          {name.line, text::concat(name.text, ": is a section and holds lines of the form key: value, not ",
                                   node.kind == Node::Kind::list ? "a list" : text::shown(node.text))});
    }
  }

  void keys(const std::string& section_name, const Node& node) {
    Repetitions repetitions;
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      Node value = node.items[i];
      // The parser places an absent value, and a list in block form, on a line after its key.
      value.line = node.keys[i].line;
      if (const auto first = repetitions.first_line(node.keys[i])) {
        faults_.push_back({value.line, text::concat(section_name, '.', shown_key(node.keys[i].text),
                                                    ": given twice, first on line ", first, "; keep one")});
      } else {
        key(section_name, node.keys[i], value);
      }
    }
  }

  /// What may be meant, or "". A file may hold so many unknown words that the search, which is slow, took
  /// seconds: past those that are listed it is left out.
  std::string nearest(const std::string& word, const std::vector<std::string>& names) const {
    return word.size() > kLongestKey || faults_.size() > kMostFaults ? std::string{}
                                                                     : text::closest_match(word, names);
  }

  std::string unknown_section(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& section : schema_.sections_) {
      names.push_back(section.name());
    }
    const auto message = text::concat(shown_key(name), ": unknown section");
    const auto near = nearest(name, names);
    if (near.empty()) {
      const auto owner = owner_of(name);
      return message +
             (owner.empty() ? "; the sections are " + text::join(names, ", ") : did_you_mean(owner));
    }
    return message + did_you_mean(near);
  }

  std::string unknown_key(const Section& section, const std::string& key) const {
    const auto message = text::concat(section.name(), '.', shown_key(key), ": unknown key");
    const auto owner = owner_of(key);
    if (!owner.empty()) {
      return message + did_you_mean(owner);
    }
    std::vector<std::string> keys;
    for (const auto& option : section.options()) {
      keys.push_back(option.key());
    }
    const auto near = nearest(key, keys);
    return message + (near.empty() ? "; the keys are " + text::join(keys, ", ")
                                   : did_you_mean(text::concat(section.name(), '.', near)));
  }

  /// The full name of the key, in whichever section it is declared, or "".
  std::string owner_of(const std::string& key) const {
    for (const auto& section : schema_.sections_) {
      if (const auto* option = section.find(key)) {
        return option->name();
      }
    }
    return {};
  }

  Schema& schema_;
  std::filesystem::path folder_;
  std::vector<std::string> above_;
  Faults faults_;
  /// Of the extended configurations, the outermost first.
  Values base_;
  Values values_;
  /// By which name each of the values was given.
  std::vector<std::string> given_names_;
  std::vector<std::string> renamed_;
};

void Schema::extendable(std::vector<std::string> names,
                        std::function<std::string(const std::string&)> yaml_of) {
  extendable_ = std::move(names);
  yaml_of_ = std::move(yaml_of);
}

Section& Schema::section(const std::string& name, const std::string& help) {
  for (auto& section : sections_) {
    if (section.name() == name) {
      return section;
    }
  }
  return sections_.emplace_back(name, help);
}

const Section* Schema::find(const std::string& name) const {
  const auto found = std::find_if(sections_.begin(), sections_.end(),
                                  [&](const Section& section) { return section.name() == name; });
  return found == sections_.end() ? nullptr : &*found;
}

const Option* Schema::option_called(const std::string& section, const std::string& key) const {
  const auto* here = find(section);
  if (const auto* option = here == nullptr ? nullptr : here->find(key)) {
    return option;
  }
  const auto name = text::concat(section, '.', key);
  for (const auto& other : sections_) {
    for (const auto& option : other.options()) {
      const auto& former = option.former_names();
      if (std::find(former.begin(), former.end(), name) != former.end()) {
        return &option;
      }
    }
  }
  return nullptr;
}

bool Schema::was_section(const std::string& name) const {
  const auto begins = [&](const std::string& former) { return former.starts_with(name + '.'); };
  for (const auto& section : sections_) {
    for (const auto& option : section.options()) {
      if (std::any_of(option.former_names().begin(), option.former_names().end(), begins)) {
        return true;
      }
    }
  }
  return false;
}

void Schema::read_file(const std::filesystem::path& file) {
  Load load(*this, file.parent_path(), {std::filesystem::weakly_canonical(file).string()});
  load.text(file_text(file));
  load.finish(file.string());
}

void Schema::read_text(const std::string& yaml, const std::string& origin,
                       const std::filesystem::path& base_dir) {
  Load load(*this, base_dir);
  load.text(yaml);
  load.finish(origin);
}

void Schema::set(const std::string& assignment, const std::string& origin) {
  Load load(*this, std::filesystem::current_path());
  const auto equals = assignment.find('=');
  const auto name = assignment.substr(0, equals);
  const auto dot = name.find('.');
  if (equals == std::string::npos || dot == std::string::npos) {
    load.faults().push_back({0, "is not of the form section.key=value"});
  } else if (const auto value = parse_yaml(assignment.substr(equals + 1), load.faults())) {
    Node key;
    key.text = name.substr(dot + 1);
    load.key(name.substr(0, dot), key, *value);
  }
  load.keep_one_fault();
  load.finish(origin.empty() ? text::shortened(assignment, kLongestAssignment) : origin);
}

std::string Schema::to_yaml() const {
  std::string yaml;
  for (const auto& section : sections_) {
    yaml += section_yaml(section);
  }
  return yaml;
}

std::string Schema::to_yaml(const std::function<bool(const SectionTraits&)>& wanted) const {
  std::string yaml;
  for (const auto& section : sections_) {
    yaml += wanted(section.traits()) ? section_yaml(section) : "";
  }
  return yaml;
}

std::string Schema::to_annotated_yaml() const {
  std::string yaml;
  for (const auto& section : sections_) {
    yaml += text::concat(yaml.empty() ? "" : "\n", annotated_yaml(section));
  }
  return yaml;
}

std::vector<KeyInfo> Schema::keys() const {
  std::vector<KeyInfo> infos;
  for (const auto& section : sections_) {
    for (const auto& option : section.options()) {
      auto traits = section.traits();
      traits.fixed_by_training = traits.fixed_by_training || option.is_fixed_by_training();
      infos.push_back({option.name(), option.type_name(), option.default_text(), option.allowed(),
                       option.help(), option.value_text(), option.level(), traits});
    }
  }
  return infos;
}

std::vector<std::string> Schema::remarks() const {
  auto lines = renamed_;
  for (const auto& section : sections_) {
    for (const auto& option : section.options()) {
      const auto condition = option.missing_condition();
      if (!condition.empty() && was_set(option.name()) && option.value_text() != option.default_text()) {
        lines.push_back(text::concat(option.name(), " = ", option.value_text(),
                                     " has no effect: it is used only if ", condition));
      }
    }
  }
  return lines;
}

bool Schema::was_set(const std::string& name) const {
  return std::find(assigned_.begin(), assigned_.end(), name) != assigned_.end();
}

}  // namespace hyperdefect::config
