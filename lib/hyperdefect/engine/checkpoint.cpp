// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/checkpoint.h"

#include <torch/utils.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/json_fields.h"
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

constexpr const char* kRemedy = "; remove it, or start again with --overwrite";
/// Far more epochs, and steps, than any training has.
constexpr double kMostSteps = 1e15;

ModelError damaged(const std::filesystem::path& file, const std::string& what) {
  return ModelError(text::concat(file.string(), ": is a damaged training checkpoint (", what, ")", kRemedy));
}

EpochRecord from_json(const nlohmann::json& json) {
  const std::string name = "an epoch of its history";
  const auto value = [&](const char* key, const model::NumberRange& range) {
    return model::number(model::field(json, key, name), text::concat(key, " in ", name), range);
  };
  const auto count = [&](const char* key) {
    return model::integer(model::field(json, key, name), text::concat(key, " in ", name), {1, kMostSteps});
  };
  EpochRecord record{count("epoch"),
                     count("steps"),
                     value("learning_rate", {0, 1}),
                     value("loss", model::kAnyNumber),
                     {},
                     value("seconds", {0, model::kLargest})};
  if (json.contains("holdout_loss")) {
    record.holdout_loss = value("holdout_loss", model::kAnyNumber);
  }
  return record;
}

std::vector<EpochRecord> history_from(const std::string& text) {
  const auto json = model::json_from(text, "history");
  if (!json.is_array() || json.empty()) {
    throw model::FieldFault("its history is not a list of epochs");
  }
  std::vector<EpochRecord> history;
  for (const auto& record : json) {
    history.push_back(from_json(record));
    if (history.back().epoch != static_cast<std::int64_t>(history.size())) {
      throw model::FieldFault("the epochs of its history are not numbered from 1 on");
    }
    if (history.back().holdout_loss.has_value() != history.front().holdout_loss.has_value()) {
      throw model::FieldFault("only some epochs of its history have a held-out loss");
    }
  }
  return history;
}

const std::string& text_of(const model::TensorFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw model::FieldFault(text::concat("it lacks ", key));
  }
  return found->second;
}

/// What is wrong with a group of tensors, or "".
std::string fault_of(const Tensors& wanted, const Tensors& found) {
  const auto fault = model::differences(wanted, found);
  return fault.empty() ? model::value_faults(found) : fault;
}

/// Adam's state of a parameter that no step was taken for yet, which it begins with.
void add_unstepped(const std::string& name, const torch::Tensor& parameter, Tensors& tensors) {
  tensors[name + ".step"] = torch::tensor(std::int64_t{0}, torch::kLong);
  tensors[name + ".exp_avg"] = torch::zeros_like(parameter);
  tensors[name + ".exp_avg_sq"] = torch::zeros_like(parameter);
}

Tensors unstepped(const torch::nn::Module& module) {
  const torch::NoGradGuard no_gradient;
  Tensors tensors;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) {
      add_unstepped(item.key(), item.value(), tensors);
    }
  }
  return tensors;
}

std::string fault_of_optimizer(const Tensors& found, const torch::nn::Module& module, std::int64_t steps) {
  auto fault = fault_of(unstepped(module), found);
  for (auto item = found.begin(); fault.empty() && item != found.end(); ++item) {
    const auto& [name, tensor] = *item;
    if (name.ends_with(".step") && tensor.item<std::int64_t>() > steps) {
      fault = text::concat(name, " is more than the ", steps, " steps of the training");
    } else if (name.ends_with(".exp_avg_sq") && tensor.lt(0).any().item<bool>()) {
      fault = text::concat(name, " holds a square below 0");
    }
  }
  return fault;
}

std::string fault_of_history(const std::vector<EpochRecord>& history, const model::TrainOptions& options) {
  if (static_cast<std::int64_t>(history.size()) > options.epochs) {
    return text::concat("its history has ", history.size(), " epochs, train.epochs is ", options.epochs);
  }
  const bool fits = std::all_of(history.begin(), history.end(), [&](const EpochRecord& record) {
    return record.steps == record.epoch * options.steps_per_epoch;
  });
  return fits ? ""
              : text::concat("the steps of an epoch in its history do not match train.steps_per_epoch, ",
                             options.steps_per_epoch);
}

/// The best state stands beside a held-out loss, and only there.
std::string fault_of_best(const TrainingState& state, const Tensors& wanted) {
  const bool has_loss = !state.history.empty() && state.history.front().holdout_loss.has_value();
  if (!has_loss && !state.best.empty()) {
    return "it has a best epoch, but no held-out loss";
  }
  return has_loss ? fault_of(wanted, state.best) : "";
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
  model::add_checksum(file);
  model::write_tensors(path, file);
}

TrainingState read_checkpoint(const std::filesystem::path& path, const std::string& job) {
  const auto file = model::read_tensors(path, kRemedy);
  TrainingState state;
  try {
    state.job = text_of(file, "job");
    state.history = history_from(text_of(file, "history"));
  } catch (const model::FieldFault& fault) {
    throw damaged(path, fault.what());
  }
  if (!model::has_right_checksum(file)) {
    throw damaged(path, "its checksum does not match its content");
  }
  if (state.job != job) {
    throw UsageError(
        text::concat(path.string(),
                     ": the checkpoint belongs to another training (other cubes or another configuration); "
                     "repeat the command that began it, or start again with --overwrite"));
  }
  state.detector = group_of(file.tensors, "detector.");
  state.optimizer = group_of(file.tensors, "optimizer.");
  state.best = group_of(file.tensors, "best.");
  if (state.detector.size() + state.optimizer.size() + state.best.size() != file.tensors.size()) {
    throw damaged(path, "it holds tensors that are not part of a training");
  }
  return state;
}

void check_state_fits(const TrainingState& state, const torch::nn::Module& module,
                      const model::TrainOptions& options, const std::filesystem::path& file) {
  const auto wanted = model::state_of(module);
  const std::string prefix[]{"", "detector: ", "optimizer: ", "best epoch: "};
  const std::string faults[]{
      fault_of_history(state.history, options), fault_of(wanted, state.detector),
      fault_of_optimizer(state.optimizer, module, state.history.empty() ? 0 : state.history.back().steps),
      fault_of_best(state, wanted)};
  for (std::size_t i = 0; i < std::size(faults); ++i) {
    if (!faults[i].empty()) {
      throw damaged(file, prefix[i] + faults[i]);
    }
  }
}

std::map<std::string, torch::Tensor> optimizer_state(torch::optim::AdamW& optimizer,
                                                     const torch::nn::Module& module) {
  auto tensors = unstepped(module);
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
    csv += text::concat(record.epoch, ',', record.steps, ',', text::to_text(record.learning_rate), ',',
                        text::to_text(record.loss), ',',
                        record.holdout_loss ? text::to_text(*record.holdout_loss) : std::string(), ',',
                        text::to_text(record.seconds), '\n');
  }
  return csv;
}

}  // namespace hyperdefect::engine
