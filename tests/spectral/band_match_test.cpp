// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/band_match.h"

#include <gtest/gtest.h>

#include <string>

#include "hyperdefect/core/error.h"

namespace hyperdefect::spectral {
namespace {

using Indices = std::vector<std::int64_t>;

Bands at_nm(std::vector<double> wavelengths_nm) {
  const auto count = static_cast<std::int64_t>(wavelengths_nm.size());
  return {count, std::move(wavelengths_nm), {}, {}};
}

Bands unknown(std::int64_t count) {
  return {count, {}, {}, {}};
}

/// (bands, 1, 1)
torch::Tensor pixel(std::initializer_list<float> values) {
  return torch::tensor(std::vector<float>(values)).view({-1, 1, 1});
}

template <class Expected, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Expected& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(MatchBands, TakesTheNearestWithinTheTolerance) {
  const auto match = match_bands(at_nm({400, 410, 420.4, 430}), at_nm({420, 400.5}), 0.5, false);
  EXPECT_TRUE(match.exact());
  EXPECT_EQ(match.lower, (Indices{2, 0}));
  EXPECT_TRUE(apply(match, pixel({1, 2, 3, 4})).equal(pixel({3, 1})));
}

TEST(MatchBands, LooksOnBothSides) {
  EXPECT_EQ(match_bands(at_nm({400, 410}), at_nm({404}), 10, false).lower, (Indices{0}));
  EXPECT_EQ(match_bands(at_nm({400, 410}), at_nm({406}), 10, false).lower, (Indices{1}));
  EXPECT_EQ(match_bands(at_nm({400, 410}), at_nm({399}), 10, false).lower, (Indices{0}));
  EXPECT_EQ(match_bands(at_nm({400, 410}), at_nm({411}), 10, false).lower, (Indices{1}));
}

TEST(MatchBands, DoesNotMindTheOrderOfTheCube) {
  // Two detectors that overlap, the second one stored backwards.
  const auto match = match_bands(at_nm({400, 410, 420, 425, 415, 405}), at_nm({405, 410, 415}), 0.1, false);
  EXPECT_EQ(match.lower, (Indices{5, 1, 4}));
}

/// Two detectors that measure the same wavelength, or wavelengths that were rounded.
TEST(MatchBands, TellsBandsOfOneWavelengthApartByTheirOrder) {
  for (const auto& wavelengths : std::vector<std::vector<double>>{
           {400, 410, 410, 420}, {400, 400, 400, 400}, {400, 400, 401, 401}, {420, 410, 410, 400}}) {
    EXPECT_EQ(match_bands(at_nm(wavelengths), at_nm(wavelengths), 2, true).lower, (Indices{0, 1, 2, 3}));
  }
  EXPECT_EQ(match_bands(at_nm({410, 400, 410}), at_nm({410, 410, 400}), 2, false).lower, (Indices{0, 2, 1}));
  EXPECT_EQ(match_bands(at_nm({400, 410, 410}), at_nm({410}), 2, false).lower, (Indices{1}));
  const auto message = message_of<ModelError>([] {
    match_bands(at_nm({400, 410}), at_nm({400, 410, 410}), 2, true);
  });
  EXPECT_NE(message.find("the cube lacks 1 band of the model: 410 nm"), std::string::npos) << message;
}

TEST(MatchBands, InterpolatesLinearlyWhereAsked) {
  const auto match = match_bands(at_nm({400, 410, 420}), at_nm({402.5, 410, 419}), 0.5, true);
  EXPECT_FALSE(match.exact());
  EXPECT_EQ(match.lower, (Indices{0, 1, 1}));
  EXPECT_EQ(match.upper, (Indices{1, 1, 2}));
  const auto matched = apply(match, pixel({1, 2, 12}));
  EXPECT_LT((matched - pixel({1.25F, 2, 11})).abs().max().item<float>(), 1e-6F);
}

TEST(MatchBands, NamesTheBandsWithoutPartner) {
  EXPECT_EQ(message_of<ModelError>([] {
              match_bands(at_nm({400, 410}), at_nm({400, 405, 410, 900.25}), 1, false);
            }),
            "the cube lacks 2 bands of the model: 405 nm, 900.25 nm; it has 2 bands from 400 to 410 nm, but "
            "each band of the model needs one within 1 nm; raise preprocess.wavelength_tolerance_nm or set "
            "preprocess.interpolate");
  EXPECT_EQ(message_of<ModelError>([] {
              match_bands(at_nm({400, 410}), at_nm({390, 405}), 1, true);
            }),
            "the cube lacks 1 band of the model: 390 nm; it has 2 bands from 400 to 410 nm, but each band of "
            "the model needs one within 1 nm or one on each side");
}

TEST(MatchBands, NamesOnlyTheFirstOfManyBands) {
  const auto message = message_of<ModelError>([] {
    match_bands(at_nm({400}), at_nm({1, 2, 3, 4, 5, 6, 7}), 0, false);
  });
  EXPECT_NE(message.find("lacks 7 bands of the model: 1 nm, 2 nm, 3 nm, 4 nm, 5 nm, …;"), std::string::npos)
      << message;
}

TEST(MatchBands, GoesByOrderWithoutWavelengths) {
  const auto match = match_bands(unknown(3), unknown(3), 1, false);
  const auto values = pixel({1, 2, 3});
  EXPECT_TRUE(apply(match, values).is_same(values));
  EXPECT_EQ(match_bands(unknown(2), at_nm({400, 410}), 1, false).lower, (Indices{0, 1}));
}

TEST(MatchBands, NeedsEqualCountsWithoutWavelengths) {
  EXPECT_EQ(message_of<ModelError>([] {
              match_bands(unknown(3), at_nm({400, 410}), 1, true);
            }),
            "the cube has 3 bands and the model 2, and the cube states no wavelengths to match them by: give "
            "a cube "
            "with the model's bands, or state the wavelengths in its header");
  EXPECT_NE(message_of<ModelError>([] {
              match_bands(at_nm({400}), unknown(2), 1, true);
            }).find("the model states no"),
            std::string::npos);
}

TEST(MatchBands, AppliesToItsCubeOnly) {
  const auto match = match_bands(unknown(3), unknown(3), 1, false);
  EXPECT_THROW(apply(match, torch::zeros({4, 2, 2})), c10::Error);
}

TEST(UsableBands, AreAllByDefault) {
  EXPECT_EQ(usable_bands(unknown(3), {}), (Indices{0, 1, 2}));
  EXPECT_EQ(usable_bands(at_nm({400, 410}), {}), (Indices{0, 1}));
}

TEST(UsableBands, LeaveOutWhatTheCubeMarksAsBad) {
  auto bands = unknown(3);
  bands.good = {true, false, true};
  EXPECT_EQ(usable_bands(bands, {}), (Indices{0, 2}));
  BandSelection selection;
  selection.use_bad_band_list = false;
  EXPECT_EQ(usable_bands(bands, selection), (Indices{0, 1, 2}));
}

TEST(UsableBands, LeaveOutRangesBothEndsIncluded) {
  BandSelection selection;
  selection.min_wavelength_nm = 410;
  selection.max_wavelength_nm = 460;
  selection.drop_ranges_nm = {420, 430, 450, 450};
  selection.drop_bands = {4};
  EXPECT_EQ(usable_bands(at_nm({400, 410, 420, 430, 435, 440, 450, 460, 470}), selection),
            (Indices{1, 5, 7}));
}

TEST(UsableBands, NeedWavelengthsToSelectByThem) {
  BandSelection selection;
  selection.max_wavelength_nm = 900;
  EXPECT_EQ(message_of<InputError>([&] { usable_bands(unknown(3), selection); }),
            "the configuration leaves out bands by wavelength, but the cube states no wavelengths: state "
            "them in its "
            "header, or use preprocess.drop_bands");
}

TEST(UsableBands, RefuseRangesThatAreNone) {
  BandSelection selection;
  selection.drop_ranges_nm = {420, 430, 450};
  EXPECT_EQ(message_of<ConfigError>([&] { usable_bands(at_nm({400}), selection); }),
            "preprocess.drop_ranges_nm holds 3 numbers: give pairs of a first and a last wavelength");
  selection.drop_ranges_nm = {430, 420};
  EXPECT_EQ(message_of<ConfigError>([&] { usable_bands(at_nm({400}), selection); }),
            "preprocess.drop_ranges_nm holds the range 430 to 420: the first must not be above the last");
}

TEST(UsableBands, RefuseBandsThatTheCubeLacks) {
  BandSelection selection;
  selection.drop_bands = {3};
  EXPECT_EQ(message_of<InputError>([&] { usable_bands(unknown(3), selection); }),
            "preprocess.drop_bands holds 3, but the cube's bands are 0 to 2: correct the list (bands count "
            "from 0)");
}

TEST(UsableBands, MustLeaveSomething) {
  BandSelection selection;
  selection.drop_bands = {0, 1};
  EXPECT_EQ(message_of<InputError>([&] { usable_bands(unknown(2), selection); }),
            "no band is left of the cube's 2: check its bad band list (bbl) and the wavelengths in section "
            "preprocess");
}

TEST(Select, TakesEveryAttributeAlong) {
  const Bands bands{3, {400, 410, 420}, {5, 6, 7}, {true, false, true}};
  EXPECT_EQ(select(bands, {2, 1}), (Bands{2, {420, 410}, {7, 6}, {true, false}}));
  EXPECT_EQ(select(unknown(3), {0}), unknown(1));
  EXPECT_THROW(select(bands, {3}), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::spectral
