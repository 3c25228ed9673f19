// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/cube_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/cube_stamp.h"
#include "hyperdefect/engine/product_region.h"
#include "hyperdefect/engine/result_files.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/files/file_stamp.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/io/map_writer.h"
#include "hyperdefect/io/overlay.h"
#include "hyperdefect/metric/quantile.h"

namespace hyperdefect::engine {
namespace {

constexpr double kTailQuantile = 0.99;
constexpr std::uint8_t kInvalid = 255;

struct Summary {
  double max = std::nan("");
  double mean = std::nan("");
  double p99 = std::nan("");
};

Summary summary_of(const torch::Tensor& map) {
  const auto finite = map.index({map.isfinite()}).to(torch::kDouble);
  if (finite.numel() == 0) {
    return {};
  }
  return {finite.max().item<double>(), finite.mean().item<double>(),
          metric::quantile_of(finite, kTailQuantile)};
}

/// 0 normal, 1 marked, 255 invalid or outside of the region.
torch::Tensor defect_map(const ScoredCube& scored, const decision::Objects& objects) {
  const auto marked = objects.labels.gt(0).to(torch::kByte);
  return torch::where(scored.maps.valid, marked, torch::full_like(marked, kInvalid));
}

/// The false-alarm probability of scores that are its -log10.
torch::Tensor probability_of(const torch::Tensor& decades) {
  return torch::pow(10.0, -decades).clamp_max(1.0);
}

/// The strongest objects, best first; so many fit into a STEM.json that is still read quickly.
std::vector<decision::DetectedObject> strongest(std::vector<decision::DetectedObject> objects) {
  constexpr std::size_t kMost = 1000;
  std::stable_sort(objects.begin(), objects.end(),
                   [](const auto& a, const auto& b) { return a.evidence > b.evidence; });
  objects.resize(std::min(objects.size(), kMost));
  return objects;
}

/// The bands of the overlay's view, read in pieces so that no more than them is held.
torch::Tensor read_view(preprocess::BlockSource& source, std::int64_t ram_mb) {
  const auto& all_bands = source.bands();
  const auto bands = torch::tensor(io::display_bands(all_bands), torch::kLong);
  const auto size = source.size();
  auto view = torch::zeros({bands.numel(), size.rows, size.cols});
  const PlanLimits limits{
      all_bands.count * static_cast<std::int64_t>(sizeof(float)) * 2, ram_mb << 20, {1, 1}};
  for (const auto& window : plan_windows(size, ReceptiveField{}, limits)) {
    const auto block = source.read(window.write);
    image::crop(view, window.write).copy_(block.values.index_select(0, bands));
  }
  return view;
}

/// (rows, cols) bool like `valid`: what is not in the region, if there is one.
torch::Tensor outside(const torch::Tensor& region, const torch::Tensor& valid) {
  return region.defined() ? region.logical_not() : torch::zeros_like(valid);
}

std::map<std::string, std::string> tags_of(const Provenance& made_with, double threshold) {
  std::map<std::string, std::string> tags{{"HYPERDEFECT_VERSION", made_with.version},
                                          {"HYPERDEFECT_THRESHOLD", text::to_text(threshold)},
                                          {"HYPERDEFECT_CONFIGURATION", made_with.configuration}};
  if (!made_with.model.empty()) {
    tags["HYPERDEFECT_MODEL"] = made_with.model;
  }
  return tags;
}

/// A cube as a source that keeps what its reader saw of each pixel.
class OpenCube {
 public:
  OpenCube(const files::CubeInput& input, const model::RunConfig& config, CubeScorer& scorer,
           ProgressMonitor& monitor)
      : file_(input.path, config.data) {
    apply_region_file(file_, input, config.data);
    scorer.prepare(file_, monitor);
    const auto bytes = file_.size().pixels() * file_.bands().count * static_cast<std::int64_t>(sizeof(float));
    if (bytes <= (config.run.ram_mb << 20) / 4) {
      in_memory_.emplace(file_);
    }
  }
  const CubeSource& file() const { return file_; }
  preprocess::BlockSource& source() {
    return in_memory_ ? static_cast<preprocess::BlockSource&>(*in_memory_) : file_;
  }

 private:
  CubeSource file_;
  std::optional<MemorySource> in_memory_;
};

/// All that is read of a cube, and what was made of it.
struct Measured {
  ScoredCube scored;
  decision::Objects objects;
  torch::Tensor defects;
  /// Of the overlay; undefined without one. What lies outside of the region is shown too.
  torch::Tensor view;
};

class CubeRun {
 public:
  CubeRun(const BatchJob& job, const files::CubeInput& cube, CubeScorer& scorer, ProgressMonitor& monitor)
      : job_(job),
        input_(cube),
        scorer_(scorer),
        monitor_(monitor),
        files_(job.output, cube.relative),
        before_(stamp_of(cube, job.config.data)) {}

  ResultRow run() {
    const auto start = std::chrono::steady_clock::now();
    row_.file = input_.path.string();
    if (const auto measured = measure()) {
      make_folder(files_.folder());
      write_maps(*measured);
      describe(*measured);
      row_.input = before_;
    } else {
      remove_model();
      make_folder(files_.folder());
    }
    row_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    write_row(files_.row(), row_, job_.made_with);
    return row_;
  }

 private:
  /// Nothing where the cube changed while it was read: neither what was measured then nor what failed then
  /// says anything about it.
  std::optional<Measured> measure() {
    try {
      cube_.emplace(input_, job_.config, scorer_, monitor_);
      auto measured = measure_open(*cube_);
      return changed_meanwhile() ? std::nullopt : std::optional(std::move(measured));
    } catch (const Interrupted&) {
      throw;
    } catch (const StorageError&) {
      throw;
    } catch (const std::exception&) {
      if (!changed_meanwhile()) {
        throw;
      }
      return std::nullopt;
    }
  }

  Measured measure_open(OpenCube& cube) const {
    Measured measured;
    measured.scored = scorer_.score(cube.source(), input_.relative, monitor_);
    const auto& valid = measured.scored.maps.valid;
    if (!valid.any().item<bool>()) {
      throw InputError(
          "no pixel is valid, so there is nothing to judge; check no-data values and the cube's content");
    }
    measured.objects = decision::find_objects(measured.scored.maps.score, valid, measured.scored.rule);
    decision::measure_angles(measured.objects, measured.scored.maps.sad_rad);
    measured.defects = defect_map(measured.scored, measured.objects);
    if (job_.config.output.overlay) {
      measured.view = io::quicklook(read_view(cube.source(), job_.config.run.ram_mb), valid,
                                    outside(cube.file().region(), valid));
    }
    return measured;
  }

  bool changed_meanwhile() {
    const auto change = files::change_between(before_, stamp_of(input_, job_.config.data));
    if (change.empty()) {
      return false;
    }
    row_.verdict = decision::Verdict::undecided;
    row_.reason =
        text::concat("it changed while it was read (", change, "): judge it again when it is complete");
    for (double* value :
         {&row_.score_max, &row_.score_mean, &row_.score_p99, &row_.sad_max, &row_.sad_mean, &row_.sad_p99,
          &row_.threshold, &row_.min_evidence, &row_.valid_share, &row_.region_share, &row_.drift}) {
      *value = std::nan("");
    }
    return true;
  }

  /// A scorer that keeps its model has written it by now.
  void remove_model() const {
    std::error_code ignored;
    if (job_.saves_models) {
      std::filesystem::remove(files_.model(), ignored);
    }
  }

  void write_maps(const Measured& measured) {
    const auto& maps = measured.scored.maps;
    const double threshold = measured.scored.rule.threshold;
    write_map(files_.score(), maps.score, threshold, std::nan(""));
    if (job_.config.output.sad) {
      write_map(files_.sad(), maps.sad_rad, threshold, std::nan(""));
    }
    write_map(files_.defects(), measured.defects, threshold, kInvalid);
    if (job_.config.output.p_value &&
        job_.config.score.calibration == model::Calibration::false_alarm_probability) {
      write_map(files_.p_value(), probability_of(maps.score), threshold, std::nan(""));
    }
    if (job_.config.output.parts) {
      for (const auto& [detector, map] : maps.parts) {
        write_map(files_.part(detector), map, threshold, std::nan(""));
      }
    }
    if (job_.config.output.overlay) {
      io::write_overlay(files_.overlay(),
                        {measured.view, maps.score, measured.defects, cube_->file().region()}, threshold);
      note_written(files_.overlay());
    }
    if (job_.saves_models) {
      note_written(files_.model());
    }
  }

  void write_map(const std::filesystem::path& file, const torch::Tensor& map, double threshold,
                 double no_data) {
    io::write_map(file, map, cube_->file().info().georeference, tags_of(job_.made_with, threshold), no_data);
    note_written(file);
  }

  void note_written(const std::filesystem::path& file) {
    row_.files.push_back(
        {file.filename().string(), static_cast<std::int64_t>(std::filesystem::file_size(file))});
  }

  void describe(const Measured& measured) {
    const auto& cube = cube_->file();
    row_.rows = cube.size().rows;
    row_.cols = cube.size().cols;
    row_.bands = cube.bands().count;
    count(measured.objects);
    row_.white_reference = cube.references().white.string();
    row_.dark_reference = cube.references().dark.string();
    row_.dead_elements = cube.dead_elements();
    const auto outside_region = outside(cube.region(), measured.scored.maps.valid);
    row_.invalid_pixels =
        measured.defects.eq(kInvalid).logical_and(outside_region.logical_not()).sum().item<std::int64_t>();
    row_.valid_share = decision::valid_share_of(cube.pixel_states());
    row_.region_share = decision::region_share_of(cube.pixel_states());
    const auto score = summary_of(measured.scored.maps.score);
    const auto sad = summary_of(measured.scored.maps.sad_rad);
    row_.score_max = score.max, row_.score_mean = score.mean, row_.score_p99 = score.p99;
    row_.sad_max = sad.max, row_.sad_mean = sad.mean, row_.sad_p99 = sad.p99;
    row_.threshold = measured.scored.rule.threshold;
    row_.min_evidence = measured.scored.rule.min_evidence;
    const auto& drift = measured.scored.drift;
    row_.drift = drift ? drift->p_value : std::nan("");
    const auto judgement = decision::judgement_of(
        {cube.pixel_states(), measured.scored.maps.score, measured.scored.maps.valid, row_.threshold,
         row_.defects, row_.objects, measured.scored.rule.min_pixels, measured.scored.reference,
         cube.common_share(), job_.config.data.min_valid_share, drift_in_words(drift)});
    row_.verdict = judgement.verdict;
    row_.reason = judgement.reason;
  }

  /// Why the cube cannot be judged by its scores, or "".
  std::string drift_in_words(const std::optional<model::Drift>& drift) const {
    if (!drift || drift->what.empty()) {
      return {};
    }
    return text::concat("as a whole it differs from the training cubes (drift is ",
                        text::two_digits(drift->p_value), ", drift.limit ",
                        text::two_digits(job_.config.drift.limit), "): ", drift->what);
  }

  void count(const decision::Objects& objects) {
    row_.objects = static_cast<std::int64_t>(objects.found.size());
    row_.strongest_objects = strongest(objects.found);
    for (const auto& object : objects.found) {
      row_.marked_pixels += object.area_px;
      row_.defects += object.is_defect ? 1 : 0;
      row_.defect_pixels += object.is_defect ? object.area_px : 0;
      row_.evidence_max = std::max(row_.evidence_max, object.evidence);
    }
  }

  const BatchJob& job_;
  const files::CubeInput& input_;
  CubeScorer& scorer_;
  ProgressMonitor& monitor_;
  ResultFiles files_;
  files::CubeStamp before_;
  std::optional<OpenCube> cube_;
  ResultRow row_;
};

}  // namespace

ResultRow run_cube(const BatchJob& job, const files::CubeInput& cube, CubeScorer& scorer,
                   ProgressMonitor& monitor) {
  return CubeRun(job, cube, scorer, monitor).run();
}

}  // namespace hyperdefect::engine
