// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/common_options.h"
#include "app/cli/table.h"
#include "app/commands/commands.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/evaluator.h"

namespace hyperdefect::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDecimals = 4;

struct EvalOptions {
  CommonOptions common;
  std::string maps;
  std::string truth;
  std::string kind = "score";
  bool json = false;
};

/// JSON has neither absent numbers nor infinite ones.
Json number_or_null(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

std::optional<double> f1_of(const engine::CubeQuality& cube) {
  return cube.best_f1 ? std::optional(cube.best_f1->f1) : std::nullopt;
}

std::optional<double> f1_threshold_of(const engine::CubeQuality& cube) {
  return cube.best_f1 ? std::optional(cube.best_f1->threshold) : std::nullopt;
}

std::optional<double> auc_d_tau_of(const engine::CubeQuality& cube) {
  return cube.roc_3d ? std::optional(cube.roc_3d->auc_d_tau) : std::nullopt;
}

std::optional<double> auc_f_tau_of(const engine::CubeQuality& cube) {
  return cube.roc_3d ? std::optional(cube.roc_3d->auc_f_tau) : std::nullopt;
}

std::optional<double> of_marks(const engine::CubeQuality& cube,
                               std::optional<double> (*measure)(const metric::Confusion&)) {
  return cube.marked ? measure(*cube.marked) : std::nullopt;
}

Json to_json(const engine::CubeQuality& cube) {
  return {{"cube", cube.name},
          {"defective", cube.defective},
          {"defect_pixels", cube.defect_pixels},
          {"valid_pixels", cube.valid_pixels},
          {"score_max", number_or_null(cube.score_max)},
          {"auroc", number_or_null(cube.auroc)},
          {"average_precision", number_or_null(cube.average_precision)},
          {"f1_max", number_or_null(f1_of(cube))},
          {"f1_threshold", number_or_null(f1_threshold_of(cube))},
          {"aupro", number_or_null(cube.aupro)},
          {"auc_d_tau", number_or_null(auc_d_tau_of(cube))},
          {"auc_f_tau", number_or_null(auc_f_tau_of(cube))},
          {"f1", number_or_null(of_marks(cube, metric::f1))},
          {"precision", number_or_null(of_marks(cube, metric::precision))},
          {"recall", number_or_null(of_marks(cube, metric::recall))},
          {"false_alarm_rate", number_or_null(of_marks(cube, metric::false_alarm_rate))}};
}

Json to_json(const engine::MeanQuality& mean) {
  return {{"cubes", mean.cubes},
          {"auroc", number_or_null(mean.auroc)},
          {"average_precision", number_or_null(mean.average_precision)},
          {"f1_max", number_or_null(mean.f1_max)},
          {"aupro", number_or_null(mean.aupro)},
          {"auc_d_tau", number_or_null(mean.auc_d_tau)},
          {"auc_f_tau", number_or_null(mean.auc_f_tau)},
          {"f1", number_or_null(mean.f1)},
          {"precision", number_or_null(mean.precision)},
          {"recall", number_or_null(mean.recall)},
          {"false_alarm_rate", number_or_null(mean.false_alarm_rate)}};
}

Json to_json(const metric::Confusion& verdicts) {
  return {{"defective", verdicts.true_positives + verdicts.false_negatives},
          {"defective_rejected", verdicts.true_positives},
          {"normal", verdicts.true_negatives + verdicts.false_positives},
          {"normal_accepted", verdicts.true_negatives}};
}

Json to_json(const EvalOptions& options, const engine::Evaluation& evaluation) {
  Json json{
      {"maps", options.maps},
      {"truth", options.truth},
      {"score", options.kind},
      {"mean", to_json(evaluation.mean)},
      {"image_auroc", number_or_null(evaluation.image_auroc)},
      {"image_verdicts", evaluation.image_verdicts ? to_json(*evaluation.image_verdicts) : Json(nullptr)},
      {"folders", Json::array()},
      {"cubes", Json::array()},
      {"without_truth", evaluation.without_truth}};
  for (const auto& folder : evaluation.folders) {
    json["folders"].push_back(to_json(folder.mean));
    json["folders"].back()["folder"] = folder.name;
  }
  for (const auto& cube : evaluation.cubes) {
    json["cubes"].push_back(to_json(cube));
  }
  return json;
}

std::string shown(const std::optional<double>& value) {
  return fixed(value.value_or(std::nan("")), kDecimals);
}

std::vector<std::string> line_of(const engine::CubeQuality& cube) {
  return {cube.name,
          std::to_string(cube.defect_pixels),
          shown(cube.auroc),
          shown(cube.average_precision),
          shown(f1_of(cube)),
          shown(f1_threshold_of(cube)),
          shown(cube.aupro),
          shown(auc_d_tau_of(cube)),
          shown(auc_f_tau_of(cube)),
          shown(of_marks(cube, metric::f1)),
          shown(of_marks(cube, metric::precision)),
          shown(of_marks(cube, metric::recall)),
          shown(of_marks(cube, metric::false_alarm_rate))};
}

std::vector<std::string> line_of(const std::string& label, const engine::MeanQuality& mean) {
  return {text::cat("mean of ", label, text::counted(mean.cubes, "cube")),
          "",
          shown(mean.auroc),
          shown(mean.average_precision),
          shown(mean.f1_max),
          "",
          shown(mean.aupro),
          shown(mean.auc_d_tau),
          shown(mean.auc_f_tau),
          shown(mean.f1),
          shown(mean.precision),
          shown(mean.recall),
          shown(mean.false_alarm_rate)};
}

void print_verdicts(std::int64_t right, std::int64_t wrong, std::string_view what) {
  if (right + wrong > 0) {
    std::cout << right << " of " << text::counted(right + wrong, "cube") << ' ' << what << '\n';
  }
}

void print(const engine::Evaluation& evaluation) {
  std::vector<std::vector<std::string>> lines;
  for (const auto& cube : evaluation.cubes) {
    lines.push_back(line_of(cube));
  }
  for (const auto& folder : evaluation.folders) {
    lines.push_back(line_of(folder.name + ", ", folder.mean));
  }
  lines.push_back(line_of("", evaluation.mean));
  std::cout << table({"cube", "defect pixels", "AUROC", "AP", "F1 max", "at score", "AUPRO", "D,tau", "F,tau",
                      "F1", "precision", "recall", "FAR"},
                     lines);
  if (evaluation.image_auroc) {
    std::cout << "image-level AUROC " << shown(evaluation.image_auroc) << '\n';
  }
  if (const auto& verdicts = evaluation.image_verdicts) {
    print_verdicts(verdicts->true_positives, verdicts->false_negatives, "with a defect rejected");
    print_verdicts(verdicts->true_negatives, verdicts->false_positives, "without a defect accepted");
  }
}

ExitCode run(const EvalOptions& options) {
  apply_log_options(options.common);
  const auto evaluation = engine::evaluate(options.maps, options.truth, options.kind);
  if (const auto left_out = static_cast<std::int64_t>(evaluation.without_truth.size()); left_out > 0) {
    log::warning(text::cat(text::counted(left_out, "map"), " of ",
                           evaluation.cubes.size() + evaluation.without_truth.size(),
                           " left out, without truth in ", options.truth, ": ",
                           evaluation.without_truth.front(), left_out > 1 ? " ..." : ""));
  }
  if (options.json) {
    std::cout << to_json(options, evaluation).dump(2) << '\n';
  } else {
    print(evaluation);
  }
  return ExitCode::ok;
}

}  // namespace

void add_eval(CLI::App& program, ExitCode& result) {
  auto options = std::make_shared<EvalOptions>();
  auto* command = program.add_subcommand(
      "eval",
      "Measure how well maps find the defects that masks mark: AUROC, average precision, best F1, AUPRO, and "
      "of the 3D-ROC curve AUC(D,tau) and AUC(F,tau); AUC(D,F) is the AUROC. Of what STEM_defects.tif marks "
      "at "
      "the threshold: F1, precision, recall, false-alarm rate (FAR), and how many cubes are rightly rejected "
      "and accepted.");
  command
      ->add_option("MAPS", options->maps,
                   "Folder of results of infer or detect; every map below it is judged.")
      ->required();
  command
      ->add_option("--truth", options->truth,
                   "Folder of masks, STEM_mask.png or STEM_mask.tif at the map's place; not zero: defect.")
      ->type_name("DIR")
      ->required();
  command
      ->add_option("--score", options->kind,
                   "Which map is judged: score (anomaly score) or sad (spectral angle).")
      ->type_name("NAME")
      ->check(CLI::IsMember({"score", "sad"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print the result as JSON.");
  add_log_options(*command, options->common);
  command->footer("Example: hyperdefect eval maps --truth scenes");
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace hyperdefect::app
