// SPDX-License-Identifier: Apache-2.0
// How much memory a run may take decides how cubes are cut, and nothing else.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_options.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/model/model_file.h"
#include "support/fits.h"
#include "support/memory_blocks.h"

namespace hyperdefect::engine {
namespace {

constexpr std::int64_t kBands = 200;
constexpr Size kSize{2600, 32};
constexpr std::int64_t kMemories[] = {4096, 512, 64};
constexpr double kTolerance = 1e-5;

/// The largest difference in units of the largest value.
double relative_difference(const torch::Tensor& got, const torch::Tensor& wanted) {
  const auto a = got.to(torch::kDouble);
  const auto b = wanted.to(torch::kDouble);
  return ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item<double>();
}

/// A detector and the options that are not those of tiny_options().
struct Choice {
  const char* name;
  const char* detector;
  std::function<void(detector::DetectorOptions&)> change = [](detector::DetectorOptions&) {};
};

void PrintTo(const Choice& choice, std::ostream* stream) {
  *stream << choice.name;
}

class Memory : public ::testing::TestWithParam<Choice> {
 protected:
  struct Fitted {
    std::shared_ptr<detector::Pipeline> pipeline;
    detector::ScoreMaps maps;
  };

  Memory() {
    config_.detector.name = GetParam().detector;
    GetParam().change(config_.detector);
  }

  Fitted fitted(std::int64_t ram_mb) {
    FitJob job;
    job.sources = {cube_};
    job.train = config_.train;
    job.ram_mb = ram_mb;
    job.seed = 1;
    Fitted fitted{test::pipeline_of(config_, kBands), {}};
    ProgressMonitor monitor;
    fit(*fitted.pipeline, job, monitor);
    fitted.maps = predict(*fitted.pipeline, *cube_, ram_mb, monitor);
    return fitted;
  }

  model::RunConfig config_ = test::tiny_config();
  std::shared_ptr<test::MemoryBlocks> cube_ = test::smooth_cube(kBands, kSize, 1);
};

TEST_P(Memory, ChangesNeitherTheModelNorTheMaps) {
  const auto wanted = fitted(kMemories[0]);
  const auto state = model::state_of(*wanted.pipeline);
  std::size_t windows = plan_for(*wanted.pipeline, *cube_, kMemories[0]).size();
  EXPECT_EQ(windows, 1U);
  for (const auto ram_mb : {kMemories[1], kMemories[2]}) {
    const auto plan = plan_for(*wanted.pipeline, *cube_, ram_mb);
    ASSERT_GT(plan.size(), windows) << "the cube is cut in another way with " << ram_mb << " MB";
    windows = plan.size();
    const auto got = fitted(ram_mb);
    for (const auto& [name, tensor] : model::state_of(*got.pipeline)) {
      EXPECT_LE(relative_difference(tensor, state.at(name)), kTolerance)
          << name << " with " << ram_mb << " MB";
    }
    EXPECT_LE(relative_difference(got.maps.score, wanted.maps.score), kTolerance) << ram_mb << " MB";
    EXPECT_LE(relative_difference(got.maps.sad_rad, wanted.maps.sad_rad), kTolerance) << ram_mb << " MB";
    EXPECT_TRUE(torch::equal(got.maps.valid, wanted.maps.valid));
  }
}

void normalise_by(nn::Norm norm, detector::DetectorOptions& options) {
  options.of<detector::AutoencoderOptions>().network.norm = norm;
}

INSTANTIATE_TEST_SUITE_P(Detectors, Memory,
                         ::testing::Values(Choice{"rx", "rx"}, Choice{"area_filter", "area_filter"},
                                           Choice{"local_rx", "local_rx"},
                                           Choice{"likelihood_ratio", "likelihood_ratio"},
                                           Choice{"autoencoder_layer_norm", "autoencoder",
                                                  [](detector::DetectorOptions& options) {
                                                    normalise_by(nn::Norm::layer, options);
                                                  }},
                                           Choice{"autoencoder_no_norm", "autoencoder",
                                                  [](detector::DetectorOptions& options) {
                                                    normalise_by(nn::Norm::none, options);
                                                  }}),
                         [](const auto& choice) { return std::string(choice.param.name); });

}  // namespace
}  // namespace hyperdefect::engine
