// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/config/schema.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "config/example_options.h"
#include "hyperdefect/core/text.h"
#include "support/temp_dir.h"

namespace hyperdefect::config {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void read(Schema& schema, const std::string& yaml) {
  schema.read_text(yaml, "run.yaml", "/base");
}

TEST(Schema, FillsFieldsOfEveryType) {
  Example example;
  read(example.schema,
       "train:\n"
       "  shuffle: false  # a comment\n"
       "  epochs: +12\n"
       "  rate: 5e-4\n"
       "  upsample: 'nearest'\n"
       "  ranges_nm: [.5, -1, 2.]\n"
       "  kernel:\n"
       "    - 5\n"
       "    - 1\n"
       "    - 1\n"
       "  title: 010 yes\n");
  ExampleOptions expected;
  expected.shuffle = false;
  expected.epochs = 12;
  expected.rate = 5e-4;
  expected.upsample = "nearest";
  expected.ranges_nm = {0.5, -1.0, 2.0};
  expected.kernel = {5, 1, 1};
  expected.title = "010 yes";
  EXPECT_EQ(example.options, expected);
}

TEST(Schema, TextsTakeAnyWord) {
  for (const std::string word : {"yes", "010", "3.7", "null and void", "true"}) {
    Example example;
    read(example.schema, "train: {title: " + word + "}");
    EXPECT_EQ(example.options.title, word);
  }
}

TEST(Schema, EmptyDocumentsAndSectionsChangeNothing) {
  for (const std::string yaml :
       {"", "\n", "# a comment", "---\n", "{}", "train:\n", "train:\n  # epochs: 3\n", "train: {}"}) {
    Example example;
    read(example.schema, yaml);
    EXPECT_EQ(example.options, ExampleOptions{}) << yaml;
    EXPECT_TRUE(example.schema.assigned().empty()) << yaml;
  }
}

TEST(Schema, EmptyListsAreLists) {
  Example example;
  read(example.schema, "train: {ranges_nm: []}");
  EXPECT_TRUE(example.options.ranges_nm.empty());
}

TEST(Schema, LaterCallsWin) {
  Example example;
  read(example.schema, "train: {epochs: 5, rate: 0.5}");
  read(example.schema, "train: {epochs: 6}");
  example.schema.set("train.rate=0.25");
  EXPECT_EQ(example.options.epochs, 6);
  EXPECT_EQ(example.options.rate, 0.25);
}

TEST(Schema, SetReadsTheValueAsYaml) {
  Example example;
  example.schema.set("train.kernel=[1, 2, 3]");
  example.schema.set("train.shuffle=false");
  example.schema.set("train.title=\"a=b: c\"");
  EXPECT_EQ(example.options.kernel, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_FALSE(example.options.shuffle);
  EXPECT_EQ(example.options.title, "a=b: c");
}

TEST(Schema, InfinityIsForRangesThatReachIt) {
  double value = 1.0;
  Schema schema;
  schema.section("s", "").add("limit", &value, "").range(0, kInfinity);
  for (const std::string word : {".inf", "+.inf", ".Inf", "inf"}) {
    value = 1.0;
    schema.set("s.limit=" + word);
    EXPECT_EQ(value, kInfinity) << word;
  }
  EXPECT_EQ(schema.to_yaml(), "s:\n  limit: .inf\n");
}

TEST(Schema, RelativePathsStartAtTheFile) {
  const test::TempDir folder;
  std::filesystem::create_directory(folder / "configs");
  test::write_bytes(folder / "configs/run.yaml",
                    "train: {references: ../white dark, inputs: [a.img, /cubes/b.img]}");
  Example example;
  example.schema.read_file(folder / "configs/run.yaml");
  EXPECT_EQ(example.options.references, (folder / "white dark").string());
  EXPECT_EQ(example.options.inputs,
            (std::vector<std::string>{(folder / "configs/a.img").string(), "/cubes/b.img"}));
}

TEST(Schema, RelativePathsOfAssignmentsStartAtTheWorkingDirectory) {
  Example example;
  example.schema.set("train.references=refs");
  EXPECT_EQ(example.options.references, (std::filesystem::current_path() / "refs").string());
  example.schema.set("train.references=\"\"");
  EXPECT_EQ(example.options.references, "");
}

TEST(Schema, PathsBecomeAbsoluteEvenWhereTheFileIsNamedRelatively) {
  Example example;
  example.schema.read_text("train: {references: refs}", "run.yaml", "");
  EXPECT_EQ(example.options.references, (std::filesystem::current_path() / "refs").string());
}

TEST(Schema, TellsWhatWasAssigned) {
  Example example;
  example.schema.set("run.seed=4");
  read(example.schema, "train: {rate: 0.5, epochs: 6}\nrun: {seed: 5}");
  EXPECT_EQ(example.schema.assigned(), (std::vector<std::string>{"run.seed", "train.rate", "train.epochs"}));
  EXPECT_TRUE(example.schema.was_set("train.epochs"));
  EXPECT_FALSE(example.schema.was_set("train.title"));
}

TEST(Schema, SectionsCanBeSharedAndStayWhereTheyAre) {
  std::int64_t first = 1;
  std::int64_t second = 2;
  Schema schema;
  auto& section = schema.section("train", "Help.");
  section.add("first", &first, "");
  for (int i = 0; i < 100; ++i) {
    schema.section(text::concat("s", i), "");
  }
  schema.section("train", "Other help.").add("second", &second, "");
  EXPECT_EQ(&schema.section("train", ""), &section);
  EXPECT_EQ(section.help(), "Help.");
  EXPECT_EQ(schema.to_yaml().find("train:\n  first: 1\n  second: 2\ns0: {}\n"), 0U) << schema.to_yaml();
}

TEST(Schema, MovesWithItsFieldsBound) {
  std::int64_t count = 1;
  Schema made;
  made.section("s", "").add("count", &count, "");
  Schema schema = std::move(made);
  schema.set("s.count=5");
  EXPECT_EQ(count, 5);
}

TEST(Schema, WritesInTheOrderOfDeclaration) {
  Example example;
  EXPECT_EQ(example.schema.to_yaml(),
            "train:\n"
            "  shuffle: true\n"
            "  epochs: 20\n"
            "  rate: 0.001\n"
            "  upsample: bilinear\n"
            "  references: \"\"\n"
            "  ranges_nm: [1350, 1420]\n"
            "  kernel: [7, 3, 3]\n"
            "  inputs: []\n"
            "  title: \"a run\"\n"
            "run:\n"
            "  seed: 0\n"
            "  floor: 0\n");
}

TEST(Schema, WritesTheSectionsOfTheWantedTraits) {
  Example example;
  example.schema.section("run", "").traits({.travels_with_model = false, .changes_results = false});
  example.schema.section("train", "").traits({.fixed_by_training = true});
  const auto run = std::string("run:\n  seed: 0\n  floor: 0\n");
  const auto all = example.schema.to_yaml();
  const auto train = all.substr(0, all.size() - run.size());
  EXPECT_EQ(example.schema.to_yaml([](const auto& traits) { return traits.travels_with_model; }), train);
  EXPECT_EQ(example.schema.to_yaml([](const auto& traits) { return traits.fixed_by_training; }), train);
  EXPECT_EQ(example.schema.to_yaml([](const auto& traits) { return !traits.changes_results; }), run);
  EXPECT_EQ(example.schema.to_yaml([](const auto&) { return true; }), all);
  EXPECT_EQ(example.schema.to_yaml([](const auto&) { return false; }), "");
}

TEST(Schema, ExplainsEveryKeyInTheAnnotatedForm) {
  std::int64_t epochs = 20;
  std::string title;
  Schema schema;
  auto& train = schema.section("train", "How the network is trained.");
  train
      .add("epochs", &epochs,
           "Epochs of training; a checkpoint is written after each of them, and the best one of all is what "
           "ends up "
           "in the model file.")
      .range(1, 100);
  train.add("title", &title, "The title.");
  schema.section("output", "Files.");
  epochs = 30;
  const std::string expected =
      "# How the network is trained.\n"
      "train:\n"
      "  # Epochs of training; a checkpoint is written after each of them, and the best one of all is what\n"
      "  # ends up in the model file.\n"
      "  # integer: 1 to 100; default 20\n"
      "  epochs: 30\n"
      "  # The title.\n"
      "  # text; default \"\"\n"
      "  title: \"\"\n"
      "\n"
      "# Files.\n"
      "output: {}\n";
  EXPECT_EQ(schema.to_annotated_yaml(), expected);
  epochs = 1;
  read(schema, expected);
  EXPECT_EQ(epochs, 30);
}

TEST(Schema, ListsItsKeys) {
  Example example;
  example.options.epochs = 5;
  const auto keys = example.schema.keys();
  ASSERT_EQ(keys.size(), 11u);
  EXPECT_EQ(keys[1].name, "train.epochs");
  EXPECT_EQ(keys[1].type, "integer");
  EXPECT_EQ(keys[1].default_text, "20");
  EXPECT_EQ(keys[1].allowed, "1 to 1000000");
  EXPECT_EQ(keys[1].help, "Epochs of training.");
  EXPECT_EQ(keys[1].value_text, "5");
  EXPECT_EQ(keys[10].name, "run.floor");
}

TEST(Schema, ListsTheLevelsAndTraitsOfItsKeys) {
  std::int64_t number = 0;
  Schema schema;
  auto& train = schema.section("train", "").traits({.fixed_by_training = true});
  train.add("usual", &number, "");
  train.add("first", &number, "").level(Level::basic);
  train.level(Level::expert);
  train.add("deep", &number, "");
  train.add("known", &number, "").level(Level::advanced);
  schema.section("run", "").add("seed", &number, "");
  std::vector<Level> levels;
  for (const auto& key : schema.keys()) {
    levels.push_back(key.level);
    EXPECT_EQ(key.traits.fixed_by_training, key.name.starts_with("train.")) << key.name;
    EXPECT_TRUE(key.traits.travels_with_model && key.traits.changes_results) << key.name;
  }
  EXPECT_EQ(levels, (std::vector<Level>{Level::advanced, Level::basic, Level::expert, Level::advanced,
                                        Level::advanced}));
}

/// The text after it was written to YAML and read back.
std::string text_round_trip(const std::string& text) {
  std::string field = text;
  std::vector<std::string> list{text, "b"};
  Schema schema;
  auto& section = schema.section("s", "");
  section.add("text", &field, "");
  section.add("list", &list, "");
  const auto yaml = schema.to_yaml();
  field.clear();
  list.clear();
  read(schema, yaml);
  EXPECT_EQ(list, (std::vector<std::string>{text, "b"})) << yaml;
  return field;
}

TEST(Schema, TextsThatLookLikeSomethingElseRoundTrip) {
  for (const std::string text : {"",
                                 " ",
                                 "~",
                                 "null",
                                 "Null",
                                 "true",
                                 "NO",
                                 "y",
                                 "on",
                                 "3",
                                 "-3",
                                 "010",
                                 "1e5",
                                 ".5",
                                 ".inf",
                                 "nan",
                                 "0x1F",
                                 "- a",
                                 "a: b",
                                 "a #b",
                                 "#b",
                                 "*x",
                                 "&x",
                                 "!x",
                                 "[a",
                                 "a, b",
                                 "{",
                                 "'",
                                 "\"",
                                 "\\",
                                 "C:\\new",
                                 "a\nb",
                                 "a\n",
                                 "\ta",
                                 "a ",
                                 "---",
                                 "...",
                                 "?",
                                 "%a",
                                 "@a",
                                 "`a",
                                 "|",
                                 ">",
                                 "<<",
                                 "=",
                                 "/a/b-c_d.e",
                                 "\xc3\xa4\xe2\x82\xac",
                                 "\x01\x7f\x1b",
                                 "\r\n",
                                 "\xc2\x85",
                                 "a\xe2\x80\xa8z",
                                 "\xef\xbb\xbfz"}) {
    EXPECT_EQ(text_round_trip(text), text);
  }
  EXPECT_EQ(text_round_trip(std::string(1, '\0')), std::string(1, '\0'));
  EXPECT_EQ(text_round_trip(std::string(5000, 'a') + " b"), std::string(5000, 'a') + " b");
}

TEST(Schema, RandomTextsRoundTrip) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string text(random() % 12, ' ');
    for (auto& c : text) {
      c = static_cast<char>(random() % 128);
    }
    ASSERT_EQ(text_round_trip(text), text);
  }
}

TEST(Schema, PlainWordsStayPlainAndOthersAreQuoted) {
  std::vector<std::string> list{"lift", "/a/b.img", "v1.2+3", "yes", "3", "a b"};
  Schema schema;
  schema.section("s", "").add("list", &list, "");
  EXPECT_EQ(schema.to_yaml(), "s:\n  list: [lift, /a/b.img, v1.2+3, \"yes\", \"3\", \"a b\"]\n");
}

TEST(Schema, NumbersRoundTripToTheLastBit) {
  std::mt19937_64 random(2);
  std::vector<double> doubles{0.1, -0.0, 1.0 / 3, 5e-324, 1e-310, 1.7976931348623157e308, 1e6, 1e22};
  std::vector<std::int64_t> integers{0, std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max()};
  while (doubles.size() < 2000) {
    const auto bits = random();
    if (const auto value = std::bit_cast<double>(bits); std::isfinite(value)) {
      doubles.push_back(value);
      integers.push_back(std::bit_cast<std::int64_t>(bits));
    }
  }
  const auto expected_doubles = doubles;
  const auto expected_integers = integers;
  Schema schema;
  auto& section = schema.section("s", "");
  section.add("doubles", &doubles, "");
  section.add("integers", &integers, "");
  const auto yaml = schema.to_yaml();
  doubles.clear();
  integers.clear();
  read(schema, yaml);
  ASSERT_EQ(doubles.size(), expected_doubles.size());
  for (std::size_t i = 0; i < doubles.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint64_t>(doubles[i]), std::bit_cast<std::uint64_t>(expected_doubles[i]));
  }
  EXPECT_EQ(integers, expected_integers);
  EXPECT_EQ(schema.to_yaml(), yaml);
}

}  // namespace
}  // namespace hyperdefect::config
