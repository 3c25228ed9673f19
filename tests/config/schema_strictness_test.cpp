// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "config/example_options.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::config {
namespace {

using test::message_of;

/// What reading the text as run.yaml is refused with; nothing may have been assigned then.
std::string refusal(const std::string& yaml) {
  Example example;
  const auto message = message_of<ConfigError>([&] { example.schema.read_text(yaml, "run.yaml", "/base"); });
  EXPECT_EQ(example.options, ExampleOptions{});
  EXPECT_TRUE(example.schema.assigned().empty());
  return message;
}

/// What train.KEY: VALUE is refused with, after the place "run.yaml:2: train.KEY".
std::string value_refusal(const std::string& key, const std::string& value) {
  const auto message = refusal("train:\n  " + key + ": " + value + "\n");
  const auto place = "run.yaml:2: train." + key;
  EXPECT_TRUE(message.starts_with(place)) << message;
  return message.substr(std::min(place.size(), message.size()));
}

/// As refusal(), in the second line of a document.
std::string line_refusal(const std::string& line) {
  return refusal("train:\n" + line + "\n");
}

void expect_read(const std::string& yaml) {
  Example example;
  EXPECT_NO_THROW(example.schema.read_text(yaml, "run.yaml", "/base")) << yaml;
}

TEST(SchemaStrictness, UnknownKeysComeWithASuggestion) {
  EXPECT_EQ(line_refusal("  epoch: 3"), "run.yaml:2: train.epoch: unknown key; did you mean train.epochs?");
  EXPECT_EQ(line_refusal("  seed: 3"), "run.yaml:2: train.seed: unknown key; did you mean run.seed?");
  EXPECT_EQ(refusal("run:\n  velocity: 3\n"),
            "run.yaml:2: run.velocity: unknown key; the keys are seed, floor");
  EXPECT_EQ(refusal("run: {a b: 3}"), "run.yaml:1: run.'a b': unknown key; the keys are seed, floor");
}

TEST(SchemaStrictness, UnknownSectionsComeWithASuggestion) {
  EXPECT_EQ(refusal("trian:\n  epochs: 3\n"), "run.yaml:1: trian: unknown section; did you mean train?");
  EXPECT_EQ(refusal("epochs: 3\n"), "run.yaml:1: epochs: unknown section; did you mean train.epochs?");
  EXPECT_EQ(refusal("network: {}\n"), "run.yaml:1: network: unknown section; the sections are train, run");
  EXPECT_EQ(refusal("<<: {a: 1}\n"), "run.yaml:1: '<<': unknown section; the sections are train, run");
}

TEST(SchemaStrictness, LongNamesAreShortenedInMessages) {
  EXPECT_EQ(refusal(std::string(500, 'x') + ": 3\n"),
            "run.yaml:1: '" + std::string(60, 'x') + "…': unknown section; the sections are train, run");
  EXPECT_EQ(value_refusal("epochs", std::string(59, 'x') + "äöü"),
            ": '" + std::string(59, 'x') + "…' is not an integer; allowed: 1 to 1000000");
}

TEST(SchemaStrictness, IntegersAreWholeAndDecimal) {
  const std::string allowed = "; allowed: 1 to 1000000";
  for (const std::string word :
       {"3.7", "3.0", "1e3", "0x10", "0o17", "1_000", "three", "true", "+-3", "--3", "3 4"}) {
    EXPECT_EQ(value_refusal("epochs", word), ": '" + word + "' is not an integer" + allowed);
  }
  EXPECT_EQ(value_refusal("epochs", "010"),
            ": '010' has a leading zero, which some readers take for octal; write it without" + allowed);
  EXPECT_EQ(value_refusal("epochs", "-010"),
            ": '-010' has a leading zero, which some readers take for octal; write it without" + allowed);
  EXPECT_EQ(value_refusal("epochs", "9223372036854775808"),
            ": '9223372036854775808' does not fit into 64 bits" + allowed);
  EXPECT_EQ(value_refusal("epochs", "\"3\""), ": '3' in quotes is text, not an integer" + allowed);
  EXPECT_EQ(value_refusal("epochs", "[3]"), ": a list is given" + allowed);
  EXPECT_EQ(value_refusal("epochs", "{a: 3}"), ": a section is given" + allowed);
  expect_read("run: {seed: -9223372036854775808}");
  expect_read("run: {seed: +9223372036854775807}");
}

TEST(SchemaStrictness, NumbersAreDecimalAndFinite) {
  const std::string allowed = "; allowed: 1e-08 to 1";
  for (const std::string word :
       {"fast", "0.1.2", "1,5", "0x1p3", "1e", ".", "-e", "infinit", "true", "--.inf"}) {
    EXPECT_EQ(value_refusal("rate", "'" + word + "'"),
              ": '" + word + "' in quotes is text, not a number" + allowed);
    EXPECT_EQ(value_refusal("rate", word), ": '" + word + "' is not a number" + allowed);
  }
  EXPECT_EQ(value_refusal("rate", "00.5"),
            ": '00.5' has a leading zero, which some readers take for octal; write it without" + allowed);
  EXPECT_EQ(value_refusal("rate", "1e999"), ": '1e999' does not fit into 64 bits" + allowed);
  EXPECT_EQ(value_refusal("rate", ".nan"), ": '.nan' is out of range" + allowed);
  EXPECT_EQ(value_refusal("rate", ".inf"), ": '.inf' is out of range" + allowed);
  EXPECT_EQ(refusal("run: {floor: .nan}"), "run.yaml:1: run.floor: '.nan' is not finite; allowed: number");
  EXPECT_EQ(refusal("run: {floor: -.inf}"), "run.yaml:1: run.floor: '-.inf' is not finite; allowed: number");
}

TEST(SchemaStrictness, BooleansAreTrueOrFalse) {
  for (const std::string word : {"yes", "on", "True", "TRUE", "1", "off", "n"}) {
    EXPECT_EQ(value_refusal("shuffle", word),
              ": '" + word + "' is neither true nor false; allowed: true, false");
  }
  EXPECT_EQ(value_refusal("shuffle", "'true'"),
            ": 'true' in quotes is text, not true or false; allowed: true, false");
}

TEST(SchemaStrictness, RangesAndChoicesHold) {
  EXPECT_EQ(value_refusal("epochs", "0"), ": '0' is out of range; allowed: 1 to 1000000");
  EXPECT_EQ(value_refusal("epochs", "1000001"), ": '1000001' is out of range; allowed: 1 to 1000000");
  EXPECT_EQ(value_refusal("rate", "1.0001"), ": '1.0001' is out of range; allowed: 1e-08 to 1");
  EXPECT_EQ(value_refusal("upsample", "bilinaer"),
            ": 'bilinaer' is unknown; allowed: nearest, bilinear; did you mean bilinear?");
  EXPECT_EQ(value_refusal("upsample", "Cubic spline"),
            ": 'Cubic spline' is unknown; allowed: nearest, bilinear");
  expect_read("train: {epochs: 1, rate: 1, upsample: nearest}");
  expect_read("train: {epochs: 1000000, rate: 1e-8}");
}

TEST(SchemaStrictness, ListsAreCheckedElementByElement) {
  const std::string allowed = "; allowed: 3 elements, each 1 to 31";
  EXPECT_EQ(value_refusal("kernel", "7"), ": '7' is not a list; write it in brackets, [a, b]" + allowed);
  EXPECT_EQ(value_refusal("kernel", "{a: 7}"), ": a section is given" + allowed);
  EXPECT_EQ(value_refusal("kernel", "[7, 3]"), ": a list of 2 is given" + allowed);
  EXPECT_EQ(value_refusal("kernel", "[7, 3, 3, 3]"), ": a list of 4 is given" + allowed);
  EXPECT_EQ(value_refusal("kernel", "[7, 33, 3]"), "[1]: '33' is out of range" + allowed);
  EXPECT_EQ(value_refusal("ranges_nm", "[1, ~]"), "[1]: no value is given; allowed: list of numbers");
  EXPECT_EQ(value_refusal("ranges_nm", "[[1, 2]]"), "[0]: a list is given; allowed: list of numbers");
  EXPECT_EQ(refusal("train:\n  kernel:\n    - 7\n    - x\n    - 99\n"),
            "run.yaml:4: train.kernel[1]: 'x' is not an integer" + allowed +
                "\nrun.yaml:5: train.kernel[2]: '99' is out of range" + allowed);
}

TEST(SchemaStrictness, NullIsNoValue) {
  for (const std::string null : {"", "~", "null"}) {
    EXPECT_EQ(value_refusal("epochs", null), ": no value is given; allowed: 1 to 1000000");
    EXPECT_EQ(value_refusal("title", null), ": no value is given (\"\" is empty text); allowed: text");
    EXPECT_EQ(value_refusal("inputs", null),
              ": no value is given ([] is an empty list); allowed: list of paths");
  }
}

TEST(SchemaStrictness, NothingIsGivenTwice) {
  EXPECT_EQ(refusal("train:\n  epochs: 3\n  rate: 0.1\n  epochs: 4\n"),
            "run.yaml:4: train.epochs: given twice, first on line 2; keep one");
  EXPECT_EQ(refusal("train:\n  epochs: 3\nrun:\n  seed: 1\ntrain:\n  rate: 0.1\n"),
            "run.yaml:5: train: section given twice, first on line 1; merge the two");
  EXPECT_EQ(refusal("train: {epochs: 3, \"epochs\": 4}"),
            "run.yaml:1: train.epochs: given twice, first on line 1; keep one");
}

TEST(SchemaStrictness, SectionsHoldKeys) {
  const std::string form = "is a section and holds lines of the form key: value, not ";
  EXPECT_EQ(refusal("train: 3\n"), "run.yaml:1: train: " + form + "'3'");
  EXPECT_EQ(refusal("train: [epochs]\n"), "run.yaml:1: train: " + form + "a list");
  EXPECT_EQ(refusal("train:\n  epochs:3\n"), "run.yaml:1: train: " + form + "'epochs:3'");
  EXPECT_EQ(refusal("hello\n"), "run.yaml:1: a configuration holds sections with keys, not 'hello'");
  EXPECT_EQ(refusal("- train\n"), "run.yaml:1: a configuration holds sections with keys, not a list");
}

TEST(SchemaStrictness, KeysAreWords) {
  EXPECT_EQ(line_refusal("  ? [a]\n  : 3"), "run.yaml:2: a list or section is given where a key is expected");
  EXPECT_EQ(line_refusal("  ~: 3"), "run.yaml:2: a key has no name");
}

TEST(SchemaStrictness, SyntaxFaultsNameLineAndColumn) {
  EXPECT_EQ(refusal("train:\n  kernel: [1, 2\n"),
            "run.yaml:3: not valid YAML at column 1: end of sequence flow not found");
  EXPECT_EQ(refusal("train:\n  title: a: b\n"), "run.yaml:2: not valid YAML at column 11: illegal map value");
}

TEST(SchemaStrictness, AnOpenQuoteIsFound) {
  for (const std::string end : {"", "\n", "\n  epochs: 3\n"}) {
    const auto message = refusal("train:\n  title: \"a" + end);
    EXPECT_TRUE(message.ends_with(": not valid YAML: a quote is opened and never closed")) << message;
  }
}

TEST(SchemaStrictness, TabsDoNotIndent) {
  EXPECT_EQ(refusal("train:\n\tepochs: 3\n"),
            "run.yaml:2: not valid YAML at column 8: illegal map value; indent with spaces, not with tabs");
  EXPECT_EQ(refusal("train:\n  epochs: 3\n\trate: 0.1\n"),
            "run.yaml:3: not valid YAML at column 1: illegal tab when looking for indentation; indent with "
            "spaces, not with tabs");
  expect_read("train:\n  epochs:\t3\n");
}

TEST(SchemaStrictness, AliasesTagsAndSecondDocumentsAreRefused) {
  const std::string no_aliases =
      "run.yaml:2: anchors and aliases (&name, *name) are not supported; write the value out, or put a text "
      "that begins "
      "with & or * in quotes";
  EXPECT_EQ(line_refusal("  title: &name a"), no_aliases);
  EXPECT_EQ(line_refusal("  title: *name"), no_aliases);
  EXPECT_EQ(line_refusal("  title: *.img"), no_aliases);
  EXPECT_EQ(line_refusal("  epochs: !!int 3"),
            "run.yaml:2: tags (!name) are not supported; write the plain value");
  EXPECT_EQ(refusal("train: {}\n---\nrun: {}\n"),
            "run.yaml:2: a second document (---) is not supported; put it into a file of its own");
}

TEST(SchemaStrictness, AliasBombsAndDeepNestingEndAtOnce) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name <= 'z'; ++name) {
    const std::string previous(1, static_cast<char>(name - 1));
    bomb += text::concat(name, ": &", name, " [*", previous, ", *", previous, ", *", previous, "]\n");
  }
  EXPECT_TRUE(refusal(bomb).starts_with("run.yaml:1: anchors and aliases"));
  EXPECT_EQ(refusal("train:\n  title: [[[[[[[[x]]]]]]]]\n"),
            "run.yaml:2: nested more than 8 levels deep; a section holds keys, and a key holds a value");
  EXPECT_EQ(refusal("- " + std::string(100000, '[')),
            "run.yaml:1: nested more than 8 levels deep; a section holds keys, and a key holds a value");
}

TEST(SchemaStrictness, OnlyTextInUtf8IsRead) {
  EXPECT_EQ(refusal(std::string("train:\n  title: \xe4\n")),
            "run.yaml:2: byte 16 is not UTF-8 text; a configuration is a YAML file in UTF-8");
  for (const std::string& bytes :
       {std::string("\0", 1), std::string("\x1b"), std::string("\xff\xfe"), std::string("\xc0\xaf"),
        std::string("\xe2\x82"), std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"),
        std::string("\xe0\x80\x80"), std::string("\x80")}) {
    EXPECT_EQ(refusal(bytes),
              "run.yaml:1: byte 0 is not UTF-8 text; a configuration is a YAML file in UTF-8");
  }
  expect_read("\xef\xbb\xbftrain:\r\n  title: \"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\xac\"\r\n");
}

TEST(SchemaStrictness, AllFaultsAreListedInTheOrderOfLines) {
  EXPECT_EQ(refusal("run:\n"
                    "  seed: x\n"
                    "train:\n"
                    "  epoch: 3\n"
                    "  rate: 7\n"
                    "modle: {}\n"
                    "run:\n"
                    "  floor: [1]\n"),
            "run.yaml:2: run.seed: 'x' is not an integer; allowed: integer\n"
            "run.yaml:4: train.epoch: unknown key; did you mean train.epochs?\n"
            "run.yaml:5: train.rate: '7' is out of range; allowed: 1e-08 to 1\n"
            "run.yaml:6: modle: unknown section; the sections are train, run\n"
            "run.yaml:7: run: section given twice, first on line 1; merge the two\n"
            "run.yaml:8: run.floor: a list is given; allowed: number");
}

TEST(SchemaStrictness, AFloodOfFaultsIsCutOff) {
  std::string yaml = "run:\n";
  for (int i = 0; i < 150; ++i) {
    yaml += text::concat("  key", i, ": 1\n");
  }
  const auto message = refusal(yaml);
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 100);
  EXPECT_TRUE(message.ends_with("\nrun.yaml: and 50 more")) << message;
}

TEST(SchemaStrictness, FilesThatCannotBeReadAreNamed) {
  const test::TempDir folder;
  Example example;
  const auto missing = (folder / "missing.yaml").string();
  EXPECT_EQ(message_of<ConfigError>([&] { example.schema.read_file(missing); }),
            missing + ": cannot be read: No such file or directory");
  EXPECT_EQ(message_of<ConfigError>([&] { example.schema.read_file(folder.path()); }),
            folder.path().string() + ": is a folder; a configuration is a YAML file");
  const auto large = folder / "cube.bil";
  test::write_bytes(large, std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(message_of<ConfigError>([&] { example.schema.read_file(large); }),
            large.string() + ": is larger than 1 MiB; a configuration is a short YAML file");
  const auto faulty = folder / "run.yaml";
  test::write_bytes(faulty, "train:\n  epochs: 0\n");
  EXPECT_EQ(message_of<ConfigError>([&] { example.schema.read_file(faulty); }),
            faulty.string() + ":2: train.epochs: '0' is out of range; allowed: 1 to 1000000");
}

TEST(SchemaStrictness, AssignmentsOnTheCommandLineAreCheckedAlike) {
  Example example;
  const auto refused = [&](const std::string& assignment) {
    return message_of<ConfigError>([&] { example.schema.set(assignment); });
  };
  EXPECT_EQ(refused("train.epochs=3.7"),
            "train.epochs=3.7: train.epochs: '3.7' is not an integer; allowed: 1 to 1000000");
  EXPECT_EQ(refused("train.epoch=3"), "train.epoch=3: train.epoch: unknown key; did you mean train.epochs?");
  EXPECT_EQ(refused("trian.epochs=3"), "trian.epochs=3: trian: unknown section; did you mean train?");
  EXPECT_EQ(refused("train.title="),
            "train.title=: train.title: no value is given (\"\" is empty text); allowed: text");
  EXPECT_EQ(refused("train.kernel=[1, 2"),
            "train.kernel=[1, 2: not valid YAML at column 1: end of sequence flow not found");
  EXPECT_EQ(refused("train.epochs"), "train.epochs: is not of the form section.key=value");
  EXPECT_EQ(refused("epochs=3"), "epochs=3: is not of the form section.key=value");
  EXPECT_EQ(refused("=a.b"), "=a.b: is not of the form section.key=value");
  EXPECT_EQ(example.options, ExampleOptions{});
}

TEST(SchemaStrictness, AnAssignmentIsRefusedInOneBoundedLine) {
  const std::string long_text(100'000, 'x');
  for (const auto& assignment :
       {std::string("a\nb"), std::string("run.seed=x\ny"), "run.seed=" + long_text, long_text,
        "run.seed=\"\\" + long_text, "run.seed=%YAML " + long_text, "train." + long_text + "=1",
        std::string("train.kernel=[a, b, c]"), std::string("run.seed=\"\\\xC3\xA4\"")}) {
    Example example;
    const auto message = message_of<ConfigError>([&] { example.schema.set(assignment); });
    EXPECT_EQ(message.find_first_of("\r\n"), std::string::npos) << message;
    EXPECT_LT(message.size(), 1000U) << message;
    EXPECT_EQ(text::printable(message), message);
  }
}

TEST(SchemaStrictness, AnAssignmentTellsItsFirstFaultAndHowManyMore) {
  Example example;
  EXPECT_EQ(message_of<ConfigError>([&] { example.schema.set("train.kernel=[a, 2, 99]"); }),
            "train.kernel=[a, 2, 99]: train.kernel[0]: 'a' is not an integer; allowed: 3 elements, "
            "each 1 to 31 (and 1 more)");
}

TEST(SchemaStrictness, WhatTheParserQuotesIsShortened) {
  const auto message = refusal("%YAML " + std::string(100'000, 'x') + "\n---\nrun: {}\n");
  EXPECT_TRUE(message.starts_with("run.yaml:1: not valid YAML at column")) << message.substr(0, 200);
  EXPECT_LT(message.size(), 200U);
}

}  // namespace
}  // namespace hyperdefect::config
