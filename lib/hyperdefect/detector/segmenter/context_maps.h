// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "hyperdefect/preprocess/preprocessed.h"
#include "hyperdefect/preprocess/spectrum_sample.h"

#include <cstdint>
#include <vector>

namespace hyperdefect::detector {

/// Classical views of how much a pixel differs, computed from whitened components: what the segmenter looks
/// at beside the components themselves.
///
/// The M maps are, in this order: for each of four areas the norm of the area top hats (what is brighter or
/// darker than its surroundings, smaller than the area and no line), the Mahalanobis distance to the mean,
/// the norm of the components, and for each of three rings the distance to the ring's mean.
///
///     ContextMaps context(spec.count);
///     context->set_scales(*preprocess, spec);
///     const auto maps = context->maps(block.components(spec), block.valid());
///     context->accumulate(maps, block);  // for each training block
///     context->finalise();
///     const auto inputs = context->logarithms(maps);
class ContextMapsImpl : public torch::nn::Module {
 public:
  explicit ContextMapsImpl(std::int64_t components);

  /// How many maps there are.
  std::int64_t count() const;
  /// Takes the scales of the components from the preprocessing. @param spec of the components that maps()
  /// gets.
  void set_scales(const preprocess::PreprocessImpl& preprocess, const preprocess::ComponentSpec& spec);

  /// (components, rows, cols) and their validity (rows, cols) -> (M, rows, cols) on the CPU, not negative.
  /// @param area_norms what area_norms_of() gives for the same block; not defined if that is not known.
  torch::Tensor maps(const torch::Tensor& components, const torch::Tensor& valid,
                     const torch::Tensor& area_norms = {}) const;
  /// (areas, rows, cols): the norms of what area filters take out of a block.
  static torch::Tensor area_norms_of(const preprocess::PreprocessImpl& preprocess,
                                     const preprocess::Preprocessed& block);

  /// Gathers maps of normal-looking scenes; finalise() turns them into the buffers. @throws InputError from
  /// finalise() if no pixel counted.
  void accumulate(const torch::Tensor& maps, const preprocess::Preprocessed& block);
  void finalise();

  /// (M, rows, cols) maps -> the logarithms of the maps in units of their training means.
  torch::Tensor logarithms(const torch::Tensor& maps) const;
  /// Maps -> (rows, cols) bool: the pixels whose area norms and Mahalanobis distance, added up,
  /// are among the highest 2 % of the training data. They may be the scene's own defects, so they cannot
  /// serve as examples of normal pixels.
  torch::Tensor suspicious(const torch::Tensor& maps) const;

  /// Pixels around a pixel that its maps depend on.
  static std::int64_t halo();

 private:
  torch::Tensor plain_score(const torch::Tensor& maps) const;

  /// (components): from the components to those that the area filter takes, and to full whitening.
  torch::Tensor to_area_;
  torch::Tensor to_white_;
  torch::Tensor means_;
  torch::Tensor limit_;
  preprocess::SpectrumSample sample_;
};
TORCH_MODULE(ContextMaps);

}  // namespace hyperdefect::detector
