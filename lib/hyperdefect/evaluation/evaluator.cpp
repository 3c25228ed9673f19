// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/evaluation/evaluator.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/results.h"
#include "hyperdefect/files/result_names.h"
#include "hyperdefect/io/map_reader.h"
#include "hyperdefect/io/mask_reader.h"
#include "hyperdefect/io/regions.h"
#include "hyperdefect/metric/aupro.h"

namespace hyperdefect::evaluation {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 10> kCubeExtensions{".img", ".dat", ".raw",  ".bil", ".bip",
                                                           ".bsq", ".bin", ".cube", ".tif", ".tiff"};
/// The kind of map that the map of defects follows from.
constexpr const char* kScore = "score";

void need_folder(const fs::path& folder, std::string_view what) {
  if (!fs::is_directory(folder)) {
    throw InputError(text::concat(folder.string(), ": is not a folder; give ", what));
  }
}

/// The names of all maps of a kind below the folder, sorted.
std::vector<std::string> names_of_maps(const fs::path& folder, const std::string& ending) {
  std::vector<std::string> names;
  const auto options = fs::directory_options::skip_permission_denied;
  for (const auto& entry : fs::recursive_directory_iterator(folder, options)) {
    const auto name = entry.path().lexically_relative(folder).generic_string();
    if (name.size() > ending.size() && name.ends_with(ending)) {
      names.push_back(name.substr(0, name.size() - ending.size()));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The names under which the truth of a map is sought.
std::vector<std::string> truth_names(const std::string& name) {
  const auto extension = text::lower(fs::path(name).extension().string());
  if (std::find(kCubeExtensions.begin(), kCubeExtensions.end(), extension) == kCubeExtensions.end()) {
    return {name};
  }
  return {name, name.substr(0, name.size() - extension.size())};
}

/// The sizes of all files are compared before any pixel is read: what they claim may not fit into memory.
/// @param results the cube's results without their endings.
CubeQuality judge_files(const std::string& results, const std::string& kind, const fs::path& truth) {
  const io::ExpectedSize size{io::mask_size(truth), text::concat("its truth ", truth.string())};
  const auto scores = io::read_map(results + files::map_ending(kind), size);
  const auto mask = io::read_mask(truth, size);
  auto quality = evaluate_map(scores, mask);
  if (const fs::path defects = results + std::string(files::kDefectsEnding);
      kind == kScore && fs::exists(defects)) {
    const auto marks = io::read_map(defects, size);
    const auto valid = scores.isnan().logical_or_(marks.isnan()).logical_not_();
    quality.predicted = metric::confusion(marks.ne(0), mask, valid);
  }
  return quality;
}

using Measure = std::optional<double> Measures::*;

constexpr std::array<Measure, 10> kMeasures{
    &Measures::auroc,     &Measures::average_precision, &Measures::f1_max, &Measures::aupro,
    &Measures::auc_d_tau, &Measures::auc_f_tau,         &Measures::f1,     &Measures::precision,
    &Measures::recall,    &Measures::false_alarm_rate};

std::optional<double> mean_of(const std::vector<Measures>& cubes, Measure measure) {
  double sum = 0;
  std::int64_t count = 0;
  for (const auto& cube : cubes) {
    if (const auto& value = cube.*measure) {
      sum += *value;
      ++count;
    }
  }
  return count > 0 ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
}

std::vector<FolderQuality> folder_means(const std::vector<CubeQuality>& cubes) {
  std::map<std::string, std::vector<CubeQuality>> by_folder;
  for (const auto& cube : cubes) {
    const auto folder = fs::path(cube.name).parent_path().generic_string();
    by_folder[folder.empty() ? "." : folder].push_back(cube);
  }
  std::vector<FolderQuality> folders;
  if (by_folder.size() > 1) {
    for (const auto& [name, members] : by_folder) {
      folders.push_back({name, mean_quality(members)});
    }
  }
  return folders;
}

std::optional<double> image_auroc(const std::vector<CubeQuality>& cubes) {
  std::vector<double> scores;
  std::vector<bool> defective;
  for (const auto& cube : cubes) {
    if (cube.score_max) {
      scores.push_back(*cube.score_max);
      defective.push_back(cube.defective);
    }
  }
  return metric::image_auroc(scores, defective);
}

std::optional<metric::Confusion> cube_confusion(const std::vector<CubeQuality>& cubes) {
  std::optional<metric::Confusion> verdicts;
  for (const auto& cube : cubes) {
    if (cube.predicted) {
      verdicts = verdicts.value_or(metric::Confusion{});
      const bool rejected = cube.predicted->true_positives + cube.predicted->false_positives > 0;
      verdicts->add(cube.undecided ? !cube.defective : rejected, cube.defective);
    }
  }
  return verdicts;
}

}  // namespace

/// @throws InputError if there are two of one name: they may differ.
std::optional<fs::path> find_truth(const std::string& name, const fs::path& folder) {
  for (const auto& stem : truth_names(name)) {
    std::vector<fs::path> found;
    for (const auto ending : files::kMaskEndings) {
      if (auto file = folder / (stem + std::string(ending)); fs::exists(file)) {
        found.push_back(std::move(file));
      }
    }
    if (found.size() > 1) {
      throw InputError(text::concat(found[0].string(), " and ", found[1].filename().string(),
                                    ": are both the truth of ", name, "; keep one of them"));
    }
    if (!found.empty()) {
      return found.front();
    }
  }
  return std::nullopt;
}

CubeQuality evaluate_map(const torch::Tensor& scores, const torch::Tensor& truth) {
  TORCH_CHECK(scores.sizes() == truth.sizes(), "judge: expected scores and truth of one size, got ",
              scores.sizes(), " and ", truth.sizes());
  const auto valid = scores.isnan().logical_not();
  const auto curve = metric::roc_curve(scores, truth);
  CubeQuality quality;
  quality.defective = truth.any().item<bool>();
  quality.defect_pixels = truth.logical_and(valid).sum().item<std::int64_t>();
  quality.valid_pixels = valid.sum().item<std::int64_t>();
  if (quality.valid_pixels > 0) {
    quality.score_max = scores.index({valid}).max().item<double>();
  }
  quality.auroc = metric::auroc(curve);
  quality.average_precision = metric::average_precision(curve);
  quality.best_f1 = metric::f1_max(curve);
  quality.aupro = metric::aupro(scores, io::label_regions(truth).labels);
  quality.roc_3d = metric::roc_3d(curve);
  return quality;
}

Measures measures_of(const CubeQuality& cube) {
  Measures measures;
  measures.auroc = cube.auroc;
  measures.average_precision = cube.average_precision;
  measures.aupro = cube.aupro;
  if (cube.best_f1) {
    measures.f1_max = cube.best_f1->f1;
  }
  if (cube.roc_3d) {
    measures.auc_d_tau = cube.roc_3d->auc_d_tau;
    measures.auc_f_tau = cube.roc_3d->auc_f_tau;
  }
  if (cube.predicted) {
    measures.f1 = metric::f1(*cube.predicted);
    measures.precision = metric::precision(*cube.predicted);
    measures.recall = metric::recall(*cube.predicted);
    measures.false_alarm_rate = metric::false_alarm_rate(*cube.predicted);
  }
  return measures;
}

MeanQuality mean_quality(const std::vector<CubeQuality>& cubes) {
  std::vector<Measures> all;
  for (const auto& cube : cubes) {
    all.push_back(measures_of(cube));
  }
  MeanQuality mean;
  mean.cubes = static_cast<std::int64_t>(cubes.size());
  for (const auto measure : kMeasures) {
    mean.*measure = mean_of(all, measure);
  }
  return mean;
}

Evaluation evaluate(const fs::path& maps, const fs::path& truth, const std::string& kind,
                    engine::ProgressMonitor& monitor) {
  need_folder(maps, "a folder of results");
  need_folder(truth, "the folder of the masks");
  const auto ending = files::map_ending(kind);
  const auto names = names_of_maps(maps, ending);
  if (names.empty()) {
    throw InputError(
        text::concat(maps.string(), ": the folder holds no map (*", ending, "); give a folder of results"));
  }
  Evaluation evaluation;
  for (const auto& name : names) {
    if (monitor.stop_requested()) {
      throw Interrupted(text::concat("stopped before ", (maps / name).string(), ending, " was judged"));
    }
    const auto judged = evaluation.cubes.size() + evaluation.without_truth.size();
    monitor.progress(
        {"evaluate maps", static_cast<std::int64_t>(judged), static_cast<std::int64_t>(names.size()), {}});
    const auto mask = find_truth(name, truth);
    if (!mask) {
      evaluation.without_truth.push_back(name);
      continue;
    }
    evaluation.cubes.push_back(judge_files((maps / name).string(), kind, *mask));
    evaluation.cubes.back().name = name;
    const auto stored = engine::read_row((maps / name).string() + std::string(files::kRowEnding));
    evaluation.cubes.back().undecided = stored && stored->row.verdict == decision::Verdict::undecided;
  }
  if (evaluation.cubes.empty()) {
    throw InputError(text::concat("no map below ", maps.string(), " has a truth in ", truth.string(),
                                  "; looked for ", (truth / (names.front() + "_mask.png")).string(),
                                  " (or .tif)", names.size() > 1 ? " and so on" : ""));
  }
  evaluation.mean = mean_quality(evaluation.cubes);
  evaluation.folders = folder_means(evaluation.cubes);
  evaluation.image_auroc = image_auroc(evaluation.cubes);
  evaluation.cube_confusion = cube_confusion(evaluation.cubes);
  return evaluation;
}

}  // namespace hyperdefect::evaluation
