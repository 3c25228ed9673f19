// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/band_transform.h"

#include <algorithm>
#include <utility>

namespace hyperdefect::preprocess {
namespace {

/// The wavelengths that are assumed where none are stated.
constexpr double kNominalFirstNm = 400.0;
constexpr double kNominalLastNm = 1000.0;

/// For each band the bin that it falls into; bins differ in size by one band at the most.
torch::Tensor bins_of(std::int64_t bands, std::int64_t bins) {
  return torch::arange(bands, torch::kLong).mul(bins).floor_divide(bands);
}

torch::Tensor wavelengths_of(const spectral::Bands& bands) {
  return bands.wavelengths_nm.empty()
             ? torch::linspace(kNominalFirstNm, kNominalLastNm, bands.count, torch::kDouble)
             : torch::tensor(bands.wavelengths_nm, torch::kDouble);
}

}  // namespace

BandTransform::BandTransform(const PreprocessOptions& options, spectral::Bands bands)
    : options_(options),
      bands_(std::move(bands)),
      features_(options.bins > 0 ? std::min(options.bins, bands_.count) : bands_.count),
      bin_of_band_(bins_of(bands_.count, features_)) {}

torch::Tensor BandTransform::binned(const torch::Tensor& values) const {
  if (features_ == bands_.count) {
    return values;
  }
  const auto bin = bin_of_band_.to(values.device());
  const auto sums =
      torch::zeros({features_, values.size(1), values.size(2)}, values.options()).index_add_(0, bin, values);
  return sums / torch::bincount(bin).to(values.scalar_type()).view({-1, 1, 1});
}

torch::Tensor BandTransform::transformed(const torch::Tensor& matched) const {
  TORCH_CHECK(matched.dim() == 3 && matched.size(0) == bands_.count, "BandTransform: expected (",
              bands_.count, ", rows, cols), got ", matched.sizes());
  return binned(options_.transform == Transform::log ? matched.clamp_min(options_.log_floor).log() : matched);
}

torch::Tensor BandTransform::physical(const torch::Tensor& transformed) const {
  return options_.transform == Transform::log ? transformed.exp() : transformed;
}

torch::Tensor BandTransform::positions_nm() const {
  return binned(wavelengths_of(bands_).view({-1, 1, 1})).flatten();
}

}  // namespace hyperdefect::preprocess
