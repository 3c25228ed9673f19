// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/cross_fit.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/platform/device.h"
#include "hyperdefect/preprocess/source_decorator.h"

namespace hyperdefect::engine {
namespace {

/// The fewest rows of a block of a single cube.
constexpr std::int64_t kFewestRows = 4;
/// The gap on each side of a block takes at most this part of the rows.
constexpr std::int64_t kGapPart = 8;

struct Rows {
  std::int64_t first;
  std::int64_t end;
};

/// A cube without some of its rows.
class WithoutRows : public preprocess::SourceDecorator {
 public:
  WithoutRows(std::shared_ptr<preprocess::BlockSource> source, Rows rows)
      : SourceDecorator(std::move(source)), rows_(rows) {}

  spectral::Block read(const Window& window) override {
    auto block = source().read(window);
    const auto first = std::clamp(rows_.first - window.row, std::int64_t{0}, window.rows);
    const auto end = std::clamp(rows_.end - window.row, std::int64_t{0}, window.rows);
    if (first < end) {
      block.valid = block.valid.clone();
      block.valid.slice(0, first, end).fill_(false);
    }
    return block;
  }

 private:
  Rows rows_;
};

/// Says which part it is.
class FoldMonitor : public ProgressMonitor {
 public:
  FoldMonitor(ProgressMonitor& monitor, std::int64_t fold, std::int64_t folds)
      : monitor_(monitor), prefix_(text::concat("part ", fold + 1, " of ", folds, ": ")) {}
  void progress(const Progress& now) override {
    auto named = now;
    named.task = prefix_ + now.task;
    monitor_.progress(named);
  }
  bool stop_requested() const override { return monitor_.stop_requested(); }

 private:
  ProgressMonitor& monitor_;
  std::string prefix_;
};

/// The division into parts, and the fit to all but one of them.
class CrossFit {
 public:
  CrossFit(const model::FittedModel& model, const FitJob& job, std::int64_t folds)
      : model_(model), job_(job), folds_(folds), maps_(job.sources.size()) {}

  std::vector<torch::Tensor> run(ProgressMonitor& monitor) {
    for (std::int64_t fold = 0; fold < folds_; ++fold) {
      FoldMonitor named(monitor, fold, folds_);
      const auto detector = fitted_without(fold, named);
      single() ? score_rows(*detector, fold, named) : score_cubes(*detector, fold, named);
    }
    return std::move(maps_);
  }

 private:
  bool single() const { return job_.sources.size() == 1; }
  bool is_in(std::size_t cube, std::int64_t fold) const {
    return static_cast<std::int64_t>(cube) % folds_ == fold;
  }

  Rows rows_of(std::int64_t fold) const {
    const auto rows = job_.sources.front()->size().rows;
    return {rows * fold / folds_, rows * (fold + 1) / folds_};
  }

  Rows with_gap(const Rows& block) const {
    const auto rows = job_.sources.front()->size().rows;
    const auto gap = std::min(model_.detector->receptive_field().halo, rows / kGapPart);
    return {std::max<std::int64_t>(0, block.first - gap), std::min(rows, block.end + gap)};
  }

  std::shared_ptr<detector::Pipeline> fitted_without(std::int64_t fold, ProgressMonitor& monitor) const {
    FitJob job = job_;
    job.checkpoint.clear();
    job.resume = false;
    job.extremes.reset();  // they were named when the model was fitted
    job.seed = derive_seed(job_.seed, text::concat("part ", fold));
    if (single()) {
      job.sources = {std::make_shared<WithoutRows>(job_.sources.front(), with_gap(rows_of(fold)))};
    } else {
      job.sources.clear();
      for (std::size_t cube = 0; cube < job_.sources.size(); ++cube) {
        if (!is_in(cube, fold)) {
          job.sources.push_back(job_.sources[cube]);
        }
      }
    }
    auto detector = std::make_shared<detector::Pipeline>(model_.config.detector, model_.detector->bands());
    detector->to(platform::device_of(model_.config.run.device));
    fit(*detector, job, monitor);
    return detector;
  }

  void score_cubes(const detector::Pipeline& detector, std::int64_t fold, ProgressMonitor& monitor) {
    for (std::size_t cube = 0; cube < job_.sources.size(); ++cube) {
      if (is_in(cube, fold)) {
        maps_[cube] = score_map(detector, *job_.sources[cube], job_.ram_mb, monitor);
      }
    }
  }

  void score_rows(const detector::Pipeline& detector, std::int64_t fold, ProgressMonitor& monitor) {
    const auto map = score_map(detector, *job_.sources.front(), job_.ram_mb, monitor);
    if (!maps_.front().defined()) {
      maps_.front() = torch::full_like(map, std::numeric_limits<float>::quiet_NaN());
    }
    const auto [first, end] = rows_of(fold);
    maps_.front().slice(0, first, end).copy_(map.slice(0, first, end));
  }

  const model::FittedModel& model_;
  const FitJob& job_;
  std::int64_t folds_;
  std::vector<torch::Tensor> maps_;
};

}  // namespace

torch::Tensor score_map(const detector::Pipeline& detector, preprocess::BlockSource& source,
                        std::int64_t ram_mb, ProgressMonitor& monitor) {
  const auto maps = predict(detector, source, ram_mb, monitor);
  const auto bad = maps.score.isfinite().logical_not().logical_and(maps.valid).sum().item<std::int64_t>();
  if (bad > 0) {
    throw InputError(text::concat(source.name(), ": the scores of ", text::pluralise(bad, "valid pixel"),
                                  " are not finite; look for extreme values in the cube"));
  }
  return maps.score.masked_fill(maps.valid.logical_not(), std::numeric_limits<float>::quiet_NaN());
}

std::int64_t possible_folds(const std::vector<Size>& cubes, std::int64_t asked) {
  const auto most =
      cubes.size() == 1 ? cubes.front().rows / kFewestRows : static_cast<std::int64_t>(cubes.size());
  const auto folds = std::min(asked, most);
  return folds >= 2 ? folds : 0;
}

decision::NormalScores held_out_scores(const model::FittedModel& model, const FitJob& job,
                                       ProgressMonitor& monitor) {
  std::vector<Size> sizes;
  for (const auto& source : job.sources) {
    sizes.push_back(source->size());
  }
  const auto folds = possible_folds(sizes, model.config.threshold.folds);
  if (folds > 0) {
    return {CrossFit(model, job, folds).run(monitor), false};
  }
  decision::NormalScores scores;
  scores.in_sample = true;
  for (const auto& source : job.sources) {
    scores.maps.push_back(score_map(*model.detector, *source, job.ram_mb, monitor));
  }
  return scores;
}

}  // namespace hyperdefect::engine
