// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <functional>
#include <map>
#include <string>

#include "hyperdefect/preprocess/preprocess.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::preprocess {

/// A block as the detectors see it. What several of them take is computed once, when it is first asked for;
/// so one thread uses a Preprocessed at a time.
class Preprocessed {
 public:
  /// @param block of the model's bands; the Preprocess must outlive it.
  /// @param counted (rows, cols) bool: the pixels that count in statistics. Those of a halo do not, as they
  /// count in another block. All that are valid if it is not defined.
  explicit Preprocessed(const PreprocessImpl& preprocess, const spectral::Block& block,
                        const torch::Tensor& counted = {});

  /// (bands, rows, cols) float32, on the device of the preprocessing.
  const torch::Tensor& values() const { return block_.values; }
  /// (rows, cols) bool.
  const torch::Tensor& valid() const { return block_.valid; }
  /// (rows, cols) bool: what counts in statistics; all of it is valid.
  const torch::Tensor& counted() const { return counted_; }
  const Window& window() const { return block_.window; }
  Size image() const { return block_.image; }
  std::int64_t cube() const { return block_.cube; }

  /// (features, rows, cols): transformed and binned.
  const torch::Tensor& features() const;
  /// (components, rows, cols); 0 if not valid.
  torch::Tensor components(const ComponentSpec& spec) const;
  /// What `make` gives, which is called once for each text: detectors that take the same share it.
  const torch::Tensor& once(const std::string& what, const std::function<torch::Tensor()>& make) const;

 private:
  const PreprocessImpl* preprocess_;
  spectral::Block block_;
  torch::Tensor counted_;
  mutable torch::Tensor features_;
  mutable torch::Tensor scores_;
  mutable std::map<std::string, torch::Tensor> shared_;
};

}  // namespace hyperdefect::preprocess
