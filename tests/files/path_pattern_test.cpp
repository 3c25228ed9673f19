// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/path_pattern.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ostream>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::files {
namespace {

using test::TempDir;
using test::write_bytes;

using Texts = std::vector<std::string>;

struct BraceCase {
  std::string pattern;
  Texts texts;
};

void PrintTo(const BraceCase& c, std::ostream* stream) {
  *stream << c.pattern;
}

class Braces : public ::testing::TestWithParam<BraceCase> {};

TEST_P(Braces, StandForTheirAlternatives) {
  EXPECT_EQ(expand_braces(GetParam().pattern), GetParam().texts);
}

INSTANTIATE_TEST_SUITE_P(
    Patterns, Braces,
    ::testing::Values(BraceCase{"", {""}}, BraceCase{"a*.img", {"a*.img"}}, BraceCase{"{a,b}", {"a", "b"}},
                      BraceCase{"x{a,b}y{1,2}z", {"xay1z", "xay2z", "xby1z", "xby2z"}},
                      BraceCase{"{a,{b,c}d}e", {"ae", "bde", "cde"}}, BraceCase{"{,a}", {"", "a"}},
                      BraceCase{"{a}", {"{a}"}}, BraceCase{"{}", {"{}"}},
                      BraceCase{"{{a,b}}", {"{a}", "{b}"}}, BraceCase{"{a,b", {"{a,b"}},
                      BraceCase{"a,b}", {"a,b}"}}, BraceCase{"{a,{b,c}", {"{a,b", "{a,c"}},
                      BraceCase{"\\{a,b}", {"\\{a,b}"}}, BraceCase{"{a\\,b,c}", {"a\\,b", "c"}},
                      BraceCase{"{1..3}", {"{1..3}"}}));

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

TEST(PathPattern, RefusesTooManyAlternativesBeforeItMakesThem) {
  const auto start = std::chrono::steady_clock::now();
  for (const auto& pattern : {repeated("{a,b}", 10), repeated("{a,b}", 30), repeated("{,}", 5000),
                              text::concat("{", repeated("x,", 1000), "x}"),
                              text::concat("{", repeated("{a,b}", 20), ",", repeated("{a,b}", 20), "}")}) {
    HYPERDEFECT_EXPECT_ERROR(expand_braces(pattern), InputError,
                             "the braces stand for more than 1000 patterns");
  }
  HYPERDEFECT_EXPECT_ERROR(expand_braces(repeated("{a,", 33) + "a" + repeated("}", 33)), InputError,
                           "braces are nested more than 32 deep");
  HYPERDEFECT_EXPECT_ERROR(expand_braces(std::string(16385, 'x')), InputError, "a pattern of 16385 bytes");
  EXPECT_EQ(expand_braces(repeated("{", 16384)).size(), 1U);
  EXPECT_EQ(expand_braces(repeated("{}", 8192)).size(), 1U);
  EXPECT_EQ(expand_braces(text::concat("{", repeated("x,", 999), "x}")).size(), 1000U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(PathPattern, FindsTheFixedPart) {
  EXPECT_EQ(fixed_part("/data/day*/scan.img"), "/data");
  EXPECT_EQ(fixed_part("day?/x"), "");
  EXPECT_EQ(fixed_part("../x/*.img"), "../x");
  EXPECT_EQ(fixed_part("a/b.img"), "a");
}

class Matches : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"b1/x.img", "b2/x.img", "b2/.h.img", "a.img", "w[1].img"}) {
      write_bytes(dir_ / name, "");
    }
  }

  Texts names(const std::string& pattern) const {
    Texts found;
    for (const auto& path : matches(pattern, dir_.path(), [] {})) {
      found.push_back(path.lexically_relative(dir_.path()).string());
    }
    return found;
  }

  TempDir dir_;
};

TEST_F(Matches, AreSortedAndBelowTheStart) {
  EXPECT_EQ(names("*"), (Texts{"a.img", "b1", "b2", "w[1].img"}));
  EXPECT_EQ(names("b?/*.img"), (Texts{"b1/x.img", "b2/x.img"}));
  EXPECT_EQ(names("b[2-9]/.*.img"), Texts{"b2/.h.img"});
  EXPECT_EQ(names("w\\[*"), Texts{"w[1].img"});
  EXPECT_EQ(names("b2/../a.img"), Texts{"b2/../a.img"});
  EXPECT_EQ(names("none/*"), Texts{});
  EXPECT_EQ(names("a.img/*"), Texts{});
  EXPECT_EQ(names((dir_ / "b1/*").string()), Texts{"b1/x.img"});
  HYPERDEFECT_EXPECT_ERROR(names("**/x.img"), InputError, "**/x.img: ** is not supported; name the folder");
}

TEST_F(Matches, TakeTimeInProportionWhateverLinksThereAre) {
  for (int i = 0; i < 10; ++i) {
    std::filesystem::create_symlink(".", dir_ / ("again" + std::to_string(i)));
  }
  std::size_t steps = 0;
  const auto found = matches(repeated("*/", 20) + "x.img", dir_.path(), [&] { ++steps; });
  EXPECT_LE(found.size(), 2U);
  EXPECT_LT(steps, 2000U);
}

TEST_F(Matches, OfManyStarsTakeNoLongerThanAFewStars) {
  write_bytes(dir_ / std::string(200, 'a'), "");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(names(repeated("*a", 60) + "*b"), Texts{});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace hyperdefect::files
