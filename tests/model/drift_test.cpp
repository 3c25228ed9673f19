// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/drift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace hyperdefect::model {
namespace {

constexpr std::size_t kBands = 21;

spectral::Bands bands() {
  spectral::Bands bands{kBands, {}, {}, {}};
  for (std::size_t band = 0; band < kBands; ++band) {
    bands.wavelengths_nm.push_back(500.0 + 10.0 * static_cast<double>(band));
  }
  return bands;
}

double place(std::size_t band) {
  return static_cast<double>(band) / 10 - 1;
}

/// A cube whose brightness varies by 3 %, tilt by 1 %, and the rest by as much as cubes do.
spectral::Bulk cube(std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  spectral::Bulk bulk;
  const double brightness = 0.03 * normal(random);
  const double tilt = 0.01 * normal(random);
  for (std::size_t band = 0; band < kBands; ++band) {
    bulk.log_spectrum.push_back(std::sin(static_cast<double>(band)) + brightness + tilt * place(band) +
                                0.002 * normal(random));
  }
  bulk.noise = -4 + 0.1 * normal(random);
  bulk.brightness_spread = -3 + 0.2 * normal(random);
  bulk.spectrum_spread = -4 + 0.2 * normal(random);
  return bulk;
}

std::vector<spectral::Bulk> cubes(std::size_t count, std::mt19937_64& random) {
  std::vector<spectral::Bulk> bulks;
  for (std::size_t i = 0; i < count; ++i) {
    bulks.push_back(cube(random));
  }
  return bulks;
}

class DriftOfCubes : public ::testing::Test {
 protected:
  Drift drift(const spectral::Bulk& bulk, DriftAdaptation adapt = DriftAdaptation::none) const {
    return drift_of(bulk, reference_, bands(), {0.0001, adapt});
  }

  template <class Change>
  spectral::Bulk changed(Change change) const {
    auto bulk = usual_;
    for (std::size_t band = 0; band < kBands; ++band) {
      bulk.log_spectrum[band] += change(band);
    }
    return bulk;
  }

  void expect_moved(const spectral::Bulk& bulk, const std::string& what) const {
    const auto found = drift(bulk);
    EXPECT_LT(found.p_value, 0.0001) << what;
    EXPECT_NE(found.what.find(what), std::string::npos) << found.what;
  }

  std::mt19937_64 random_{7};
  std::vector<spectral::Bulk> training_ = cubes(12, random_);
  DriftReference reference_ = drift_reference(training_);
  spectral::Bulk usual_ = cube(random_);
};

TEST_F(DriftOfCubes, OfAUsualCubeIsNone) {
  EXPECT_GT(drift(usual_).p_value, 0.01);
  EXPECT_EQ(drift(usual_).what, "");
  for (const auto& bulk : training_) {
    EXPECT_GT(drift(bulk).p_value, 0.01);
  }
}

/// The promise, for few cubes and many.
TEST(Drift, IsRarerThanItsProbability) {
  std::mt19937_64 random(11);
  for (const std::size_t count : {3, 6, 30}) {
    int below = 0;
    constexpr int kTrials = 1500;
    for (int i = 0; i < kTrials; ++i) {
      const auto reference = drift_reference(cubes(count, random));
      below += drift_of(cube(random), reference, bands(), {}).p_value < 0.1 ? 1 : 0;
    }
    // A sixth of it belongs to each of the six features; the shape's distribution is only nearly Student's.
    EXPECT_LT(below, 0.13 * kTrials) << count;
    EXPECT_GT(below, 0.01 * kTrials) << count;
  }
}

TEST_F(DriftOfCubes, NamesWhatMoved) {
  expect_moved(changed([](std::size_t) { return std::log(1.5); }), "brighter by 5");
  expect_moved(changed([](std::size_t) { return std::log(0.6); }), "darker by 4");
  expect_moved(changed([](std::size_t) { return std::log(10000.0); }), "brighter by a factor of 1");
  expect_moved(changed([](std::size_t) { return std::log(10000.0); }), "as if in other units");
  expect_moved(changed([](std::size_t band) { return 0.1 * place(band); }), " % at 700 nm against 500 nm");
  expect_moved(changed([](std::size_t band) { return band == 12 ? -0.2 : 0.0; }),
               "another shape of the spectrum, most at 620 nm (darker by 1");
  auto bulk = usual_;
  bulk.noise = -8;
  expect_moved(bulk, "neighbouring pixels differ less by a factor of ");
  expect_moved(bulk, " (out of focus?)");
  bulk.noise = 0;
  expect_moved(bulk, " (noise?)");
  bulk = usual_;
  bulk.brightness_spread += 3;
  expect_moved(bulk, "brightness varies in the image more by a factor of ");
  bulk = usual_;
  bulk.spectrum_spread += 4;
  expect_moved(bulk, "spectra vary in the image more by a factor of ");
}

TEST_F(DriftOfCubes, OfAnEvenCubeIsNone) {
  auto bulk = usual_;
  bulk.log_spectrum = reference_.log_spectrum;
  bulk.brightness_spread = bulk.spectrum_spread = -12;
  EXPECT_EQ(drift(bulk).what, "");
}

TEST_F(DriftOfCubes, OfSeveralKindsNamesThemAll) {
  auto bulk = changed([](std::size_t) { return 0.5; });
  bulk.noise = -8;
  expect_moved(bulk, "brighter by ");
  expect_moved(bulk, "), ");
  expect_moved(bulk, "out of focus");
}

TEST_F(DriftOfCubes, DoesNotCountWhatIsRemoved) {
  const auto brighter = changed([](std::size_t) { return 0.5; });
  const auto tilted = changed([](std::size_t band) { return 0.5 + 0.2 * place(band); });
  const auto other = changed([](std::size_t band) { return 0.5 + 0.2 * place(band) * place(band); });
  using enum DriftAdaptation;
  EXPECT_EQ(drift(brighter, gain).what, "");
  EXPECT_NE(drift(tilted, gain).what, "");
  EXPECT_EQ(drift(tilted, gain_tilt).what, "");
  EXPECT_NE(drift(other, gain_tilt).what, "");
  EXPECT_EQ(drift(other, mean).what, "");
  const auto units = changed([](std::size_t) { return std::log(4.0); });
  for (const auto adapt : {gain, gain_tilt, mean}) {
    EXPECT_NE(drift(units, adapt).what.find("brighter"), std::string::npos) << "too much to be removed";
  }
}

TEST_F(DriftOfCubes, IsRemovedByItsFactors) {
  const auto after = [&](const spectral::Bulk& bulk, DriftAdaptation adapt) {
    const auto factors = adapting_factors(bulk, reference_, adapt);
    auto removed = bulk;
    for (std::size_t band = 0; band < kBands; ++band) {
      removed.log_spectrum[band] += std::log(factors[band]);
    }
    return removed;
  };
  const auto tilted = changed([](std::size_t band) { return 0.5 + 0.2 * place(band); });
  using enum DriftAdaptation;
  EXPECT_EQ(drift(after(tilted, gain_tilt)).what, "");
  EXPECT_EQ(drift(after(tilted, mean)).what, "");
  EXPECT_NE(drift(after(tilted, gain)).what, "");
  EXPECT_EQ(after(tilted, mean).log_spectrum.size(), kBands);
  for (std::size_t band = 0; band < kBands; ++band) {
    EXPECT_NEAR(after(tilted, mean).log_spectrum[band], reference_.log_spectrum[band], 1e-12);
  }
  EXPECT_EQ(adapting_factors(tilted, reference_, none), std::vector<double>(kBands, 1.0));
  const auto units = changed([](std::size_t) { return std::log(4.0); });
  EXPECT_EQ(adapting_factors(units, reference_, mean), std::vector<double>(kBands, 1.0));
}

TEST_F(DriftOfCubes, CanBeMeasuredAnewFromTheSameSpectrum) {
  auto brighter = training_;
  for (auto& bulk : brighter) {
    for (auto& value : bulk.log_spectrum) {
      value += 0.5;
    }
  }
  const auto anew = drift_reference(brighter, reference_.log_spectrum);
  EXPECT_EQ(anew.log_spectrum, reference_.log_spectrum);
  EXPECT_NEAR(anew.mean[0], 0.5, 1e-9);
  EXPECT_NE(drift(brighter[0]).what, "");
  EXPECT_EQ(drift_of(brighter[0], anew, bands(), {}).what, "");
}

TEST(Drift, OfEqualCubesAllowsRounding) {
  std::mt19937_64 random(3);
  const std::vector<spectral::Bulk> same(5, cube(random));
  const auto reference = drift_reference(same);
  auto bulk = same[0];
  bulk.log_spectrum[3] += 1e-7;
  bulk.noise += 1e-3;
  EXPECT_EQ(drift_of(bulk, reference, bands(), {}).what, "");
}

TEST_F(DriftOfCubes, LimitsAreWhatMovesACube) {
  const auto words = limits_in_words(reference_, 0.0001);
  EXPECT_NE(words.find(" % in brightness, "), std::string::npos) << words;
  const double percent = std::stod(words);
  const auto at = [&](double brightness) {
    spectral::Bulk bulk = training_[0];
    bulk.log_spectrum = reference_.log_spectrum;
    for (auto& value : bulk.log_spectrum) {
      value += std::log1p(brightness);
    }
    return drift(bulk).what;
  };
  EXPECT_EQ(at(percent / 100 * 0.9), "");
  EXPECT_NE(at(percent / 100 * 1.1).find("brighter"), std::string::npos) << words;
}

}  // namespace
}  // namespace hyperdefect::model
