// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/dihedral_transform.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace hyperdefect::image {
namespace {

TEST(DihedralTransform, GivesEightViewsOfASquareAndFourOfAnythingElse) {
  const auto count_views = [](const torch::Tensor& image) {
    std::vector<torch::Tensor> views;
    for (std::int64_t which = 0; which < 8; ++which) {
      const auto view = dihedral_transform(image, which);
      EXPECT_EQ(view.sizes(), image.sizes());
      const bool known = std::any_of(views.begin(), views.end(),
                                     [&](const torch::Tensor& other) { return torch::equal(other, view); });
      if (!known) {
        views.push_back(view);
      }
    }
    return views.size();
  };
  EXPECT_EQ(count_views(torch::arange(18).view({2, 3, 3})), 8U);
  EXPECT_EQ(count_views(torch::arange(12).view({2, 2, 3})), 4U);
}

TEST(DihedralTransform, MovesPixelsAsItsBitsSay) {
  const auto image = torch::tensor({{1, 2}, {3, 4}});
  EXPECT_TRUE(torch::equal(dihedral_transform(image, 0), image));
  EXPECT_TRUE(torch::equal(dihedral_transform(image, 1), torch::tensor({{2, 1}, {4, 3}})));
  EXPECT_TRUE(torch::equal(dihedral_transform(image, 2), torch::tensor({{3, 4}, {1, 2}})));
  EXPECT_TRUE(torch::equal(dihedral_transform(image, 4), torch::tensor({{1, 3}, {2, 4}})));
}

}  // namespace
}  // namespace hyperdefect::image
