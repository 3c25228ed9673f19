// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/reflectance.h"

#include <gtest/gtest.h>

#include <limits>

namespace hyperdefect::spectral {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// (bands, cols) float64.
torch::Tensor plane(std::vector<double> values, std::int64_t bands) {
  return torch::tensor(values, torch::kDouble).view({bands, -1});
}

/// The reflectance of a window of raw counts (bands, rows, cols).
torch::Tensor converted(const ReflectanceConverter& converter, const torch::Tensor& raw,
                        const Window& window) {
  auto values = raw.to(torch::kFloat).contiguous();
  for (std::int64_t band = 0; band < converter.bands(); ++band) {
    auto* data = values[band].data_ptr<float>();
    converter.convert<float>(data, band, window, data);
  }
  converter.interpolate(window, values);
  return values;
}

/// The spectrum of the column of a single row of raw counts (bands, cols).
std::vector<float> spectrum(const ReflectanceConverter& converter, const torch::Tensor& raw,
                            std::int64_t col) {
  const auto values = converted(converter, raw.unsqueeze(1), {0, 0, 1, converter.cols()});
  std::vector<float> bands;
  for (std::int64_t band = 0; band < converter.bands(); ++band) {
    bands.push_back(values[band][0][col].item<float>());
  }
  return bands;
}

TEST(ReflectanceConverter, IsTheWorkedExample) {
  const ReflectanceConverter converter(plane({1100, 2100}, 1), plane({100, 100}, 1));
  const auto values =
      converted(converter, torch::tensor({600, 600, 1100, 1100}).view({1, 2, 2}), {0, 0, 2, 2});
  EXPECT_TRUE(torch::allclose(values, torch::tensor({0.5, 0.25, 1.0, 0.5}, torch::kFloat).view({1, 2, 2})));
  EXPECT_EQ(converter.dead_elements(), 0);
}

TEST(ReflectanceConverter, IsTheFormulaInEveryElementOfEveryWindow) {
  torch::manual_seed(1);
  const auto dark = torch::rand({5, 7}, torch::kDouble) * 100;
  const auto white = dark + 500 + torch::rand({5, 7}, torch::kDouble) * 1000;
  const auto raw = torch::randint(0, 2000, {5, 6, 7}, torch::kDouble);
  const auto expected = (raw - dark.unsqueeze(1)) / (white - dark).unsqueeze(1);
  const ReflectanceConverter converter(white, dark);
  for (const Window& window : {Window{0, 0, 6, 7}, Window{2, 3, 3, 2}, Window{5, 6, 1, 1}}) {
    const auto crop = [&](const torch::Tensor& cube) {
      return cube.slice(1, window.row, window.end_row()).slice(2, window.col, window.end_col());
    };
    const auto values = converted(converter, crop(raw), window);
    EXPECT_TRUE(torch::allclose(values.to(torch::kDouble), crop(expected), 1e-6, 1e-6));
  }
}

TEST(ReflectanceConverter, InterpolatesDeadElementsAlongTheBands) {
  // Bands 1 and 2 of column 0 are dead, and the first band of column 1.
  const ReflectanceConverter converter(plane({10, 0, 10, 10, kNan, 10, 10, 10}, 4),
                                       plane({0, 0, 10, 0, 0, 0, 0, 0}, 4));
  EXPECT_EQ(converter.dead_elements(), 3);
  EXPECT_EQ(converter.dead_columns(), 0);
  const auto raw = plane({1, 99, 99, 2, 99, 3, 7, 4}, 4);
  EXPECT_EQ(spectrum(converter, raw, 0), (std::vector<float>{0.1F, 0.3F, 0.5F, 0.7F}));
  EXPECT_EQ(spectrum(converter, raw, 1), (std::vector<float>{0.2F, 0.2F, 0.3F, 0.4F}));
  EXPECT_EQ(converter.dead_columns_of(0, {0, 0, 1, 2}), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(converter.dead_columns_of(0, {4, 1, 1, 1}), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(converter.dead_columns_of(1, {0, 1, 1, 1}), (std::vector<std::int64_t>{}));
}

TEST(ReflectanceConverter, InterpolatesOnlyFromTheBandsThatServe) {
  ReflectanceConverter converter(plane({10, 10, 0, 10, 10}, 5), plane({0, 0, 0, 0, 0}, 5));
  const auto raw = plane({1, 9, 0, 2, 3}, 5);
  EXPECT_FLOAT_EQ(spectrum(converter, raw, 0)[2], 0.55F);
  converter.interpolate_from({true, false, true, false, true});
  EXPECT_FLOAT_EQ(spectrum(converter, raw, 0)[2], 0.2F);
  converter.interpolate_from({true, false, true, false, false});
  EXPECT_FLOAT_EQ(spectrum(converter, raw, 0)[2], 0.1F);
}

TEST(ReflectanceConverter, HasNoValueForAColumnThatIsDeadInAllBands) {
  const ReflectanceConverter converter(plane({10, 5, 10, 5}, 2), plane({0, 5, 0, 6}, 2));
  EXPECT_EQ(converter.dead_columns(), 1);
  EXPECT_EQ(converter.dead_elements(), 2);
  EXPECT_EQ(converter.inverted_elements(), 1);
  const auto values = converted(converter, torch::ones({2, 3, 2}), {0, 0, 3, 2});
  EXPECT_TRUE(values.select(2, 0).isfinite().all().item<bool>());
  EXPECT_TRUE(values.select(2, 1).isnan().all().item<bool>());
}

}  // namespace
}  // namespace hyperdefect::spectral
