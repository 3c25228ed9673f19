// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/checkpoint.h"

#include <torch/nn/modules/linear.h>

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/model_file.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::engine {
namespace {

TrainingState example() {
  TrainingState state;
  state.job = "job 1";
  state.history = {{1, 10, 0.002, 0.1 + 0.2, 1.0 / 3, 1.5}, {2, 20, 1e-300, 5.0, 0.25, 2.5}};
  state.detector = {{"a.weight", torch::tensor({1.0F, 2.0F})}};
  state.optimizer = {{"a.weight.step", torch::tensor(std::int64_t{20})}};
  state.best = {{"a.weight", torch::tensor({3.0F, 4.0F})}};
  return state;
}

TEST(Checkpoint, RoundTripKeepsEveryBit) {
  const test::TempDir folder;
  write_checkpoint(folder / "c.safetensors", example());
  const auto read = read_checkpoint(folder / "c.safetensors", "job 1");
  EXPECT_EQ(read.job, "job 1");
  ASSERT_EQ(read.history.size(), 2U);
  EXPECT_EQ(history_csv(read.history), history_csv(example().history));
  EXPECT_EQ(read.history[0].loss, 0.1 + 0.2);
  EXPECT_EQ(read.history[0].holdout_loss, 1.0 / 3);
  EXPECT_TRUE(torch::equal(read.detector.at("a.weight"), torch::tensor({1.0F, 2.0F})));
  EXPECT_EQ(read.optimizer.at("a.weight.step").item<std::int64_t>(), 20);
  EXPECT_TRUE(torch::equal(read.best.at("a.weight"), torch::tensor({3.0F, 4.0F})));
}

TEST(Checkpoint, OfAnotherJobIsRefused) {
  const test::TempDir folder;
  const auto path = folder / "c.safetensors";
  write_checkpoint(path, example());
  HYPERDEFECT_EXPECT_ERROR(
      read_checkpoint(path, "job 2"), UsageError,
      path.string() +
          ": the checkpoint belongs to another training (other cubes or another configuration); "
          "repeat the command that began it, or start again with --overwrite");
}

TEST(Checkpoint, DamagedOrForeignIsRefused) {
  const test::TempDir folder;
  const auto path = folder / "c.safetensors";
  write_checkpoint(path, example());
  const auto bytes = test::read_bytes(path);
  test::write_bytes(path, bytes.substr(0, bytes.size() - 1));
  HYPERDEFECT_EXPECT_ERROR(read_checkpoint(path, "job 1"), ModelError, "not a whole safetensors file");
  for (const char* history : {"", "[{}]", "[1]", "not JSON", "[]", "{}", "null"}) {
    model::write_tensors(path, {{}, {{"job", "job 1"}, {"history", history}}});
    HYPERDEFECT_EXPECT_ERROR(read_checkpoint(path, "job 1"), ModelError,
                             "; remove it, or start again with --overwrite");
  }
  model::write_tensors(path, {{}, {{"format", "foreign"}}});
  HYPERDEFECT_EXPECT_ERROR(read_checkpoint(path, "job 1"), ModelError,
                           ": is a damaged training checkpoint (it lacks job)");
}

TEST(Checkpoint, WithAnyChangedByteIsDamaged) {
  const test::TempDir folder;
  const auto path = folder / "c.safetensors";
  write_checkpoint(path, example());
  auto of_another_job = model::read_tensors(path);
  of_another_job.metadata["job"] = "job 2";
  auto with_another_value = model::read_tensors(path);
  with_another_value.tensors.at("detector.a.weight")[0] = 1.5;
  auto without = model::read_tensors(path);
  without.metadata.erase("checksum");
  for (const auto& changed : {of_another_job, with_another_value, without}) {
    model::write_tensors(path, changed);
    HYPERDEFECT_EXPECT_ERROR(
        read_checkpoint(path, "job 1"), ModelError,
        "c.safetensors: is a damaged training checkpoint (its checksum does not match its content); remove");
  }
}

TEST(OptimizerState, CarriesAdamsMoments) {
  torch::manual_seed(1);
  torch::nn::Linear module(2, 1);
  torch::optim::AdamW optimizer(module->parameters(), torch::optim::AdamWOptions(0.1));
  const auto before = optimizer_state(optimizer, *module);
  EXPECT_EQ(before.size(), 6U);
  EXPECT_EQ(before.at("bias.step").item<std::int64_t>(), 0);
  const auto step = [](torch::nn::Linear& of, torch::optim::AdamW& by) {
    by.zero_grad();
    of(torch::tensor({{1.0F, 2.0F}})).square().sum().backward();
    by.step();
  };
  step(module, optimizer);
  step(module, optimizer);
  torch::nn::Linear other(2, 1);
  model::load_state(*other, model::state_of(*module), "a test");
  torch::optim::AdamW another(other->parameters(), torch::optim::AdamWOptions(0.1));
  auto state = optimizer_state(optimizer, *module);
  EXPECT_EQ(state.at("weight.step").item<std::int64_t>(), 2);
  for (auto& [name, tensor] : state) {
    tensor = tensor.clone();
  }
  load_optimizer_state(another, *other, state);
  step(module, optimizer);
  step(other, another);
  EXPECT_TRUE(torch::equal(other->weight, module->weight));
  EXPECT_TRUE(torch::equal(other->bias, module->bias));
}

TEST(OptimizerState, OfNoStepIsThatOfANewOptimizer) {
  const auto stepped = [](bool restored) {
    torch::manual_seed(1);
    torch::nn::Linear module(2, 1);
    torch::optim::AdamW optimizer(module->parameters(), torch::optim::AdamWOptions(0.1));
    if (restored) {
      load_optimizer_state(optimizer, *module, optimizer_state(optimizer, *module));
    }
    module(torch::tensor({{1.0F, 2.0F}})).square().sum().backward();
    optimizer.step();
    return module->weight.detach().clone();
  };
  EXPECT_TRUE(torch::equal(stepped(true), stepped(false)));
}

TEST(History, IsATable) {
  EXPECT_EQ(
      history_csv({{1, 10, 0.002, 0.5, 0.25, 1.5}, {2, 20, 0.001, 0.125, std::nullopt, 3}}),
      "epoch,steps,learning_rate,loss,holdout_loss,seconds\n1,10,0.002,0.5,0.25,1.5\n2,20,0.001,0.125,,3\n");
}

}  // namespace
}  // namespace hyperdefect::engine
