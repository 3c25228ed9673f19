// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hyperdefect/config/schema.h"
#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::config {
namespace {

using Lines = std::vector<std::string>;

/// train.epochs was called model.rounds and train.loops before, train.losses was model.losses; there is a
/// section model no more.
struct Renamed {
  Renamed() {
    auto& train = schema.section("train", "How the network is trained.");
    train.add("epochs", &epochs, "Epochs of training.")
        .range(1, 1000)
        .formerly("model.rounds")
        .formerly("train.loops");
    train.add("losses", &losses, "What is minimised.")
        .choices({"squared", "absolute"})
        .formerly("model.losses")
        .value_formerly("l2", "squared")
        .value_formerly("l1", "absolute");
    train.add("folder", &folder, "Where to.").is_path().formerly("output.folder");
    schema.section("run", "The machine.").add("seed", &seed, "Seed of all random numbers.");
    schema.extendable({"old", "new"}, [](const std::string& name) {
      return name == "old" ? "model: {rounds: 7, losses: [l1]}\n" : "train: {epochs: 8}\n";
    });
  }
  Renamed(const Renamed&) = delete;
  Renamed& operator=(const Renamed&) = delete;

  void read(const std::string& yaml) { schema.read_text(yaml, "run.yaml", "/base"); }

  std::int64_t epochs = 20;
  std::int64_t seed = 0;
  std::vector<std::string> losses{"squared"};
  std::string folder;
  Schema schema;
};

const std::string kRoundsRemark = "model.rounds is now called train.epochs; the former name is still read";

TEST(FormerNames, AreStillReadAndRemarked) {
  Renamed example;
  example.read("model:\n  rounds: 5\nrun: {seed: 3}\n");
  EXPECT_EQ(example.epochs, 5);
  EXPECT_EQ(example.seed, 3);
  EXPECT_EQ(example.schema.remarks(), Lines{kRoundsRemark});
  EXPECT_EQ(example.schema.assigned(), (Lines{"train.epochs", "run.seed"}));
  EXPECT_TRUE(example.schema.was_set("train.epochs"));
}

TEST(FormerNames, MayLieInTheSameSectionOrOnACommandLine) {
  Renamed example;
  example.read("train: {loops: 6}\n");
  EXPECT_EQ(example.epochs, 6);
  example.schema.set("model.rounds=9");
  EXPECT_EQ(example.epochs, 9);
  EXPECT_EQ(example.schema.remarks(),
            (Lines{"train.loops is now called train.epochs; the former name is still read", kRoundsRemark}));
}

TEST(FormerNames, AreNotWrittenAndNotListed) {
  Renamed example;
  example.read("model: {rounds: 5}\n");
  EXPECT_EQ(example.schema.to_yaml().find("train:\n  epochs: 5\n"), 0U) << example.schema.to_yaml();
  for (const auto& key : example.schema.keys()) {
    EXPECT_NE(key.name, "model.rounds");
  }
  EXPECT_EQ(example.schema.section("train", "").find("epochs")->former_names(),
            (Lines{"model.rounds", "train.loops"}));
}

TEST(FormerNames, AreCheckedAsTheKeyIsAndToldByItsName) {
  Renamed example;
  HYPERDEFECT_EXPECT_ERROR(example.read("run: {seed: 1}\nmodel: {rounds: 0}\n"), ConfigError,
                           "run.yaml:2: train.epochs: '0' is out of range; allowed: 1 to 1000");
  EXPECT_EQ(example.epochs, 20);
  EXPECT_EQ(example.seed, 0);
  EXPECT_EQ(example.schema.remarks(), Lines{});
}

TEST(FormerNames, AreRefusedBesideTheKeyItself) {
  Renamed example;
  HYPERDEFECT_EXPECT_ERROR(example.read("train:\n  epochs: 5\nmodel:\n  rounds: 6\n"), ConfigError,
                           "run.yaml:4: model.rounds: is given already, as train.epochs; keep one");
  HYPERDEFECT_EXPECT_ERROR(example.read("train: {loops: 5}\nmodel: {rounds: 6}\n"), ConfigError,
                           "run.yaml:2: model.rounds: is given already, as train.loops; keep one");
  HYPERDEFECT_EXPECT_ERROR(example.read("model:\n  rounds: 6\ntrain:\n  epochs: 5\n"), ConfigError,
                           "run.yaml:4: train.epochs: is given already, as model.rounds; keep one");
  EXPECT_EQ(example.epochs, 20);
}

TEST(FormerNames, OfALaterTextWin) {
  Renamed example;
  example.read("train: {epochs: 5}\n");
  example.read("model: {rounds: 6}\n");
  EXPECT_EQ(example.epochs, 6);
  example.read("train: {epochs: 7}\n");
  EXPECT_EQ(example.epochs, 7);
}

TEST(FormerNames, MayBeExtendedAndExtendOthers) {
  Renamed example;
  example.read("extends: old\n");
  EXPECT_EQ(example.epochs, 7);
  EXPECT_EQ(example.losses, Lines{"absolute"});
  EXPECT_EQ(example.schema.remarks().size(), 2U);
  EXPECT_EQ(example.schema.assigned(), Lines{});
  Renamed over_old;
  over_old.read("extends: old\ntrain: {epochs: 9}\n");
  EXPECT_EQ(over_old.epochs, 9);
  EXPECT_EQ(over_old.losses, Lines{"absolute"});
  Renamed over_new;
  over_new.read("extends: new\nmodel: {rounds: 10}\n");
  EXPECT_EQ(over_new.epochs, 10);
  EXPECT_EQ(over_new.schema.remarks(), Lines{kRoundsRemark});
}

TEST(FormerNames, OfPathsAreResolvedLikeOthers) {
  const test::TempDir dir;
  test::write_bytes(dir / "run.yaml", "output: {folder: here}\n");
  Renamed example;
  example.schema.read_file(dir / "run.yaml");
  EXPECT_EQ(example.folder, (dir / "here").string());
}

TEST(FormerNames, LetNoOtherKeyOfAFormerSectionThrough) {
  Renamed example;
  HYPERDEFECT_EXPECT_ERROR(example.read("model: {depth: 3}\n"), ConfigError, "run.yaml:1: model");
  HYPERDEFECT_EXPECT_ERROR(example.read("output: [3]\n"), ConfigError,
                           "run.yaml:1: output: is a section and holds lines of the form key: value");
  EXPECT_NO_THROW(example.read("model: {}\n"));
}

TEST(FormerTexts, AreReadInListsToo) {
  Renamed example;
  example.read("train: {losses: [l1, squared, l2]}\n");
  EXPECT_EQ(example.losses, (Lines{"absolute", "squared", "squared"}));
  EXPECT_NE(example.schema.to_yaml().find("losses: [absolute, squared, squared]"), std::string::npos);
  HYPERDEFECT_EXPECT_ERROR(example.read("train: {losses: [l3]}\n"), ConfigError,
                           "train.losses[0]: 'l3' is unknown; allowed: squared, absolute");
}

TEST(FormerTexts, SuitTextsOnly) {
  std::int64_t number = 0;
  Section section("s", "");
  EXPECT_EQ(test::message_of<Error>([&] { section.add("a", &number, "").value_formerly("x", "y"); }),
            "the declaration of s.a is wrong: a former text does not suit the type integer");
}

}  // namespace
}  // namespace hyperdefect::config
