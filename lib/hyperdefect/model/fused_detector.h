// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/model/detector.h"
#include "hyperdefect/model/mean_score.h"

namespace hyperdefect::model {

/// Several detectors as one: each is fitted, and the score is the weighted sum of log(1 + x / m) over their
/// scores x, m the mean score over the training data: above the mean it is the number of times that counts,
/// so that a member whose scores reach a hundred times their mean (the segmenter's do, RX reaches three) does
/// not drown the others. The spectral angle is the first member's, and each member's own map x / m is handed
/// out as a part.
///
/// To each summand is added `score.spot_weight` times its own bright area top hat (spectral/area_filter.h),
/// for spots of less than `score.spot_area_px` pixels that are no more than twice as long as wide. What is
/// left of most false alarms are edges and lines; most defects are compact. Large and long defects keep the
/// score that they had. In the sum a spot that one member sees can be lost among what another sees around it:
/// each member's spots are raised before they are added up.
///
/// What a member then adds at a pixel is at most its bound_among_others() times the mean of what the other
/// members add there: what the segmenter alone is sure of is no defect.
class FusedDetector : public Detector {
 public:
  /// @throws ConfigError where a member is named twice or is `fused` itself, or the weights do not match the
  /// members.
  FusedDetector(const DetectorOptions& options, const spectral::Bands& bands);

  const spectral::Bands& bands() const override { return members_.front().detector->bands(); }
  void bind(const spectral::Bands& cube) override;
  void observe(const spectral::Block& block) override;
  bool finish() override;
  bool trainable() const override;
  void begin_epoch() override;
  spectral::Block prepare(const spectral::Block& block) const override;
  std::vector<std::function<void()>> preparations(const Batch& batch, at::Generator& generator) override;
  std::vector<Loss> losses(const Batch& batch, at::Generator& generator) override;
  void calibrate(const spectral::Block& block) override;
  void finish_calibration() override;
  ScoreMaps score(const spectral::Block& block) override;
  Field field() const override;
  std::int64_t bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  struct Member {
    std::string name;
    std::shared_ptr<Detector> detector;
    double weight;
    bool wants_pass = true;
    MeanScore calibration{};
  };

  /// @param summands (members, rows, cols).
  torch::Tensor bounded_sum(const torch::Tensor& summands) const;

  std::vector<Member> members_;
  torch::Tensor means_;
  double spot_weight_;
  std::vector<std::int64_t> spot_areas_px_;
};

}  // namespace hyperdefect::model
