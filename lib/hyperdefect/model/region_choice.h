// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// The words of data.region, which name no file.

namespace hyperdefect::model {

/// Which of the two materials of an image is the product.
enum class ProductMaterial { larger, smaller, brighter, darker };

/// All pixels are the product.
inline constexpr const char* kNoRegion = "none";
/// The spectra tell the product from what is around it.
inline constexpr std::array<std::pair<std::string_view, ProductMaterial>, 4> kAutomaticRegions{
    {{"auto", ProductMaterial::larger},
     {"auto_smaller", ProductMaterial::smaller},
     {"auto_brighter", ProductMaterial::brighter},
     {"auto_darker", ProductMaterial::darker}}};

/// Nothing if the region is not found automatically.
inline std::optional<ProductMaterial> automatic_region(std::string_view region) {
  for (const auto& [word, material] : kAutomaticRegions) {
    if (region == word) {
      return material;
    }
  }
  return std::nullopt;
}

}  // namespace hyperdefect::model
