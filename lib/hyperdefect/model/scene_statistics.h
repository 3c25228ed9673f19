// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "hyperdefect/model/preprocess.h"
#include "hyperdefect/model/spectrum_sample.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::model {

/// The statistics passes that every detector on whitened components begins with: what Preprocess needs, a
/// second pass without the pixels farthest out where `trim_fraction` asks for it, and an even sample of the
/// spectra on the way.
class SceneStatistics {
 public:
  /// @param capacity how many spectra the sample holds.
  SceneStatistics(const PreprocessOptions& options, std::int64_t capacity)
      : trims_(options.trim_fraction > 0), capacity_(capacity), sample_(capacity) {}

  /// A block of a cube that `preprocess` is bound to.
  void observe(PreprocessImpl& preprocess, const spectral::Block& block);
  /// Closes a pass. @return whether another one is wanted.
  /// @throws InputError where there are too few valid pixels to learn from.
  bool finish(PreprocessImpl& preprocess);

  /// (capacity, components): the sampled spectra, whitened on the device where `preprocess` is; repeated
  /// where the pixels were fewer. To be called once, when finish() wants no more.
  torch::Tensor take_spectra(const PreprocessImpl& preprocess);

 private:
  bool trims_;
  std::int64_t capacity_;
  bool trimmed_ = false;
  SpectrumSample sample_;
};

}  // namespace hyperdefect::model
