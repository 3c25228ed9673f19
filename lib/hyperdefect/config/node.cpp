// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/config/node.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::config {
namespace {

constexpr std::size_t kDeepest = 8;
/// Of what the parser says; it quotes what it does not know.
constexpr std::size_t kLongestReason = 80;
constexpr const char* kNoAliases =
    "anchors and aliases (&name, *name) are not supported; write the value out, or put a text that begins "
    "with & or * in quotes";

std::int64_t line_of(const YAML::Mark& mark) {
  return mark.line + 1;
}

/// Carries the fault out of the parser, which knows no other way to be stopped.
class Refused : public ConfigError {
 public:
  Refused(std::int64_t line, const std::string& message) : ConfigError(message), line_(line) {}
  Fault fault() const { return {line_, what()}; }

 private:
  std::int64_t line_;
};

/// Builds a Node of the parser's events. The library's own tree would drop duplicate keys and the quotes.
class Builder : public YAML::EventHandler {
 public:
  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw Refused(line_of(mark), "a second document (---) is not supported; put it into a file of its own");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_extras(mark, "", anchor);
    append(make(Node::Kind::null, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { throw Refused(line_of(mark), kNoAliases); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_extras(mark, tag, anchor);
    Node node = make(Node::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag == "!";
    append(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_extras(mark, tag, anchor);
    open(make(Node::Kind::list, mark));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_extras(mark, tag, anchor);
    open(make(Node::Kind::map, mark));
  }
  void OnMapEnd() override { close(); }

 private:
  static Node make(Node::Kind kind, const YAML::Mark& mark) {
    Node node;
    node.kind = kind;
    node.line = line_of(mark);
    return node;
  }

  static void refuse_extras(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) {
      throw Refused(line_of(mark), kNoAliases);
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Refused(line_of(mark), "tags (!name) are not supported; write the plain value");
    }
  }

  bool key_is_next() const {
    return !open_.empty() && open_.back().kind == Node::Kind::map &&
           open_.back().keys.size() == open_.back().items.size();
  }

  void open(Node node) {
    if (open_.size() >= kDeepest) {
      throw Refused(node.line, text::concat("nested more than ", kDeepest,
                                            " levels deep; a section holds keys, and a key holds a value"));
    }
    open_.push_back(std::move(node));
  }

  /// Refuses a list or section as a key once it is whole: the parser takes an unclosed one for a key, too.
  void close() {
    Node node = std::move(open_.back());
    open_.pop_back();
    if (key_is_next()) {
      throw Refused(node.line, "a list or section is given where a key is expected");
    }
    attach(std::move(node));
  }

  void append(Node node) {
    if (!key_is_next()) {
      attach(std::move(node));
      return;
    }
    if (node.kind != Node::Kind::scalar) {
      throw Refused(node.line, "a key has no name");
    }
    open_.back().keys.push_back(std::move(node));
  }

  void attach(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().items.push_back(std::move(node));
    }
  }

  int documents_ = 0;
  std::vector<Node> open_;
  Node root_;
};

/// The length of the character of a YAML file at i, or 0 if none stands there: UTF-8, and of the control
/// characters only blanks.
std::size_t character_length(std::string_view text, std::size_t i) {
  const auto first = static_cast<unsigned char>(text[i]);
  const bool is_control = first < 0x20 && first != '\t' && first != '\n' && first != '\r';
  return is_control ? 0 : text::utf8_length(text, i);
}

bool is_text(const std::string& bytes, Faults& faults) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto length = character_length(bytes, i);
    if (length == 0) {
      const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(i), '\n');
      faults.push_back(
          {line, text::concat("byte ", i, " is not UTF-8 text; a configuration is a YAML file in UTF-8")});
      return false;
    }
    i += length;
  }
  return true;
}

/// Whether the line, counted from 1, is indented with a tab.
bool is_tab_indented(const std::string& yaml, std::int64_t line) {
  std::istringstream stream(yaml);
  std::string content;
  for (std::int64_t i = 0; i < line && std::getline(stream, content); ++i) {
  }
  return content.substr(0, content.find_first_not_of(" \t")).find('\t') != std::string::npos;
}

Fault syntax_fault(const YAML::Exception& error, const std::string& yaml) {
  const std::int64_t line = error.mark.is_null() ? 0 : error.mark.line + 1;
  if (error.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR) ||
      error.msg.starts_with(YAML::ErrorMsg::ALIAS_NOT_FOUND)) {
    return {line, kNoAliases};
  }
  if (error.msg.starts_with(YAML::ErrorMsg::EOF_IN_SCALAR)) {
    return {line, "not valid YAML: a quote is opened and never closed"};
  }
  return {line, text::concat("not valid YAML at column ", error.mark.column + 1, ": ",
                             text::shortened(error.msg, kLongestReason),
                             is_tab_indented(yaml, line) ? "; indent with spaces, not with tabs" : "")};
}

/// The parser takes a quote that is never closed for closed where the text ends with a line end. Behind a
/// comment it sees the fault, and to everything else the comment means nothing.
std::string guarded(const std::string& yaml) {
  return yaml + (yaml.ends_with('\n') ? "#" : "\n#");
}

}  // namespace

std::optional<Node> parse_yaml(const std::string& yaml, Faults& faults) {
  if (!is_text(yaml, faults)) {
    return std::nullopt;
  }
  try {
    std::istringstream stream(guarded(yaml));
    YAML::Parser parser(stream);
    Builder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take_root();
  } catch (const Refused& refused) {
    faults.push_back(refused.fault());
  } catch (const YAML::Exception& error) {
    faults.push_back(syntax_fault(error, yaml));
  }
  return std::nullopt;
}

}  // namespace hyperdefect::config
