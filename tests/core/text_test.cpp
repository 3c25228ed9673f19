// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

namespace hyperdefect {
namespace {

/// Groups digits, as the locale of a host program may do.
class GroupedDigits : public std::numpunct<char> {
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(Text, CatWritesItsArgumentsOneAfterTheOther) {
  EXPECT_EQ(text::concat("band ", 3, ": ", 0.5, 'x', std::string("y")), "band 3: 0.5xy");
}

TEST(Text, CatDoesNotFollowTheGlobalLocale) {
  const auto before = std::locale::global(std::locale(std::locale::classic(), new GroupedDigits));
  const auto written = text::concat(1234567);
  std::locale::global(before);
  EXPECT_EQ(written, "1234567");
}

TEST(Text, JoinPutsTheSeparatorBetween) {
  EXPECT_EQ(text::join({}, ", "), "");
  EXPECT_EQ(text::join({"a"}, ", "), "a");
  EXPECT_EQ(text::join({"a", "", "b"}, ", "), "a, , b");
}

TEST(Text, TrimmedLosesBlanksAtBothEndsOnly) {
  EXPECT_EQ(text::trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(text::trimmed("a"), "a");
  EXPECT_EQ(text::trimmed(" \n\v\f"), "");
  EXPECT_EQ(text::trimmed(""), "");
}

TEST(Text, LowerTouchesAsciiLettersOnly) {
  EXPECT_EQ(text::lower("AbZ[@\xc3\x84"), "abz[@\xc3\x84");
  EXPECT_TRUE(text::ends_with_ignoring_case("SCENE.HDR", ".hdr"));
  EXPECT_TRUE(text::ends_with_ignoring_case("scene.hdr", ""));
  EXPECT_FALSE(text::ends_with_ignoring_case("hdr", ".hdr"));
}

TEST(Text, NumbersAreShort) {
  EXPECT_EQ(text::to_text(0.1), "0.1");
  EXPECT_EQ(text::to_text(3.0), "3");
  EXPECT_EQ(text::to_text(-2.5e-7), "-2.5e-07");
  EXPECT_EQ(text::to_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(text::to_text(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(text::to_text(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(text::to_text(std::copysign(std::numeric_limits<double>::quiet_NaN(), -1.0)), "nan");
}

TEST(Text, NumbersReadBackEqual) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) {
      ASSERT_EQ(std::strtod(text::to_text(value).c_str(), nullptr), value);
    }
  }
}

TEST(Text, CountedKnowsThePlural) {
  EXPECT_EQ(text::pluralise(0, "band"), "0 bands");
  EXPECT_EQ(text::pluralise(1, "band"), "1 band");
  EXPECT_EQ(text::pluralise(2, "band"), "2 bands");
}

TEST(Text, NearestFindsWhatWasMeant) {
  const std::vector<std::string> keys{"bands", "epochs", "min_wavelength_nm", "max_wavelength_nm"};
  EXPECT_EQ(text::closest_match("bandz", keys), "bands");
  EXPECT_EQ(text::closest_match("BANDS", keys), "bands");
  EXPECT_EQ(text::closest_match("epcohs", keys), "epochs");
  EXPECT_EQ(text::closest_match("max_wavelength", keys), "max_wavelength_nm");
  EXPECT_EQ(text::closest_match("mn_wavelength_nm", keys), "min_wavelength_nm");
}

TEST(Text, NearestIsSilentWhereNothingIsNear) {
  EXPECT_EQ(text::closest_match("learning_rate", {"bands", "epochs"}), "");
  EXPECT_EQ(text::closest_match("sad", {"far", "rx"}), "");
  EXPECT_EQ(text::closest_match("x", {"a"}), "");
  EXPECT_EQ(text::closest_match("", {"a", "bb"}), "");
  EXPECT_EQ(text::closest_match("bands", {}), "");
}

TEST(Text, NearestTakesTheFirstOfEquals) {
  EXPECT_EQ(text::closest_match("band", {"bands", "bandz"}), "bands");
}

}  // namespace
}  // namespace hyperdefect
