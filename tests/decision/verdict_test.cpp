// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/decision/verdict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "hyperdefect/format/pixel_state.h"

namespace hyperdefect::decision {
namespace {

using format::PixelState;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// One letter a pixel: o outside of the region, . valid, n no data, x not finite, s saturated, 0 all zero, ?
/// not read.
torch::Tensor states_of(const std::vector<std::string>& picture) {
  const std::map<char, PixelState> letters{{'.', PixelState::valid},      {'n', PixelState::no_data},
                                           {'x', PixelState::not_finite}, {'s', PixelState::saturated},
                                           {'0', PixelState::zero},       {'?', PixelState::unread},
                                           {'o', PixelState::outside}};
  const auto rows = static_cast<std::int64_t>(picture.size());
  const auto cols = static_cast<std::int64_t>(picture.front().size());
  auto states = torch::empty({rows, cols}, torch::kByte);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t col = 0; col < cols; ++col) {
      states[row][col] = static_cast<std::uint8_t>(
          letters.at(picture[static_cast<std::size_t>(row)][static_cast<std::size_t>(col)]));
    }
  }
  return states;
}

/// A cube without defects whose pixels are in these states; islands count from 2 pixels on, shares do not.
Evidence evidence_of(const std::vector<std::string>& picture) {
  Evidence evidence;
  evidence.states = states_of(picture);
  evidence.valid = evidence.states.eq(0);
  evidence.score = torch::ones(evidence.states.sizes()).masked_fill(evidence.valid.logical_not(), NAN);
  evidence.threshold = 2.0;
  evidence.min_pixels = 2;
  evidence.min_valid_share = 0.0;
  return evidence;
}

void expect(const Evidence& evidence, Verdict verdict, const std::string& reason) {
  const auto judgement = judgement_of(evidence);
  EXPECT_EQ(to_string(judgement.verdict), to_string(verdict)) << judgement.reason;
  EXPECT_NE(judgement.reason.find(reason), std::string::npos) << judgement.reason;
  EXPECT_EQ(judgement.reason.empty(), verdict == Verdict::accepted) << judgement.reason;
}

TEST(Verdict, AcceptsWhereNothingSpeaksAgainstIt) {
  expect(evidence_of({"....", "...."}), Verdict::accepted, "");
}

TEST(Verdict, OfACubeOfOneSpectrumIsUndecided) {
  auto evidence = evidence_of({"....", "...."});
  evidence.common_share = 0.98;
  expect(evidence, Verdict::accepted, "");
  evidence.common_share = 1;
  expect(evidence, Verdict::undecided, "nearly all pixels hold the same spectrum");
}

TEST(Verdict, NamesAreReadBack) {
  for (const auto verdict : {Verdict::accepted, Verdict::rejected, Verdict::undecided, Verdict::none}) {
    EXPECT_EQ(verdict_named(to_string(verdict)), verdict);
  }
  EXPECT_EQ(verdict_named("good"), Verdict::none);
}

TEST(Verdict, RejectsForADefectWhateverIsMissing) {
  auto evidence = evidence_of({"......", "..ss..", "......"});
  evidence.defects = 3;
  expect(evidence, Verdict::rejected, "3 defects; 1 island of missing pixels");
  evidence = evidence_of({"..", ".."});
  evidence.defects = 1;
  EXPECT_EQ(judgement_of(evidence).reason, "1 defect");
}

struct Picture {
  const char* what;
  std::vector<std::string> pixels;
  /// "" where there is no island.
  const char* island;
};

class Islands : public ::testing::TestWithParam<Picture> {};

TEST_P(Islands, AreFound) {
  const auto& picture = GetParam();
  const std::string island = picture.island;
  expect(evidence_of(picture.pixels), island.empty() ? Verdict::accepted : Verdict::undecided, island);
}

INSTANTIATE_TEST_SUITE_P(
    Verdict, Islands,
    ::testing::Values(
        Picture{"saturated",
                {".....", "..ss.", "....."},
                "1 island of missing pixels inside the image, the largest with 2 pixels at row 1, column 2 "
                "(saturated)"},
        Picture{"zero", {".....", "..00.", "....."}, "(all zero)"},
        Picture{"not finite", {".....", "..xx.", "....."}, "(not finite)"},
        Picture{"never read", {".....", "..??.", "....."}, "(not read)"},
        Picture{"of several kinds", {".....", "..sx.", "....."}, "with 2 pixels"},
        Picture{"joined by a corner", {".....", "..s..", ".x...", "....."}, "with 2 pixels"},
        Picture{"the largest is named",
                {"........", ".ss.000.", "........"},
                "2 islands of missing pixels inside the image, the largest with 3 pixels at row 1, column 4 "
                "(all zero)"},
        Picture{"too small", {".....", "..s..", "....."}, ""},
        Picture{"two that are too small", {".......", ".s...s.", "......."}, ""},
        Picture{"declared no data", {".....", ".nnn.", "....."}, ""},
        Picture{"at each border", {"ss..ss", "......", "s....s", "s....s", "......", "ss..ss"}, ""},
        Picture{"at the border by one pixel", {"..s..", "..s..", "....."}, ""},
        Picture{"beside no data at the border", {"nnnnn", "nnnnn", "..ss.", "....."}, "(saturated)"},
        Picture{"saturated beside zeros at the border", {"00000", "00000", "..ss.", "....."}, "(saturated)"},
        Picture{"zeros beside zeros at the border", {"00000", "0000.", "..00.", "....."}, ""},
        Picture{"a dead column", {"..0..", "..0..", "..0.."}, ""},
        Picture{"two dead columns beside each other", {".0s..", ".0s..", ".0s.."}, ""},
        Picture{"a lost row", {".....", "00000", "....."}, ""},
        Picture{"a dead column under no data", {"nnnnn", "..0..", "..0..", "nnnnn"}, ""},
        Picture{"a column that is not all dead", {".....", "..0..", "..0..", "....."}, "(all zero)"},
        Picture{"what a dead column joins to the border",
                {"...0...", ".000...", "...0..."},
                "with 2 pixels at row 1, column 1"},
        Picture{"what a dead column cuts in two",
                {"...0...", "..s0s..", "...0..."},
                "with 2 pixels at row 1, column 2"},
        Picture{
            "what a lost row cuts in two", {".....", "..x..", "00000", "..x..", "....."}, "with 2 pixels"},
        Picture{"nothing but dead columns", {"00", "00"}, ""}),
    [](const auto& test) {
      std::string name = test.param.what;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

TEST(Verdict, CountsAnIslandFromTheSmallestDefectOn) {
  auto evidence = evidence_of({".....", ".sss.", "....."});
  for (const auto& [min_pixels, verdict] :
       {std::pair{1, Verdict::undecided}, std::pair{3, Verdict::undecided},
        std::pair{4, Verdict::accepted}}) {
    evidence.min_pixels = min_pixels;
    EXPECT_EQ(judgement_of(evidence).verdict, verdict) << min_pixels;
  }
}

TEST(Verdict, NeedsTheShareOfValidPixelsThatTrainingHad) {
  auto evidence = evidence_of({"nnn.......", "..........", "..........", ".........."});
  evidence.min_valid_share = 0.95;
  expect(evidence, Verdict::undecided,
         "only 92.5 % of the pixels are valid, but 95 % are needed (data.min_valid_share)");
  evidence.reference.share = 0.925;
  expect(evidence, Verdict::accepted, "");
  evidence.reference.share = 1.0;
  evidence.min_valid_share = 0.925;
  expect(evidence, Verdict::accepted, "");
  evidence.min_valid_share = 0.926;
  expect(evidence, Verdict::undecided, "only 92.5 % of the pixels are valid, but 92.6 % are needed");
  EXPECT_EQ(valid_share_of(evidence.states), 0.925);
}

TEST(Verdict, OfASceneLeavesOutTheEdgeOfAFlightLine) {
  for (const std::string fill : {"n", "0", "x"}) {
    std::vector<std::string> picture{"FFFF......", "FFF.......", "FF.....FFF", ".......FFF"};
    for (auto& line : picture) {
      std::replace(line.begin(), line.end(), 'F', fill.front());
    }
    auto evidence = evidence_of(picture);
    evidence.min_valid_share = 1.0;
    EXPECT_EQ(judgement_of(evidence).verdict, Verdict::undecided) << fill;
    evidence.reference.border_excused = true;
    EXPECT_EQ(judgement_of(evidence).verdict, Verdict::accepted) << fill << judgement_of(evidence).reason;
  }
}

TEST(Verdict, OfASceneCountsWhatIsMissingInside) {
  auto evidence = evidence_of({"n.........", "....nn....", ".........."});
  evidence.reference.border_excused = true;
  evidence.min_valid_share = 0.95;
  expect(evidence, Verdict::undecided,
         "only 93.1 % of the pixels inside the scene are valid, but 95 % are needed");
  evidence = evidence_of({"s.........", "s.........", ".........."});
  evidence.reference.border_excused = true;
  evidence.min_valid_share = 0.95;
  expect(evidence, Verdict::undecided, "only 93.33 % of the pixels inside the scene");
}

TEST(Verdict, IsNeverAcceptedWithoutFiniteNumbers) {
  for (const double threshold : {std::nan(""), kInfinity, -kInfinity}) {
    auto evidence = evidence_of({"..", ".."});
    evidence.threshold = threshold;
    expect(evidence, Verdict::undecided, "the threshold is ");
  }
  for (const double score : {std::nan(""), kInfinity, -kInfinity}) {
    auto evidence = evidence_of({"..", "n."});
    evidence.score[0][1] = score;
    expect(evidence, Verdict::undecided, "the score of 1 valid pixel is not finite");
  }
}

TEST(Verdict, CountsPixelsThatTheDetectorLeftOutAsMissing) {
  auto evidence = evidence_of({"....", "...."});
  evidence.valid[0][0] = false;
  evidence.min_valid_share = 0.95;
  expect(evidence, Verdict::undecided, "only 87.5 % of the pixels are valid");
}

TEST(Verdict, CountsNothingOutsideOfTheRegion) {
  auto evidence = evidence_of({"oooooo", "oo..oo", "oo..oo", "oooooo"});
  evidence.min_valid_share = 1;
  expect(evidence, Verdict::accepted, "");
  EXPECT_EQ(valid_share_of(evidence.states), 1);
  EXPECT_NEAR(region_share_of(evidence.states), 4.0 / 24, 1e-12);
  EXPECT_EQ(valid_share_of(states_of({"oo"})), 0);
}

TEST(Verdict, ComparesTheShareOfTheRegion) {
  auto evidence = evidence_of({"oooooo", "o....o", "on...o", "oooooo"});
  EXPECT_EQ(valid_share_of(evidence.states), 7.0 / 8);
  evidence.min_valid_share = 0.9;
  expect(evidence, Verdict::undecided, "only 87.5 % of the pixels are valid, but 90 % are needed");
  evidence.reference.border_excused = true;
  expect(evidence, Verdict::accepted, "");
}

TEST(Verdict, ExcusesMissingPixelsAtTheRegionsBorderButNotSaturatedOnes) {
  expect(evidence_of({"oooooooo", "o......o", "o00....o", "o......o", "oooooooo"}), Verdict::accepted, "");
  expect(
      evidence_of({"oooooooo", "o......o", "o..00..o", "o......o", "oooooooo"}), Verdict::undecided,
      "1 island of missing pixels inside the image, the largest with 2 pixels at row 2, column 3 (all zero)");
  expect(evidence_of({"oooooooo", "o......o", "oss....o", "o......o", "oooooooo"}), Verdict::undecided,
         "2 pixels at row 2, column 1 (saturated)");
}

}  // namespace
}  // namespace hyperdefect::decision
