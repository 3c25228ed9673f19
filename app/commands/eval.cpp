// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/common_options.h"
#include "app/cli/console.h"
#include "app/cli/table.h"
#include "app/commands/commands.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/json_page.h"
#include "hyperdefect/evaluation/evaluator.h"

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

std::optional<double> f1_threshold_of(const evaluation::CubeQuality& cube) {
  return cube.best_f1 ? std::optional(cube.best_f1->threshold) : std::nullopt;
}

/// @param f1_threshold where the best F1 is reached, of a single cube.
void add_measures(Json& json, const evaluation::Measures& measures, const std::optional<Json>& f1_threshold) {
  json["auroc"] = number_or_null(measures.auroc);
  json["average_precision"] = number_or_null(measures.average_precision);
  json["f1_max"] = number_or_null(measures.f1_max);
  if (f1_threshold) {
    json["f1_threshold"] = *f1_threshold;
  }
  json["aupro"] = number_or_null(measures.aupro);
  json["auc_d_tau"] = number_or_null(measures.auc_d_tau);
  json["auc_f_tau"] = number_or_null(measures.auc_f_tau);
  json["f1"] = number_or_null(measures.f1);
  json["precision"] = number_or_null(measures.precision);
  json["recall"] = number_or_null(measures.recall);
  json["false_alarm_rate"] = number_or_null(measures.false_alarm_rate);
}

Json to_json(const evaluation::CubeQuality& cube) {
  Json json{{"cube", cube.name},
            {"defective", cube.defective},
            {"defect_pixels", cube.defect_pixels},
            {"valid_pixels", cube.valid_pixels},
            {"score_max", number_or_null(cube.score_max)}};
  add_measures(json, evaluation::measures_of(cube), number_or_null(f1_threshold_of(cube)));
  return json;
}

Json to_json(const evaluation::MeanQuality& mean) {
  Json json{{"cubes", mean.cubes}};
  add_measures(json, mean, std::nullopt);
  return json;
}

Json to_json(const metric::Confusion& verdicts) {
  return {{"defective", verdicts.true_positives + verdicts.false_negatives},
          {"defective_rejected", verdicts.true_positives},
          {"normal", verdicts.true_negatives + verdicts.false_positives},
          {"normal_accepted", verdicts.true_negatives}};
}

Json to_json(const EvalOptions& options, const evaluation::Evaluation& evaluation) {
  Json json{
      {"maps", options.maps},
      {"truth", options.truth},
      {"score", options.kind},
      {"mean", to_json(evaluation.mean)},
      {"image_auroc", number_or_null(evaluation.image_auroc)},
      {"image_verdicts", evaluation.cube_confusion ? to_json(*evaluation.cube_confusion) : Json(nullptr)},
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

/// @param defect_pixels, f1_threshold of a single cube, empty for a mean.
std::vector<std::string> line_of(const std::string& label, const std::string& defect_pixels,
                                 const evaluation::Measures& measures, const std::string& f1_threshold) {
  return {label,
          defect_pixels,
          shown(measures.auroc),
          shown(measures.average_precision),
          shown(measures.f1_max),
          f1_threshold,
          shown(measures.aupro),
          shown(measures.auc_d_tau),
          shown(measures.auc_f_tau),
          shown(measures.f1),
          shown(measures.precision),
          shown(measures.recall),
          shown(measures.false_alarm_rate)};
}

std::vector<std::string> line_of(const evaluation::CubeQuality& cube) {
  return line_of(cube.name, std::to_string(cube.defect_pixels), evaluation::measures_of(cube),
                 shown(f1_threshold_of(cube)));
}

std::vector<std::string> line_of(const std::string& label, const evaluation::MeanQuality& mean) {
  return line_of(text::concat("mean of ", label, text::pluralise(mean.cubes, "cube")), "", mean, "");
}

void print_verdicts(std::int64_t right, std::int64_t wrong, std::string_view what) {
  if (right + wrong > 0) {
    std::cout << right << " of " << text::pluralise(right + wrong, "cube") << ' ' << what << '\n';
  }
}

void print(const evaluation::Evaluation& evaluation) {
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
  if (const auto& verdicts = evaluation.cube_confusion) {
    print_verdicts(verdicts->true_positives, verdicts->false_negatives, "with a defect rejected");
    print_verdicts(verdicts->true_negatives, verdicts->false_positives, "without a defect accepted");
  }
}

ExitCode run(const EvalOptions& options) {
  apply_log_options(options.common);
  Console console("read maps");
  const auto evaluation = evaluation::evaluate(options.maps, options.truth, options.kind, console);
  console.clear();
  if (const auto left_out = static_cast<std::int64_t>(evaluation.without_truth.size()); left_out > 0) {
    log::warning(text::concat(text::pluralise(left_out, "map"), " of ",
                              evaluation.cubes.size() + evaluation.without_truth.size(),
                              " left out because no mask was found in ", options.truth, ": ",
                              evaluation.without_truth.front(), left_out > 1 ? " ..." : ""));
  }
  if (options.json) {
    std::cout << engine::json_page(to_json(options, evaluation));
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
      "Measure how well maps find the defects that masks mark. For the scores: AUROC, average precision, "
      "best F1, AUPRO, and AUC(D,tau) and AUC(F,tau) of the 3D-ROC curve; AUC(D,F) is the AUROC. For the "
      "defects in STEM_defects.tif: F1, precision, recall, false-alarm rate (FAR), and how many cubes are "
      "correctly rejected and accepted.");
  command
      ->add_option("MAPS", options->maps,
                   "Result folder of infer or detect; every map in it and below it is evaluated.")
      ->required();
  command
      ->add_option("--truth", options->truth,
                   "Folder of masks, STEM_mask.png or STEM_mask.tif in the same subfolders as the maps; "
                   "non-zero pixels are defects.")
      ->type_name("DIR")
      ->required();
  command
      ->add_option("--score", options->kind,
                   "Which map is evaluated: score (anomaly score) or sad (spectral angle).")
      ->type_name("NAME")
      ->check(CLI::IsMember({"score", "sad"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print the result as JSON.");
  add_log_options(*command, options->common);
  command->footer("Example: hyperdefect eval maps --truth scenes");
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace hyperdefect::app
