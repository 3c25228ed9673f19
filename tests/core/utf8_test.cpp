// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace hyperdefect {
namespace {

struct Shown {
  std::string_view text;
  std::string_view printable;
};

TEST(Printable, EscapesWhatATerminalWouldObey) {
  using namespace std::string_view_literals;
  for (const auto& [text, expected] : std::vector<Shown>{
           {"scan_07.img", "scan_07.img"},
           {"grün 見本 образец 🙂", "grün 見本 образец 🙂"},
           {"a\\nb", "a\\nb"},
           {"a\nb\rc\td", "a\\nb\\rc\\td"},
           {"\x1b[2J\a\b\x7f", "\\x1b[2J\\x07\\x08\\x7f"},
           {"a\0b"sv, "a\\x00b"},
           {"\u009b31m\u0085", "\\u009b31m\\u0085"},
           {"gpj.\u202egnp", "gpj.\\u202egnp"},
           {"\u2066\u2069\u200f\u061c\u2028\ufeff", "\\u2066\\u2069\\u200f\\u061c\\u2028\\ufeff"},
           {"gr\xfcn", "gr\\xfcn"},
           {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
           {"\xc0\xaf", "\\xc0\\xaf"},
           {"cut \xe2\x82", "cut \\xe2\\x82"},
           {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
           {"", ""}}) {
    EXPECT_EQ(text::printable(text), expected);
  }
}

TEST(ValidUtf8, LeavesTextAndEscapesTheBytesThatAreNone) {
  EXPECT_EQ(text::valid_utf8("grün\n\x1b\u202e"), "grün\n\x1b\u202e");
  EXPECT_EQ(text::valid_utf8("gr\xfcn\xed\xa0\x80."), "gr\\xfcn\\xed\\xa0\\x80.");
}

/// Whatever the bytes, the result is UTF-8, and what is UTF-8 already is not changed.
TEST(ValidUtf8, HoldsForRandomBytes) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (int k = 0; k < 12; ++k) {
      bytes += static_cast<char>(random());
    }
    const auto mended = text::valid_utf8(bytes);
    for (std::size_t at = 0; at < mended.size(); at += text::utf8_length(mended, at)) {
      ASSERT_GT(text::utf8_length(mended, at), 0U) << i;
    }
    EXPECT_EQ(text::valid_utf8(mended), mended);
  }
}

TEST(Shown, IsOneLineInQuotesWhateverTheText) {
  EXPECT_EQ(text::shown("grün"), "'grün'");
  EXPECT_EQ(text::shown(""), "''");
  EXPECT_EQ(text::shown("a\nb\xfc"), "'a\\nb\\xfc'");
  EXPECT_EQ(text::shown(std::string(60, 'a')), "'" + std::string(60, 'a') + "'");
  EXPECT_EQ(text::shown(std::string(61, 'a')), "'" + std::string(60, 'a') + "…'");
}

TEST(Shortened, CutsNoCharacterInHalf) {
  EXPECT_EQ(text::shortened("aü", 3), "aü");
  EXPECT_EQ(text::shortened("aüb", 2), "a…");
  EXPECT_EQ(text::shortened("aüb", 3), "aü…");
  EXPECT_EQ(text::shortened("\xbc\xbc\xbc", 2), "…");
}

TEST(Characters, CountsLettersNotBytes) {
  EXPECT_EQ(text::characters("grün"), 4U);
  EXPECT_EQ(text::characters("見本"), 2U);
  EXPECT_EQ(text::characters("gr\xfcn"), 4U);
  EXPECT_EQ(text::characters(""), 0U);
}

}  // namespace
}  // namespace hyperdefect
