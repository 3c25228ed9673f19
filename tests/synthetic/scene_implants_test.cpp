// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/synthetic/scene_implants.h"

#include <gtest/gtest.h>

#include "support/seeded.h"

namespace hyperdefect::synthetic {
namespace {

struct Setting {
  torch::Tensor components = torch::randn({4, 60, 50}, test::seeded(1), torch::kFloat);
  torch::Tensor valid = torch::ones({60, 50}, torch::kBool);
  ImplantMaterial material{torch::randn({64, 4}, test::seeded(2), torch::kFloat),
                           torch::randn({4, 12}, test::seeded(3), torch::kFloat),
                           torch::tensor({4.0, 2.0, 1.0, 0.5}, torch::kDouble)};

  ImplantedScene implanted(std::uint64_t seed) const {
    auto generator = test::seeded(seed);
    return with_implants(components, valid, material, generator);
  }
};

TEST(SceneImplants, CoverAboutATwentiethOfTheScene) {
  const auto scene = Setting().implanted(7);
  const auto part = scene.label.mean().item<double>();
  EXPECT_GT(part, 0.01);
  EXPECT_LT(part, 0.08);
}

TEST(SceneImplants, LabelsAreWhereTheSceneChangedAndNothingElseCountsAsNormal) {
  const Setting setting;
  const auto scene = setting.implanted(7);
  const auto changed = (scene.components - setting.components).abs().amax(0) > 0;
  EXPECT_TRUE(changed.index({scene.label.gt(0)}).all().item<bool>());
  const auto normal = scene.weight.gt(0).logical_and(scene.label.eq(0));
  EXPECT_FALSE(changed.index({normal}).any().item<bool>());
  EXPECT_GT(scene.weight.eq(0).sum().item<std::int64_t>(), 0) << "faint borders count neither way";
}

TEST(SceneImplants, FollowTheGenerator) {
  const Setting setting;
  EXPECT_TRUE(torch::equal(setting.implanted(3).components, setting.implanted(3).components));
  EXPECT_FALSE(torch::equal(setting.implanted(3).components, setting.implanted(4).components));
}

TEST(SceneImplants, InvalidPixelsDoNotCount) {
  Setting setting;
  setting.valid.slice(0, 0, 30).fill_(false);
  const auto scene = setting.implanted(7);
  EXPECT_EQ(scene.weight.slice(0, 0, 30).abs().max().item<float>(), 0.0F);
  EXPECT_EQ(scene.label.slice(0, 0, 30).abs().max().item<float>(), 0.0F);
  EXPECT_EQ(scene.components.slice(1, 0, 30).abs().max().item<float>(), 0.0F);
}

TEST(SceneImplants, ManageOnePixel) {
  Setting setting;
  setting.components = torch::randn({4, 1, 1}, test::seeded(1), torch::kFloat);
  setting.valid = torch::ones({1, 1}, torch::kBool);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto scene = setting.implanted(seed);
    EXPECT_GT((scene.components - setting.components).abs().max().item<float>(), 0.0F);
    // The only pixel is an implant, or so faint a one that it counts neither way.
    EXPECT_TRUE(scene.label.item<float>() == 1.0F || scene.weight.item<float>() == 0.0F);
  }
}

}  // namespace
}  // namespace hyperdefect::synthetic
