// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/cube_names.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_of(const std::vector<FoundCube>& found) {
  std::vector<std::string> names;
  for (const auto& cube : named(found)) {
    names.push_back(cube.relative.string());
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(CubeNames, LengthenWhereTheyAreTaken) {
  EXPECT_EQ(names_of({{"/none/x/a.img", ""}, {"/none/x/b.img", "day"}}), (Names{"a", "day/b"}));
  EXPECT_EQ(names_of({{"/none/x/a.img", ""}, {"/none/x/a.tif", ""}}), (Names{"a.img", "a.tif"}));
  EXPECT_EQ(names_of({{"/none/x/a.img", ""}, {"/none/y/a.img", ""}}), (Names{"x/a", "y/a"}));
  EXPECT_EQ(names_of({{"/none/x/a.img", ""}, {"/none/y/a.img", ""}, {"/none/z/b.img", "x"}}),
            (Names{"x/a", "y/a", "x/b"}));
  EXPECT_EQ(names_of({{"/none/x/a.img", ""}, {"/none/y/a.img", ""}, {"/none/z/a.img", "x"}}),
            (Names{"none/x/a.img", "y/a", "none/z/a.img"}));
}

TEST(CubeNames, LeaveTheRunItsOwnFiles) {
  EXPECT_EQ(names_of({{"/none/summary.img", ""}}), Names{"summary.img"});
  EXPECT_EQ(names_of({{"/none/summary", ""}}), Names{"none/summary"});
  EXPECT_EQ(names_of({{"/none/day/summary.img", "day"}}), Names{"day/summary"});
  EXPECT_EQ(names_of({{"/none/summary.json/a.img", "summary.json"}}), Names{"a.img"});
  EXPECT_EQ(names_of({{"/none/scores.img", ""}, {"/none/config.img", ""}}), (Names{"scores", "config"}));
}

TEST(CubeNames, LeadDownwards) {
  EXPECT_EQ(names_of({{"/none/a.img", "/none"}, {"/none/b.img", "../../etc"}, {"/none/c.img", "x/../../y"}}),
            (Names{"none/a", "etc/b", "y/c"}));
  EXPECT_EQ(names_of({{"/none/...img", ""}, {"/none/..img", ""}, {"/none/.img", ""}}),
            (Names{"...img", "..img", ".img"}));
}

/// Paths and folders of few and nasty names, so that they meet in every way.
class RandomCubes {
 public:
  explicit RandomCubes(unsigned seed) : random_(seed) {}

  std::vector<FoundCube> next() {
    std::vector<FoundCube> cubes;
    std::set<fs::path> seen;
    for (int i = 0; i < 12; ++i) {
      const FoundCube cube{fs::path("/none") / folder() / file(), folder()};
      if (seen.insert(resolved(cube.path)).second) {
        cubes.push_back(cube);
      }
    }
    return cubes;
  }

 private:
  const char* pick(const std::vector<const char*>& choices) { return choices[random_() % choices.size()]; }

  fs::path folder() {
    fs::path path = pick({"", "/", ".", ".."});
    for (auto parts = random_() % 4; parts > 0; --parts) {
      path /= pick({"a", "b", "..", ".", "a.img", "summary.json", "none", "\xFF\n"});
    }
    return path;
  }

  fs::path file() {
    const std::string name = pick({"a", "b", "summary", "scores", ".", "..", "a.img", "none"});
    return name + (name.starts_with('.') ? ".img" : pick({"", ".img", ".tif"}));
  }

  std::mt19937 random_;
};

TEST(CubeNames, AreDifferentAndBelowTheOutputWhateverTheInputs) {
  RandomCubes cubes(1);
  for (int round = 0; round < 2000; ++round) {
    const auto found = cubes.next();
    std::set<fs::path> names;
    for (const auto& cube : named(found)) {
      const auto& name = cube.relative;
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_TRUE(name.is_relative()) << name;
      EXPECT_FALSE(name.empty());
      EXPECT_TRUE(name.has_filename()) << name;
      EXPECT_NE(name, "summary");
      for (const auto& part : name) {
        EXPECT_TRUE(part != ".." && part != "." && !part.empty()) << name;
      }
      EXPECT_NE(*name.begin(), "summary.json") << name;
    }
    EXPECT_EQ(names.size(), found.size());
  }
}

}  // namespace
}  // namespace hyperdefect::files
