// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/synthetic/synthetic_scene.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "hyperdefect/core/error.h"
#include "hyperdefect/spectral/angle.h"

namespace hyperdefect::synthetic {
namespace {

SceneOptions small_scene() {
  SceneOptions options;
  options.rows = 40;
  options.cols = 50;
  options.bands = 20;
  options.implants.defects = 5;
  options.seed = 7;
  return options;
}

spectral::Bands forty_bands() {
  spectral::Bands bands;
  bands.count = 40;
  for (int i = 0; i < 40; ++i) {
    bands.wavelengths_nm.push_back(500 + 10 * i);
  }
  return bands;
}

/// Defects of one kind in a flat cube (40, 64, 64) of this brightness.
Implanted implanted(DefectKind kind, ImplantOptions options = {}, double brightness = 1.0) {
  options.kinds = {kind};
  auto generator = at::detail::createCPUGenerator(3);
  return implant(torch::full({40, 64, 64}, brightness), forty_bands(), options, generator);
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(MakeScene, HasTheShapeThatWasAskedFor) {
  const auto scene = make_scene(small_scene());
  EXPECT_EQ(scene.values.sizes(), (std::vector<std::int64_t>{20, 40, 50}));
  EXPECT_EQ(scene.values.scalar_type(), torch::kFloat);
  EXPECT_EQ(scene.mask.sizes(), (std::vector<std::int64_t>{40, 50}));
  EXPECT_EQ(scene.mask.scalar_type(), torch::kBool);
  EXPECT_EQ(scene.bands.count, 20);
  EXPECT_EQ(scene.bands.wavelengths_nm.front(), 400);
  EXPECT_EQ(scene.bands.wavelengths_nm.back(), 1000);
  EXPECT_GT(scene.values.mean().item<double>(), 0.02);
  EXPECT_LT(scene.values.mean().item<double>(), 1.0);
}

TEST(MakeScene, IsTheSameForTheSameSeedOnly) {
  auto options = small_scene();
  const auto scene = make_scene(options);
  const auto again = make_scene(options);
  EXPECT_TRUE(scene.values.equal(again.values));
  EXPECT_TRUE(scene.mask.equal(again.mask));
  options.seed = 8;
  EXPECT_FALSE(scene.values.equal(make_scene(options).values));
}

TEST(MakeScene, DoesNotTouchTheGlobalRandomNumbers) {
  torch::manual_seed(1);
  const auto expected = torch::rand({3});
  torch::manual_seed(1);
  make_scene(small_scene());
  EXPECT_TRUE(torch::rand({3}).equal(expected));
}

TEST(MakeScene, HoldsNoDefectsWhereNoneAreWanted) {
  auto options = small_scene();
  options.implants.defects = 0;
  const auto scene = make_scene(options);
  EXPECT_FALSE(scene.mask.any().item<bool>());
  EXPECT_EQ(scene.abundance.max().item<float>(), 0.0F);
}

TEST(MakeScene, VariesSlowlyOverTheImage) {
  auto options = small_scene();
  options.noise = 0;
  options.implants.defects = 0;
  const auto values = make_scene(options).values;
  const auto near =
      spectral::spectral_angle_map(values.slice(2, 1), values.slice(2, 0, -1)).mean().item<double>();
  const auto far =
      spectral::spectral_angle_map(values.slice(2, 25), values.slice(2, 0, 25)).mean().item<double>();
  EXPECT_GT(far, 3 * near);
}

TEST(MakeScene, AddsTheNoiseThatWasAskedFor) {
  auto options = small_scene();
  options.noise = 0;
  const auto clean = make_scene(options).values;
  options.noise = 0.02;
  const auto noise = make_scene(options).values - clean;
  const auto level = clean.mean().item<double>();
  EXPECT_NEAR(noise[10].std().item<double>() / level, 0.02, 0.001);
  EXPECT_NEAR(noise[0].std().item<double>() / level, 0.06, 0.003);
}

TEST(MakeScene, StripesWholeColumns) {
  auto options = small_scene();
  options.noise = 0;
  const auto plain = make_scene(options).values;
  options.stripes = 3;
  const auto gain = make_scene(options).values / plain;
  const auto striped = (gain - 1).abs().amax({0, 1}) > 1e-6;
  EXPECT_GE(striped.sum().item<int>(), 1);
  EXPECT_LE(striped.sum().item<int>(), 3);
  EXPECT_LT((gain.amax({0, 1}) - gain.amin({0, 1})).max().item<double>(), 1e-5);
}

TEST(MakeScene, WorksAtTheSmallestSizes) {
  SceneOptions options;
  options.rows = 1;
  options.cols = 1;
  options.bands = 1;
  options.endmembers = 1;
  const auto scene = make_scene(options);
  ASSERT_EQ(scene.values.sizes(), (std::vector<std::int64_t>{1, 1, 1}));
  EXPECT_GT(scene.values.item<float>(), 0.0F);
  EXPECT_LT(scene.values.item<float>(), 2.0F);
  EXPECT_TRUE(scene.mask.item<bool>()) << "each defect has a pixel";
}

TEST(MakeScene, SaysWhatIsOutOfRange) {
  auto options = small_scene();
  options.rows = 0;
  EXPECT_EQ(message_of([&] { make_scene(options); }), "synthetic scene: rows is 0; allowed: 1 or more");
  options = small_scene();
  options.max_wavelength_nm = 300;
  EXPECT_EQ(message_of([&] { make_scene(options); }),
            "synthetic scene: max_wavelength_nm is 300; allowed: more than min_wavelength_nm");
  options = small_scene();
  options.stripes = 51;
  EXPECT_EQ(message_of([&] { make_scene(options); }), "synthetic scene: stripes is 51; allowed: 0 to cols");
  options = small_scene();
  options.implants.max_abundance = 1.5;
  EXPECT_EQ(message_of([&] { make_scene(options); }),
            "synthetic scene: max_abundance is 1.5; allowed: min_abundance to 1");
  options = small_scene();
  options.implants.min_area_px = 100;
  EXPECT_EQ(message_of([&] { make_scene(options); }),
            "synthetic scene: max_area_px is 60; allowed: min_area_px or more");
  options = small_scene();
  options.implants.kinds.clear();
  EXPECT_EQ(message_of([&] { make_scene(options); }),
            "synthetic scene: the number of kinds is 0; allowed: 1 or more");
}

TEST(Implant, ChangesOnlyWhereItSays) {
  for (const auto kind : {DefectKind::material, DefectKind::fringe, DefectKind::absorption}) {
    const auto defects = implanted(kind);
    const auto change = (defects.values - 1).abs().amax(0);
    EXPECT_EQ(change.masked_select(defects.abundance == 0).max().item<float>(), 0.0F);
    EXPECT_GT(change.masked_select(defects.mask).min().item<float>(), 0.0F);
    EXPECT_FALSE(defects.mask.logical_and(defects.abundance == 0).any().item<bool>());
  }
}

TEST(Implant, LeavesWhatItWasGiven) {
  const auto values = torch::ones({40, 16, 16});
  auto generator = at::detail::createCPUGenerator(1);
  const auto defects = implant(values, forty_bands(), {}, generator);
  EXPECT_TRUE(values.equal(torch::ones({40, 16, 16})));
  EXPECT_FALSE(defects.values.equal(values));
}

TEST(Implant, MakesDefectsOfTheAreaAndAbundanceAskedFor) {
  ImplantOptions options;
  options.defects = 40;
  options.min_area_px = 30;
  options.max_area_px = 30;
  options.min_abundance = 0.4;
  options.max_abundance = 0.4;
  options.kinds = {DefectKind::absorption};
  auto generator = at::detail::createCPUGenerator(5);
  const auto defects = implant(torch::ones({40, 400, 400}), forty_bands(), options, generator);
  // A few are cut off by the border.
  EXPECT_NEAR(defects.abundance.sum().item<double>() / 0.4 / 40, 30, 3);
  EXPECT_NEAR(defects.mask.sum().item<double>() / 40, 30, 4);
  EXPECT_NEAR(defects.abundance.max().item<double>(), 0.4, 1e-6);
}

TEST(Implant, GivesEveryDefectAPixel) {
  ImplantOptions options;
  options.defects = 1;
  options.min_area_px = 0.1;
  options.max_area_px = 0.1;
  auto generator = at::detail::createCPUGenerator(1);
  for (int i = 0; i < 20; ++i) {
    const auto defects = implant(torch::ones({40, 9, 9}), forty_bands(), options, generator);
    EXPECT_GE(defects.mask.sum().item<int>(), 1);
  }
}

TEST(Implant, FollowsTheUnitOfTheCube) {
  for (const auto kind : {DefectKind::material, DefectKind::fringe, DefectKind::absorption}) {
    const auto one = implanted(kind).values;
    const auto thousand = implanted(kind, {}, 1000.0).values;
    EXPECT_LT((thousand / 1000 - one).abs().max().item<double>(), 1e-5);
  }
}

TEST(Implant, DipsAtOneWavelength) {
  ImplantOptions options;
  options.defects = 1;
  const auto defects = implanted(DefectKind::absorption, options);
  const auto depth = defects.abundance.max().item<double>();
  EXPECT_LE(defects.values.max().item<double>(), 1.0);
  // The centre falls between two bands, and dips are at least two bands wide.
  EXPECT_NEAR(1 - defects.values.min().item<double>(), depth, 0.05 * depth);
}

TEST(Implant, FringesByItsAbundance) {
  ImplantOptions options;
  options.defects = 30;
  options.min_abundance = 0.2;
  options.max_abundance = 0.2;
  options.max_area_px = 5;
  const auto factor = implanted(DefectKind::fringe, options).values;
  EXPECT_LT(factor.max().item<double>(), 1.2 * 1.2 * 1.2);
  EXPECT_GT(factor.max().item<double>(), 1.15);
  EXPECT_LT(factor.min().item<double>(), 0.85);
}

/// (3, 40, 40): one material on the left, another on the right.
torch::Tensor two_materials() {
  const auto left = torch::tensor({1.0F, 2.0F, 3.0F}).view({3, 1, 1}).expand({3, 40, 20});
  const auto right = torch::tensor({5.0F, 2.0F, 1.0F}).view({3, 1, 1}).expand({3, 40, 20});
  return torch::cat({left, right}, 2);
}

Implanted implanted_from_scene(const torch::Tensor& values, std::int64_t defects = 10) {
  ImplantOptions options;
  options.kinds = {DefectKind::scene};
  options.defects = defects;
  auto generator = at::detail::createCPUGenerator(2);
  return implant(values, {3, {}, {}, {}}, options, generator);
}

TEST(Implant, MixesInAMaterialOfTheScene) {
  const auto values = two_materials();
  const auto defects = implanted_from_scene(values);
  // Both materials and all that is mixed of them lie on a line.
  const auto share = (defects.values[0] - 1) / 4;
  EXPECT_LT((defects.values[1] - 2).abs().max().item<double>(), 1e-5);
  EXPECT_LT((defects.values[2] - (3 - 2 * share)).abs().max().item<double>(), 1e-5);
  EXPECT_TRUE(share.ge(-1e-5).logical_and(share.le(1 + 1e-5)).all().item<bool>());
  const auto changed = (defects.values - values).abs().amax(0) > 1e-3;
  const auto seen =
      changed.logical_and(defects.mask).sum().item<double>() / defects.mask.sum().item<double>();
  EXPECT_GT(seen, 0.5);
}

TEST(Implant, IsAsNoisyAsTheScene) {
  torch::manual_seed(1);
  const auto values = 100 + torch::randn({30, 80, 80});
  for (const auto kind : {DefectKind::material, DefectKind::scene}) {
    ImplantOptions options;
    options.kinds = {kind};
    options.defects = 1;
    options.min_area_px = options.max_area_px = 300;
    options.min_abundance = options.max_abundance = 0.7;
    auto generator = at::detail::createCPUGenerator(2);
    const auto defects = implant(values, {30, {}, {}, {}}, options, generator);
    const auto inner = defects.abundance >= 0.699;
    const auto noise = defects.values.permute({1, 2, 0}).index({inner}) - 100;
    // Of pure noise, the pixels that are most alike have a part of it in common.
    EXPECT_NEAR(noise.std(0).mean().item<double>(), 1, kind == DefectKind::scene ? 0.15 : 0.05);
    if (kind == DefectKind::scene) {
      EXPECT_NEAR(noise.square().mean().sqrt().item<double>(), 1, 0.05);
    }
  }
}

TEST(Implant, MixesInNoPixelWithoutData) {
  auto values = two_materials();
  values.slice(1, 0, 35).fill_(std::nanf(""));
  const auto defects = implanted_from_scene(values);
  EXPECT_TRUE(defects.values.isnan().equal(values.isnan()));
  values.fill_(std::nanf(""));
  EXPECT_TRUE(implanted_from_scene(values).values.isnan().all().item<bool>());
}

TEST(Implant, KeepsClearOfWhatIsThere) {
  ImplantOptions options;
  options.defects = 6;
  options.max_area_px = 6;
  options.keep_clear = torch::zeros({60, 60}, torch::kBool);
  options.keep_clear.slice(1, 0, 40).fill_(true);
  auto generator = at::detail::createCPUGenerator(4);
  const auto defects = implant(torch::ones({40, 60, 60}), forty_bands(), options, generator);
  EXPECT_FALSE(defects.mask.logical_and(options.keep_clear).any().item<bool>());
  EXPECT_GE(defects.mask.sum().item<int>(), 6);
  options.keep_clear = torch::zeros({2, 2}, torch::kBool);
  EXPECT_THROW(implant(torch::ones({40, 60, 60}), forty_bands(), options, generator), c10::Error);
}

TEST(Implant, TakesBandsWithoutWavelengthsToLieEvenlyBetween400And1000Nm) {
  const auto implanted = [](const std::vector<double>& wavelengths_nm) {
    auto generator = at::detail::createCPUGenerator(1);
    const spectral::Bands bands{5, wavelengths_nm, {}, {}};
    return implant(torch::ones({5, 20, 20}), bands, {}, generator);
  };
  const auto defects = implanted({});
  EXPECT_TRUE(torch::equal(defects.values, implanted({400, 550, 700, 850, 1000}).values));
  EXPECT_FALSE(torch::equal(defects.values, implanted({400, 401, 402, 403, 404}).values));
  EXPECT_TRUE(defects.mask.any().item<bool>());
}

TEST(Implant, RefusesIntegersAndOtherBands) {
  auto generator = at::detail::createCPUGenerator(1);
  EXPECT_THROW(implant(torch::ones({40, 4, 4}, torch::kShort), forty_bands(), {}, generator), c10::Error);
  EXPECT_THROW(implant(torch::ones({39, 4, 4}), forty_bands(), {}, generator), c10::Error);
}

/// How many independent spectra two scenes without noise are mixed of.
std::int64_t materials_of_two(std::optional<std::uint64_t> material_seed) {
  auto options = small_scene();
  options.noise = 0;
  options.implants.defects = 0;
  options.material_seed = material_seed;
  const auto first = make_scene(options).values.flatten(1);
  options.seed += 1;
  const auto both = torch::cat({first, make_scene(options).values.flatten(1)}, 1).to(torch::kDouble);
  const auto variances = torch::linalg_svdvals(both);
  return variances.gt(1e-5 * variances[0]).sum().item<std::int64_t>();
}

TEST(Scene, SharesItsMaterialsByTheirSeed) {
  EXPECT_EQ(materials_of_two(3), small_scene().endmembers);
  EXPECT_EQ(materials_of_two(std::nullopt), 2 * small_scene().endmembers);
}

}  // namespace
}  // namespace hyperdefect::synthetic
