// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/cross_fit.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/platform/device.h"
#include "hyperdefect/platform/task_pool.h"
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

/// A cube that several fits read at the same time.
class SharedSource : public preprocess::SourceDecorator {
 public:
  SharedSource(std::shared_ptr<preprocess::BlockSource> source, std::shared_ptr<std::mutex> reading)
      : SourceDecorator(std::move(source)), reading_(std::move(reading)) {}

  spectral::Block read(const Window& window) override {
    const std::scoped_lock lock(*reading_);
    return source().read(window);
  }

 private:
  std::shared_ptr<std::mutex> reading_;
};

/// Of the parts that are worked on at the same time, the first one says how far it has come.
class PartsMonitor {
 public:
  PartsMonitor(ProgressMonitor& monitor, std::int64_t folds)
      : monitor_(monitor), is_done_(static_cast<std::size_t>(folds), false) {}

  void progress(std::int64_t fold, Progress now) {
    const std::scoped_lock lock(mutex_);
    if (fold == first_not_done()) {
      now.task = text::concat("part ", fold + 1, " of ", is_done_.size(), ": ", now.task);
      monitor_.progress(now);
    }
  }
  void is_done(std::int64_t fold) {
    const std::scoped_lock lock(mutex_);
    is_done_[static_cast<std::size_t>(fold)] = true;
  }
  bool stop_requested() const { return monitor_.stop_requested(); }

 private:
  std::int64_t first_not_done() const {
    return std::find(is_done_.begin(), is_done_.end(), false) - is_done_.begin();
  }

  ProgressMonitor& monitor_;
  std::mutex mutex_;
  std::vector<bool> is_done_;
};

class FoldMonitor : public ProgressMonitor {
 public:
  FoldMonitor(PartsMonitor& parts, std::int64_t fold) : parts_(parts), fold_(fold) {}
  void progress(const Progress& now) override { parts_.progress(fold_, now); }
  bool stop_requested() const override { return parts_.stop_requested(); }

 private:
  PartsMonitor& parts_;
  std::int64_t fold_;
};

/// The division into parts, and the fits to all but one of them. They are independent: small networks take
/// less time side by side, with a share of the threads each.
class CrossFit {
 public:
  CrossFit(const model::FittedModel& model, const FitJob& job, std::int64_t folds)
      : model_(model), job_(job), folds_(folds), maps_(job.sources.size()) {
    const auto reading = std::make_shared<std::mutex>();
    for (auto& source : job_.sources) {
      source = std::make_shared<SharedSource>(source, reading);
    }
    if (single()) {
      const auto size = job_.sources.front()->size();
      maps_.front() = torch::full({size.rows, size.cols}, std::numeric_limits<float>::quiet_NaN());
    }
  }

  std::vector<torch::Tensor> run(ProgressMonitor& monitor) {
    PartsMonitor parts(monitor, folds_);
    std::vector<std::function<void()>> tasks;
    for (std::int64_t fold = 0; fold < folds_; ++fold) {
      tasks.emplace_back([this, &parts, fold] {
        FoldMonitor named(parts, fold);
        const auto detector = fitted_without(fold, named);
        single() ? score_rows(*detector, fold, named) : score_cubes(*detector, fold, named);
        parts.is_done(fold);
      });
    }
    platform::TaskPool pool(platform::device_of(model_.config.run.device));
    job_.ram_mb = std::max<std::int64_t>(1, job_.ram_mb / pool.at_once(tasks.size()));
    pool.run(tasks);
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
    const auto [first, end] = rows_of(fold);
    maps_.front().slice(0, first, end).copy_(map.slice(0, first, end));
  }

  const model::FittedModel& model_;
  FitJob job_;
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
