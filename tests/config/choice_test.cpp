// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hyperdefect/config/option.h"
#include "hyperdefect/config/schema.h"
#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::config {
namespace {

enum class Upsample { nearest, bilinear, bicubic };

/// A field of an enumeration; "on" is a word that YAML may take for something else.
struct Choosing {
  Choosing() {
    auto& section = schema.section("train", "How the network is trained.");
    section
        .add("upsample",
             Choice(&upsample, Choice::Names<Upsample>{{"on", Upsample::nearest},
                                                       {"bilinear", Upsample::bilinear},
                                                       {"bicubic", Upsample::bicubic}}),
             "How the resolution is doubled.")
        .value_formerly("linear", "bilinear");
  }
  Choosing(const Choosing&) = delete;
  Choosing& operator=(const Choosing&) = delete;

  void read(const std::string& yaml) { schema.read_text(yaml, "run.yaml", "/base"); }

  Upsample upsample = Upsample::bilinear;
  Schema schema;
};

TEST(Choice, IsATextWithTheNameOfTheFieldsValue) {
  Choosing example;
  const auto& option = *example.schema.section("train", "").find("upsample");
  EXPECT_EQ(option.type_name(), "text");
  EXPECT_EQ(option.default_text(), "bilinear");
  EXPECT_EQ(option.allowed(), "on, bilinear, bicubic");
  example.upsample = Upsample::nearest;
  EXPECT_EQ(option.value_text(), "\"on\"");
  EXPECT_EQ(option.default_text(), "bilinear");
}

TEST(Choice, FillsTheFieldFromTextsAndAssignments) {
  Choosing example;
  example.read("train: {upsample: bicubic}");
  EXPECT_EQ(example.upsample, Upsample::bicubic);
  example.read("train: {upsample: 'on'}");
  EXPECT_EQ(example.upsample, Upsample::nearest);
  example.schema.set("train.upsample=bilinear");
  EXPECT_EQ(example.upsample, Upsample::bilinear);
}

TEST(Choice, RoundTripsEveryValue) {
  for (const auto value : {Upsample::nearest, Upsample::bilinear, Upsample::bicubic}) {
    Choosing written;
    written.upsample = value;
    Choosing read;
    read.read(written.schema.to_yaml());
    EXPECT_EQ(read.upsample, value);
  }
}

TEST(Choice, RefusesUnknownValuesWithASuggestionAndKeepsTheField) {
  Choosing example;
  example.upsample = Upsample::bicubic;
  HYPERDEFECT_EXPECT_ERROR(
      example.read("train: {upsample: bilinaer}"), ConfigError,
      "run.yaml:1: train.upsample: 'bilinaer' is unknown; allowed: on, bilinear, bicubic; did you mean "
      "bilinear?");
  HYPERDEFECT_EXPECT_ERROR(example.schema.set("train.upsample=Cubic spline"), ConfigError,
                           "train.upsample: 'Cubic spline' is unknown; allowed: on, bilinear, bicubic");
  HYPERDEFECT_EXPECT_ERROR(example.read("train: {upsample: [bilinear]}"), ConfigError,
                           "train.upsample: a list is given; allowed: on, bilinear, bicubic");
  HYPERDEFECT_EXPECT_ERROR(example.read("train: {upsample: ~}"), ConfigError, "train.upsample: no value");
  EXPECT_EQ(example.upsample, Upsample::bicubic);
}

TEST(Choice, TakesAFormerText) {
  Choosing example;
  example.upsample = Upsample::nearest;
  example.read("train: {upsample: linear}");
  EXPECT_EQ(example.upsample, Upsample::bilinear);
  EXPECT_EQ(example.schema.to_yaml(), "train:\n  upsample: bilinear\n");
}

TEST(Choice, RefusesDeclarationsOfOtherTypes) {
  Upsample field = Upsample::nearest;
  Section section("s", "");
  const Choice choice(&field, Choice::Names<Upsample>{{"nearest", Upsample::nearest}});
  EXPECT_EQ(test::message_of<Error>([&] { section.add("a", choice, "").range(0, 1); }),
            "the declaration of s.a is wrong: the range 0 to 1 does not suit the type text");
  EXPECT_EQ(test::message_of<Error>([&] { section.add("b", choice, "").choices({"x"}); }),
            "the declaration of s.b is wrong: a list of choices does not suit the type text");
  EXPECT_EQ(test::message_of<Error>([&] { section.add("c", choice, "").is_path(); }),
            "the declaration of s.c is wrong: a path does not suit the type text");
  EXPECT_EQ(test::message_of<Error>([&] { section.add("d", choice, "").entries(1, 2); }),
            "the declaration of s.d is wrong: 1 to 2 elements does not suit the type text");
}

}  // namespace
}  // namespace hyperdefect::config
