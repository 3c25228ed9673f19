// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/config/option.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "support/expect_error.h"

namespace hyperdefect::config {
namespace {

using test::message_of;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Fields {
  bool flag = false;
  std::int64_t count = 3;
  double rate = 0.1;
  std::string name = "plain";
  std::vector<double> numbers{0.5, 2};
  std::vector<std::int64_t> sizes{3, 5};
  std::vector<std::string> names{"a", "on"};
};

TEST(Option, StatesWhatWasDeclared) {
  Fields fields;
  Section section("train", "How the network is trained.");
  const auto& option = section.add("count", &fields.count, "How many.").range(1, 1e6);
  EXPECT_EQ(option.key(), "count");
  EXPECT_EQ(option.name(), "train.count");
  EXPECT_EQ(option.help(), "How many.");
  EXPECT_EQ(option.type_name(), "integer");
  EXPECT_EQ(option.allowed(), "1 to 1000000");
  EXPECT_EQ(option.default_text(), "3");
}

TEST(Option, KeepsTheDefaultApartFromTheValue) {
  Fields fields;
  Section section("train", "");
  const auto& option = section.add("count", &fields.count, "");
  fields.count = 7;
  EXPECT_EQ(option.default_text(), "3");
  EXPECT_EQ(option.value_text(), "7");
}

TEST(Option, NamesEveryTypeAndWritesItsValue) {
  Fields fields;
  Section section("s", "");
  const auto described = [](const Option& option) { return option.type_name() + " " + option.value_text(); };
  EXPECT_EQ(described(section.add("a", &fields.flag, "")), "boolean false");
  EXPECT_EQ(described(section.add("b", &fields.count, "")), "integer 3");
  EXPECT_EQ(described(section.add("c", &fields.rate, "")), "number 0.1");
  EXPECT_EQ(described(section.add("d", &fields.name, "")), "text plain");
  EXPECT_EQ(described(section.add("e", &fields.numbers, "")), "list of numbers [0.5, 2]");
  EXPECT_EQ(described(section.add("f", &fields.sizes, "")), "list of integers [3, 5]");
  EXPECT_EQ(described(section.add("g", &fields.names, "")), "list of texts [a, \"on\"]");
  EXPECT_EQ(described(section.add("h", &fields.name, "").is_path()), "path plain");
  EXPECT_EQ(described(section.add("i", &fields.names, "").is_path()), "list of paths [a, \"on\"]");
}

TEST(Option, SaysInWordsWhatIsAllowed) {
  Fields fields;
  Section section("s", "");
  EXPECT_EQ(section.add("a", &fields.flag, "").allowed(), "true, false");
  EXPECT_EQ(section.add("b", &fields.rate, "").allowed(), "");
  EXPECT_EQ(section.add("c", &fields.rate, "").range(1e-8, 1).allowed(), "1e-08 to 1");
  EXPECT_EQ(section.add("d", &fields.rate, "").range(0, kInfinity).allowed(), "at least 0");
  EXPECT_EQ(section.add("e", &fields.count, "").range(-kInfinity, 5).allowed(), "at most 5");
  EXPECT_EQ(section.add("f", &fields.count, "").range(0, 4e18).allowed(), "0 to 4000000000000000000");
  EXPECT_EQ(section.add("g", &fields.name, "").choices({"x", "y"}).allowed(), "x, y");
  EXPECT_EQ(section.add("h", &fields.sizes, "").range(1, 9).entries(3, 3).allowed(),
            "3 elements, each 1 to 9");
  EXPECT_EQ(section.add("i", &fields.names, "").entries(0, 1).allowed(), "0 to 1 element");
  EXPECT_EQ(section.add("j", &fields.name, "").is_path({"none", "auto"}).allowed(), "none, auto, a path");
}

TEST(Option, RefusesDeclarationsThatDoNotSuitTheType) {
  Fields fields;
  Section section("s", "");
  EXPECT_EQ(message_of<Error>([&] { section.add("a", &fields.flag, "").range(0, 1); }),
            "the declaration of s.a is wrong: the range 0 to 1 does not suit the type boolean");
  EXPECT_EQ(message_of<Error>([&] { section.add("b", &fields.name, "").range(0, 1); }),
            "the declaration of s.b is wrong: the range 0 to 1 does not suit the type text");
  EXPECT_EQ(message_of<Error>([&] { section.add("c", &fields.count, "").range(2, 1); }),
            "the declaration of s.c is wrong: the range 2 to 1 does not suit the type integer");
  EXPECT_EQ(message_of<Error>([&] { section.add("d", &fields.rate, "").choices({"x"}); }),
            "the declaration of s.d is wrong: a list of choices does not suit the type number");
  EXPECT_EQ(message_of<Error>([&] { section.add("e", &fields.rate, "").is_path(); }),
            "the declaration of s.e is wrong: a path does not suit the type number");
  EXPECT_EQ(message_of<Error>([&] { section.add("f", &fields.rate, "").entries(1, 2); }),
            "the declaration of s.f is wrong: 1 to 2 elements does not suit the type number");
}

TEST(Section, RefusesAKeyDeclaredTwice) {
  Fields fields;
  Section section("s", "");
  section.add("count", &fields.count, "");
  EXPECT_EQ(message_of<Error>([&] { section.add("count", &fields.rate, ""); }), "s.count is declared twice");
}

TEST(Section, FindsItsOptionsWhichStayWhereTheyAre) {
  Fields fields;
  Section section("s", "Help.");
  const auto* first = &section.add("first", &fields.count, "");
  for (int i = 0; i < 1000; ++i) {
    section.add(text::concat("key", i), &fields.rate, "");
  }
  EXPECT_EQ(section.find("first"), first);
  EXPECT_EQ(section.find("last"), nullptr);
  EXPECT_EQ(section.options().size(), 1001u);
}

}  // namespace
}  // namespace hyperdefect::config
