// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/batchnorm.h>

#include <cstdint>

namespace hyperdefect::nn {

class BatchNormImpl;

/// Where batch normalisations take their statistics from instead of their own; see NormStatistics. One is in
/// use on a thread at a time.
class NormSource {
 public:
  virtual ~NormSource() = default;
  /// @return x (N, C, rows, cols), normalised.
  virtual torch::Tensor normalised(const BatchNormImpl& norm, const torch::Tensor& x) = 0;

  /// While it lives, the batch normalisations on this thread ask the source.
  class Use {
   public:
    explicit Use(NormSource& source);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    NormSource* before_;
  };
};

/// torch's BatchNorm2d, which a NormSource may lead to other statistics: so a network can be shared by
/// threads that use it with different ones.
///
///     BatchNorm norm(48);
///     const auto own = norm(x);  // with its own statistics
///     const NormSource::Use use(source);
///     const auto other = norm(x);  // with those of the source
class BatchNormImpl : public torch::nn::BatchNorm2dImpl {
 public:
  explicit BatchNormImpl(std::int64_t channels);
  // NOLINTNEXTLINE(bugprone-derived-method-shadowing-base-method): torch calls it through the holder's type.
  torch::Tensor forward(const torch::Tensor& x);
  /// x normalised by these statistics (C), scaled and shifted by the weights.
  torch::Tensor normalised(const torch::Tensor& x, const torch::Tensor& mean,
                           const torch::Tensor& variance) const;

  /// The place of its first channel among those of all normalisations of its network.
  std::int64_t first_channel = 0;
};
TORCH_MODULE(BatchNorm);

}  // namespace hyperdefect::nn
