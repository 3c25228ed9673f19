// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "config/example_options.h"
#include "hyperdefect/config/schema.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::config {
namespace {

using test::TempDir;
using test::write_bytes;

/// May extend "slow", which sets epochs and title, and "slower", which extends it.
struct Extending : Example {
  Extending() {
    schema.extendable({"slow", "slower", "ring"}, [](const std::string& name) {
      static const std::map<std::string, std::string> yaml{
          {"slow", "train:\n  epochs: 100\n  title: slow\n"},
          {"slower", "extends: slow\ntrain: {epochs: 1000}\n"},
          {"ring", "extends: ring\n"}};
      return yaml.at(name);
    });
  }

  void read(const std::string& yaml, const std::string& folder = "/base") {
    schema.read_text(yaml, "run.yaml", folder);
  }
};

TEST(Extends, ReadsTheBaseFirstWhereverItStands) {
  for (const auto* yaml :
       {"extends: slow\ntrain: {title: mine}\n", "train: {title: mine}\nextends: slow\n"}) {
    Extending example;
    example.read(yaml);
    EXPECT_EQ(example.options.epochs, 100);
    EXPECT_EQ(example.options.title, "mine");
    EXPECT_EQ(example.schema.assigned(), std::vector<std::string>{"train.title"});
  }
}

TEST(Extends, GoesOverSeveralSteps) {
  Extending example;
  example.read("extends: slower\n");
  EXPECT_EQ(example.options.epochs, 1000);
  EXPECT_EQ(example.options.title, "slow");
  EXPECT_TRUE(example.schema.assigned().empty());
}

TEST(Extends, FindsFilesFromTheFileThatNamesThem) {
  const TempDir dir;
  write_bytes(dir / "shared/base.yaml", "extends: more/first.yml\ntrain: {references: refs, epochs: 3}\n");
  write_bytes(dir / "shared/more/first.yml", "train: {title: first, epochs: 2, inputs: [x]}\n");
  write_bytes(dir / "mine.yaml", "extends: shared/base.yaml\nrun: {seed: 4}\n");
  Extending example;
  example.schema.read_file(dir / "mine.yaml");
  EXPECT_EQ(example.options.title, "first");
  EXPECT_EQ(example.options.epochs, 3);
  EXPECT_EQ(example.seed, 4);
  EXPECT_EQ(example.options.references, (dir / "shared/refs").string());
  EXPECT_EQ(example.options.inputs, std::vector<std::string>{(dir / "shared/more/x").string()});
}

TEST(Extends, ChangesNothingIfAnyPartIsWrong) {
  const TempDir dir;
  write_bytes(dir / "base.yaml", "train: {epochs: 3}\nrun: {seed: many}\n");
  Extending example;
  HYPERDEFECT_EXPECT_ERROR(example.read("extends: base.yaml\ntrain: {title: mine}\n", dir.path().string()),
                           ConfigError, "base.yaml:2: run.seed: 'many' is not an integer");
  HYPERDEFECT_EXPECT_ERROR(example.read("extends: slow\nrun: {seed: -x}\n"), ConfigError,
                           "run.yaml:2: run.seed");
  EXPECT_EQ(example.options, ExampleOptions{});
}

TEST(Extends, RefusesWhatNamesNoBase) {
  const std::string allowed = "; give a file NAME.yaml or one of slow, slower, ring";
  for (const auto& [yaml, message] : std::vector<std::pair<std::string, std::string>>{
           {"extends: fast\n", "run.yaml:1: extends: 'fast' is unknown" + allowed},
           {"extends: slowest\n", "run.yaml:1: extends: 'slowest' is unknown; did you mean slower?"},
           {"extends:\n", "run.yaml:1: extends: takes one name, not a list, a section or nothing" + allowed},
           {"extends: [slow]\n", "run.yaml:1: extends: takes one name"},
           {"extends: {slow: 1}\n", "run.yaml:1: extends: takes one name"},
           {"extends: none.yaml\n", "none.yaml: cannot be read: No such file"},
           {"extends: ring\n", "ring:1: extends: 'ring' extends this configuration in turn"},
           {"extends: slow\nextends: slower\n", "run.yaml:2: extends: given twice, first on line 1"}}) {
    Extending example;
    HYPERDEFECT_EXPECT_ERROR(example.read(yaml), ConfigError, message);
  }
}

TEST(Extends, EndsWhereFilesExtendEachOther) {
  const TempDir dir;
  write_bytes(dir / "a.yaml", "extends: b.yaml\n");
  write_bytes(dir / "b.yaml", "extends: ./a.yaml\n");
  for (int i = 0; i < 20; ++i) {
    write_bytes(dir / text::concat('c', i, ".yaml"), text::concat("extends: c", i + 1, ".yaml\n"));
  }
  Extending example;
  HYPERDEFECT_EXPECT_ERROR(example.schema.read_file(dir / "a.yaml"), ConfigError,
                           "b.yaml:1: extends: './a.yaml' extends this configuration in turn");
  HYPERDEFECT_EXPECT_ERROR(example.schema.read_file(dir / "c0.yaml"), ConfigError,
                           "extends: more than 8 configurations extend each other");
}

TEST(Extends, IsNoWordOfASchemaThatKnowsNoOthers) {
  Example example;
  HYPERDEFECT_EXPECT_ERROR(example.schema.read_text("extends: slow\n", "run.yaml", "."), ConfigError,
                           "run.yaml:1: extends: unknown section");
}

TEST(UsedIf, NamesKeysThatWereSetInVain) {
  Example example;
  auto& section = example.schema.section("extra", "More.");
  double strength = 1;
  double width = 2;
  section.used_if(Use{[&] { return example.options.shuffle; }, "train.shuffle is true"});
  section.add("strength", &strength, "How strong.")
      .used_if({[&] { return width > 2; }, "extra.width is above 2"});
  section.used_if();
  section.add("width", &width, "How wide.");
  EXPECT_EQ(example.schema.remarks(), std::vector<std::string>{}) << "nothing was set";
  example.schema.set("extra.strength=1");
  EXPECT_EQ(example.schema.remarks(), std::vector<std::string>{}) << "it is the default";
  example.schema.set("extra.strength=5");
  EXPECT_EQ(example.schema.remarks(),
            std::vector<std::string>{
                "extra.strength = 5 has no effect: it is used only if extra.width is above 2"});
  example.schema.set("train.shuffle=false");
  EXPECT_EQ(
      example.schema.remarks(),
      std::vector<std::string>{"extra.strength = 5 has no effect: it is used only if train.shuffle is true"});
  example.schema.set("train.shuffle=true");
  example.schema.set("extra.width=3");
  EXPECT_EQ(example.schema.remarks(), std::vector<std::string>{});
}

}  // namespace
}  // namespace hyperdefect::config
