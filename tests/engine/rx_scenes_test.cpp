// SPDX-License-Identifier: Apache-2.0
// Global RX on published scenes has a published ROC AUC: it must come out to the last printed digit.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "hyperdefect/io/mask_reader.h"
#include "hyperdefect/metric/roc.h"
#include "hyperdefect/spectral/rx.h"
#include "support/test_data.h"

namespace hyperdefect::engine {
namespace {

enum class Layout { bip, bil, bsq };

struct Scene {
  std::string file;
  Size size;
  std::int64_t bands;
  torch::ScalarType type;
  Layout layout;
  double auc;
};

std::string name_of(const Scene& scene) {
  return std::filesystem::path(scene.file).stem().string();
}

void PrintTo(const Scene& scene, std::ostream* stream) {
  *stream << scene.file;
}

torch::Tensor read_raw(const Scene& scene) {
  std::ifstream stream(test::data_dir() / "scenes" / scene.file, std::ios::binary);
  auto numbers = torch::empty({scene.size.pixels() * scene.bands}, scene.type);
  stream.read(static_cast<char*>(numbers.data_ptr()), static_cast<std::streamsize>(numbers.nbytes()));
  EXPECT_TRUE(stream.good());
  return numbers.to(torch::kFloat);
}

/// (bands, rows, cols)
torch::Tensor read_values(const Scene& scene) {
  const auto numbers = read_raw(scene);
  const auto [rows, cols] = scene.size;
  switch (scene.layout) {
    case Layout::bip:
      return numbers.view({rows, cols, scene.bands}).permute({2, 0, 1});
    case Layout::bil:
      return numbers.view({rows, scene.bands, cols}).permute({1, 0, 2});
    case Layout::bsq:
      break;
  }
  return numbers.view({scene.bands, rows, cols});
}

torch::Tensor truth_of(const Scene& scene) {
  return io::read_mask(test::data_dir() / "scenes" / (name_of(scene) + "_mask.png"));
}

class RxScenes : public testing::TestWithParam<Scene> {};

TEST_P(RxScenes, HasThePublishedAuc) {
  HYPERDEFECT_NEEDS_DATA();
  const auto values = read_values(GetParam());
  spectral::Moments moments(values.size(0));
  moments.add({values, torch::ones(values.sizes().slice(1), torch::kBool), {}, {}});
  const auto scores = spectral::rx(values, spectral::fit_rx(moments));
  EXPECT_NEAR(*metric::auroc(metric::roc_curve(scores, truth_of(GetParam()))), GetParam().auc, 5.1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Published, RxScenes,
    testing::Values(Scene{"abu-airport-2.img", {100, 100}, 205, torch::kUInt16, Layout::bip, 0.8404},
                    Scene{"abu-airport-4.bil", {100, 100}, 191, torch::kUInt16, Layout::bil, 0.9526},
                    Scene{"abu-beach-1.img", {150, 150}, 188, torch::kShort, Layout::bsq, 0.9807},
                    Scene{"pavia-bridge.img", {100, 100}, 102, torch::kFloat, Layout::bsq, 0.9934}),
    [](const auto& parameter) {
      auto name = name_of(parameter.param);
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace hyperdefect::engine
