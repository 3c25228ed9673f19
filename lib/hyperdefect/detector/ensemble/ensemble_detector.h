// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/config/option.h"
#include "hyperdefect/detector/detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/detector/mean_score.h"

namespace hyperdefect::detector {

/// The section `ensemble`.
struct EnsembleOptions {
  /// Names of the registry.
  std::vector<std::string> members{"autoencoder", "segmenter", "area_filter", "rx"};
  /// One for each member, or none for equal weights.
  std::vector<double> weights;
  double compact_weight = 0.0;
  std::int64_t compact_area_px = 400;
};

void declare(config::Section& section, EnsembleOptions& own, const DetectorOptions& all);

/// Several detectors as one: each is fitted, and the score is the weighted sum of log(1 + x / m) over their
/// scores x, m the mean score over the training data: above the mean it is the number of times that counts,
/// so that a member whose scores reach a hundred times their mean (the segmenter's do, RX reaches three) does
/// not drown the others. The spectral angle is the first member's, and each member's own map x / m is handed
/// out as a part.
///
/// `compact_weight` times its own bright area top hat (image/area_filter.h) is added to each summand, for
/// spots of less than `compact_area_px` pixels that are no more than twice as long as wide. What is
/// left of most false alarms are edges and lines; most defects are compact. Large and long defects keep the
/// score that they had. In the sum a spot that one member sees can be lost among what another sees around it:
/// each member's spots are raised before they are added up.
///
/// What a member then adds at a pixel is at most its fusion_cap() times the mean of what the other
/// members add there: what only the segmenter is sure of is not a defect.
///
///     DetectorOptions options;
///     options.name = "ensemble";
///     options.of<EnsembleOptions>().members = {"rx", "area_filter"};
///     options.of<EnsembleOptions>().weights = {1, 2};
///     Pipeline pipeline(options, bands);  // engine::fit() fits it
class EnsembleDetector : public Detector, private Statistics, public Trainable {
 public:
  /// @throws ConfigError if a member is named twice or is an ensemble itself, or if the weights do not match
  /// the members.
  EnsembleDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess);

  Statistics* statistics() override { return this; }
  Trainable* trainable() override;
  bool adapts() const override;
  void adapt(const preprocess::Preprocessed& tile) override;
  Measurement calibrate(const preprocess::Preprocessed& block) override;
  void finish_calibration() override;
  Measurement measure(const preprocess::Preprocessed& block) const override;
  Score score(const preprocess::Preprocessed& block, const Measurement& measured) const override;
  ReceptiveField receptive_field() const override;
  std::int64_t bytes_per_pixel() const override;
  std::int64_t measurement_bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  struct Member {
    std::string name;
    std::shared_ptr<Detector> detector;
    double weight;
    bool wants_pass = false;
    MeanScore calibration{};
  };

  void accumulate_features(const preprocess::Preprocessed& block) override;
  bool begin() override;
  void accumulate(const preprocess::Preprocessed& block) override;
  bool finalise() override;
  std::int64_t reach_px() const override;
  void initialise(at::Generator& generator) override;
  void begin_epoch() override;
  std::vector<Loss> losses(const Batch& batch, at::Generator& generator) override;

  /// Calls use(member) for each that gathers statistics, or that learns.
  template <class Use>
  void for_each_statistics(const Use& use);
  template <class Use>
  void for_each_trainable(const Use& use);
  /// @param summands (members, rows, cols).
  torch::Tensor bounded_sum(const torch::Tensor& summands) const;

  EnsembleOptions options_;
  std::vector<Member> members_;
  torch::Tensor means_;
};

}  // namespace hyperdefect::detector
