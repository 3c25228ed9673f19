// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/checkpoint.h"

#include <nlohmann/json.hpp>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/model_file.h"

namespace hyperdefect::engine {
namespace {

using Tensors = std::map<std::string, torch::Tensor>;

void add_group(const Tensors& group, const std::string& prefix, Tensors& all) {
  for (const auto& [name, tensor] : group) {
    all[prefix + name] = tensor;
  }
}

Tensors group_of(const Tensors& all, const std::string& prefix) {
  Tensors group;
  for (const auto& [name, tensor] : all) {
    if (name.rfind(prefix, 0) == 0) {
      group[name.substr(prefix.size())] = tensor;
    }
  }
  return group;
}

nlohmann::json to_json(const EpochRecord& record) {
  nlohmann::json json{{"epoch", record.epoch},
                      {"steps", record.steps},
                      {"learning_rate", record.learning_rate},
                      {"loss", record.loss},
                      {"seconds", record.seconds}};
  if (record.holdout_loss) {
    json["holdout_loss"] = *record.holdout_loss;
  }
  return json;
}

EpochRecord from_json(const nlohmann::json& json) {
  EpochRecord record{json.at("epoch"),  json.at("steps"), json.at("learning_rate"), json.at("loss"), {},
                     json.at("seconds")};
  if (json.contains("holdout_loss")) {
    record.holdout_loss = json.at("holdout_loss").get<double>();
  }
  return record;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const TrainingState& state) {
  model::TensorFile file;
  add_group(state.detector, "detector.", file.tensors);
  add_group(state.optimizer, "optimizer.", file.tensors);
  add_group(state.best, "best.", file.tensors);
  nlohmann::json history = nlohmann::json::array();
  for (const auto& record : state.history) {
    history.push_back(to_json(record));
  }
  file.metadata = {{"job", state.job}, {"history", history.dump()}};
  model::write_tensors(path, file);
}

TrainingState read_checkpoint(const std::filesystem::path& path, const std::string& job) {
  const auto file = model::read_tensors(path);
  TrainingState state;
  try {
    state.job = file.metadata.at("job");
    for (const auto& record : nlohmann::json::parse(file.metadata.at("history"))) {
      state.history.push_back(from_json(record));
    }
  } catch (const std::exception&) {
    throw ModelError(text::cat(path.string(),
                               ": is not a training checkpoint; remove it or start again with --overwrite"));
  }
  if (state.job != job) {
    throw UsageError(text::cat(path.string(),
                               ": the checkpoint belongs to another training (other cubes or another "
                               "configuration); repeat the command that began it, or start again with "
                               "--overwrite"));
  }
  state.detector = group_of(file.tensors, "detector.");
  state.optimizer = group_of(file.tensors, "optimizer.");
  state.best = group_of(file.tensors, "best.");
  return state;
}

std::map<std::string, torch::Tensor> optimizer_state(torch::optim::AdamW& optimizer,
                                                     const torch::nn::Module& module) {
  Tensors tensors;
  for (const auto& item : module.named_parameters()) {
    const auto found = optimizer.state().find(item.value().unsafeGetTensorImpl());
    if (found != optimizer.state().end()) {
      const auto& state = static_cast<const torch::optim::AdamWParamState&>(*found->second);
      tensors[item.key() + ".step"] = torch::tensor(state.step(), torch::kLong);
      tensors[item.key() + ".exp_avg"] = state.exp_avg();
      tensors[item.key() + ".exp_avg_sq"] = state.exp_avg_sq();
    }
  }
  return tensors;
}

void load_optimizer_state(torch::optim::AdamW& optimizer, const torch::nn::Module& module,
                          const std::map<std::string, torch::Tensor>& tensors) {
  for (const auto& item : module.named_parameters()) {
    const auto step = tensors.find(item.key() + ".step");
    if (step == tensors.end()) {
      continue;
    }
    auto state = std::make_unique<torch::optim::AdamWParamState>();
    state->step(step->second.item<std::int64_t>());
    state->exp_avg(tensors.at(item.key() + ".exp_avg").to(item.value().device()));
    state->exp_avg_sq(tensors.at(item.key() + ".exp_avg_sq").to(item.value().device()));
    optimizer.state()[item.value().unsafeGetTensorImpl()] = std::move(state);
  }
}

std::string history_csv(const std::vector<EpochRecord>& history) {
  std::string csv = "epoch,steps,learning_rate,loss,holdout_loss,seconds\n";
  for (const auto& record : history) {
    csv += text::cat(record.epoch, ',', record.steps, ',', text::number(record.learning_rate), ',',
                     text::number(record.loss), ',',
                     record.holdout_loss ? text::number(*record.holdout_loss) : std::string(), ',',
                     text::number(record.seconds), '\n');
  }
  return csv;
}

}  // namespace hyperdefect::engine
