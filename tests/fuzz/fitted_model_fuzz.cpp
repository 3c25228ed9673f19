// SPDX-License-Identifier: Apache-2.0
// Model files: what is accepted can judge, holds finite numbers alone and is written so that it reads back
// equal.
#include "hyperdefect/model/fitted_model.h"

#include <cmath>
#include <memory>
#include <optional>

#include "fuzz/fuzz.h"
#include "fuzz/input_file.h"
#include "fuzz/signed_file.h"
#include "fuzz/tensor_checks.h"
#include "fuzz/tensor_text.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/model/model_file.h"

namespace hyperdefect::fuzz {
namespace {

std::optional<model::FittedModel> load(const std::filesystem::path& path) {
  std::optional<model::FittedModel> model;
  accepted<ModelError>([&] { model = model::load_model(path); });
  return model;
}

std::string configuration_of(model::FittedModel& model) {
  return model::schema_of(model.config).to_yaml();
}

void check_can_judge(const model::FittedModel& model) {
  require(std::isfinite(model.threshold), "the threshold is finite");
  require(model.training_valid_share >= 0 && model.training_valid_share <= 1, "a share lies in [0, 1]");
  for (const auto& [name, tensor] : model::state_of(*model.detector)) {
    require(torch::isfinite(tensor).all().item<bool>(), "the tensors are finite", name);
  }
  const auto scores = torch::tensor({0.0F, 1.0F, 1e3F});
  require(!torch::isnan(model::calibrated(scores, model)).any().item<bool>(),
          "calibrated scores are numbers");
}

/// A whole model, which the input changes.
TensorText whole_model(const std::filesystem::path& path) {
  model::FittedModel model;
  model.config.detector.name = "rx";
  model.detector =
      std::make_shared<detector::Pipeline>(model.config.detector, spectral::Bands{2, {400, 500}, {}, {}});
  model.config.score.calibration = model::Calibration::mad;
  model.calibration = model::MadCalibration{0.5, 0.25};
  model.threshold = 4;
  model.score_quantiles = {0, 1, 2, 3, 4, 5, 6};
  model.training_cubes = 1;
  model.training = "training";
  model::save_model(path, model);
  return parts_of(test::read_bytes(path));
}

void check(std::string_view text) {
  static const InputFile file("a.safetensors");
  static const auto whole = whole_model(file.path());
  file.holding(changed_file(text, whole));
  if (!text.starts_with(kRaw)) {
    sign(file.path());
  }
  auto model = load(file.path());
  if (!model) {
    return;
  }
  check_can_judge(*model);
  model::save_model(file.path(), *model);
  auto again = load(file.path());
  require(again.has_value(), "what was accepted reads back");
  require(configuration_of(*again) == configuration_of(*model), "the configuration reads back equal");
  require(again->threshold == model->threshold, "the threshold reads back equal");
  require_equal(model::state_of(*model->detector), model::state_of(*again->detector));
}

}  // namespace
}  // namespace hyperdefect::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hyperdefect::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
