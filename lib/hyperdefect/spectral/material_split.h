// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <optional>
#include <vector>

namespace hyperdefect::spectral {

/// Tells two materials apart by a linear function of the logarithm of a spectrum.
struct MaterialSplit {
  /// One weight a band.
  std::vector<double> weights;
  /// Where the function is zero: half-way between the two materials.
  double offset = 0;
  /// Smaller values, which have no or no meaningful logarithm, count as this one.
  double floor = 0;

  /// The same with the two materials exchanged.
  MaterialSplit opposite() const;
};

/// weights . log(max(x, floor)) - offset of each spectrum: (bands, ...) -> (...) float64. Positive values are
/// of the upper material.
torch::Tensor split_values(const torch::Tensor& spectra, const MaterialSplit& split);

/// A split that was found, and how clear it is.
struct FoundSplit {
  MaterialSplit split;
  /// From the split to the median value of each material.
  double half_distance = 0;
  /// The share of the spectra that are of the upper material.
  double upper_share = 0;
  /// The spectra in the middle third between the medians of the two materials, as a part of the smaller
  /// material's: small if there are two, about 0.3 if there is one that was cut in halves.
  double between = 0;
  /// The same as a part of all spectra.
  double share_between = 0;
  /// Brightness (geometric mean over the bands) of the upper material's median spectrum, by the lower's.
  double brightness_ratio = 1;
};

/// Looks for two materials in spectra (n, bands): among the leading principal components of the log spectra,
/// and of their shapes (without brightness), the one with the emptiest middle, each turned towards the linear
/// discriminant (R. A. Fisher, 1936) as long as its middle becomes emptier. Splits whose materials differ by
/// less than a fifth, and materials of less than 1 % of the spectra, do not count.
/// @return nothing if there is no such split. Whether the one found is clear is for the caller to say.
std::optional<FoundSplit> find_material_split(const torch::Tensor& spectra);

/// The 99th percentile of the brightness of spectra (n, bands), by the 1st.
double brightness_range(const torch::Tensor& spectra);

}  // namespace hyperdefect::spectral
