// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace hyperdefect::decision {

/// What is said of a cube; none of one that failed.
enum class Verdict { none, accepted, rejected, undecided };

/// "accepted", "rejected", "undecided"; "" for none.
std::string to_string(Verdict verdict);
/// The verdict of that name; none for any other text.
Verdict verdict_named(std::string_view name);

/// What the share of valid pixels of a cube is measured against.
struct ValidReference {
  /// The share that counts as whole: the smallest among the training cubes, or 1 for a scene.
  double share = 1.0;
  /// Whether missing pixels that touch the image's border, the edge of a flight line, are left out of
  /// account.
  bool border_excused = false;
};

/// What a verdict rests upon.
struct Evidence {
  /// (rows, cols) uint8 of format::PixelState, of the whole cube.
  torch::Tensor states;
  /// (rows, cols) float32, and (rows, cols) bool: which of these scores count.
  torch::Tensor score;
  torch::Tensor valid;
  double threshold = 0.0;
  std::int64_t defects = 0;
  /// Marked objects, defects among them.
  std::int64_t objects = 0;
  /// Of the smallest defect.
  std::int64_t min_pixels = 1;
  ValidReference reference;
  /// The share of all pixels that hold one and the same spectrum.
  double common_share = 0.0;
  /// The smallest share of valid pixels that suffices, as a part of the reference.
  double min_valid_share = 0.95;
  /// How the cube as a whole differs from what the scores were made for; "" if it does not.
  std::string drift{};
};

/// A verdict and why; the reason is "" for an accepted cube without a marked object.
struct Judgement {
  Verdict verdict = Verdict::none;
  std::string reason;
};

/// Undecided if the cube drifted: then its scores mean nothing, high or low; the reason names defects, too.
/// Else rejected if a defect was found: missing data do not make a bad part good; the reason then names both.
/// Else undecided if anything speaks against trusting what was measured:
///  - the threshold, or the score of a valid pixel, is not finite;
///  - 99 % of the pixels hold one and the same spectrum: no camera sees that;
///  - the share of valid pixels is below min_valid_share of the reference;
///  - pixels inside the image that are not finite, saturated or all zero touch each other (also by a corner)
///    and are as many as the smallest defect: a defect may look like that. Declared no data, what touches the
///    image's border, and columns and rows that are invalid from end to end (a dead detector element, a lost
///    line) are no such islands; a saturated part is one even if missing pixels join it to the border.
/// Pixels outside of the product's region count for nothing. Its border is to missing pixels what the image's
/// is, but does not excuse a saturated part.
/// Else accepted.
///
///     Evidence evidence;
///     evidence.states = cube.pixel_states();
///     evidence.score = scored.maps.score;
///     evidence.valid = scored.maps.valid;
///     evidence.threshold = scored.threshold;
///     evidence.reference = scored.reference;
///     const Judgement judgement = judgement_of(evidence);
Judgement judgement_of(const Evidence& evidence);

/// The share of valid pixels among those of the region in states (rows, cols) of format::PixelState, in
/// [0, 1]; 0 if the region is empty.
double valid_share_of(const torch::Tensor& states);
/// The share of the image that is inside the region.
double region_share_of(const torch::Tensor& states);

}  // namespace hyperdefect::decision
