// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a training of one linear layer: what is accepted can be taken up or is refused with a
// reason, and is written so that it reads back equal.
#include "hyperdefect/engine/checkpoint.h"

#include <torch/nn/modules/linear.h>

#include <optional>

#include "fuzz/fuzz.h"
#include "fuzz/input_file.h"
#include "fuzz/signed_file.h"
#include "fuzz/tensor_checks.h"
#include "fuzz/tensor_text.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/model/model_file.h"

namespace hyperdefect::fuzz {
namespace {

constexpr const char* kJob = "job";

std::optional<engine::TrainingState> read(const std::filesystem::path& path) {
  std::optional<engine::TrainingState> state;
  accepted<Error>([&] { state = engine::read_checkpoint(path, kJob); });
  return state;
}

/// What is trained: one linear layer.
struct Training {
  torch::nn::Linear layer{2, 1};
  torch::optim::AdamW optimizer{layer->parameters()};
};

model::TrainOptions options() {
  model::TrainOptions options;
  options.epochs = 10;
  options.steps_per_epoch = 2;
  return options;
}

/// A whole checkpoint, which the input changes.
TensorText whole_checkpoint(const std::filesystem::path& path) {
  Training training;
  training.layer->forward(torch::ones({1, 2})).sum().backward();
  training.optimizer.step();
  engine::TrainingState state;
  state.job = kJob;
  state.history = {{1, 2, 0.5, 0.25, 0.125, 3.0}};
  state.detector = state.best = model::state_of(*training.layer);
  state.optimizer = engine::optimizer_state(training.optimizer, *training.layer);
  engine::write_checkpoint(path, state);
  return parts_of(test::read_bytes(path));
}

/// A state that fits is taken up without a fault; one that does not is refused with a reason.
void take_up(const engine::TrainingState& state, const std::filesystem::path& file) {
  Training training;
  if (accepted<ModelError>([&] { engine::check_state_fits(state, *training.layer, options(), file); })) {
    model::load_state(*training.layer, state.detector, file.string());
    engine::load_optimizer_state(training.optimizer, *training.layer, state.optimizer);
    training.layer->forward(torch::ones({1, 2})).sum().backward();
    training.optimizer.step();
  }
}

void check(std::string_view text) {
  static const InputFile file("checkpoint.safetensors");
  static const auto whole = whole_checkpoint(file.path());
  file.holding(changed_file(text, whole));
  if (!text.starts_with(kRaw)) {
    sign(file.path());
  }
  const auto state = read(file.path());
  if (!state) {
    return;
  }
  take_up(*state, file.path());
  engine::write_checkpoint(file.path(), *state);
  const auto again = read(file.path());
  require(again.has_value(), "what was accepted reads back");
  require(engine::history_csv(again->history) == engine::history_csv(state->history),
          "the record reads back equal");
  require_equal(state->detector, again->detector);
  require_equal(state->optimizer, again->optimizer);
  require_equal(state->best, again->best);
}

}  // namespace
}  // namespace hyperdefect::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hyperdefect::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
