// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/format/pixel_state.h"
#include "hyperdefect/spectral/reflectance.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::io {

/// One exact spectrum that many valid pixels of a cube share.
struct CommonSpectrum {
  /// Of all pixels of the region, valid or not; in [0, 1].
  double share = 0;
  /// The raw values of the used bands.
  std::vector<double> values;
};

/// Reads windows of a cube. A reader belongs to one thread; take one a thread.
class CubeReader {
 public:
  /// Opens the cube. @throws InputError if it cannot be opened, or is no longer what `info` says.
  explicit CubeReader(format::CubeInfo info, format::ReadOptions options = {});
  ~CubeReader();
  CubeReader(CubeReader&&) noexcept;
  CubeReader& operator=(CubeReader&&) noexcept;

  const format::CubeInfo& info() const { return info_; }

  /// Says which bands, one flag a band, decide whether a pixel is valid; at first these are the good bands.
  void use_bands(std::vector<bool> used);

  /// From here on values are reflectance, in place of what scale and offset give. Dead elements of the
  /// detector are interpolated from used bands and do not make a pixel invalid; in a column that is dead in
  /// all used bands no pixel is valid. @param converter of the cube's bands and columns
  void convert_to_reflectance(spectral::ReflectanceConverter converter);

  /// Says which pixels are the product's; at first, and if it is not defined, all of them. The others are
  /// PixelState::outside, and count for nothing below. What was read before does not count as read.
  /// @param region (rows, cols) bool
  void set_region(const torch::Tensor& region);
  /// (rows, cols) bool, or not defined.
  const torch::Tensor& region() const;

  /// All bands of a window, (bands, rows, cols), with one access to the file. Validity is decided on raw
  /// values: a pixel is invalid if it is outside of the region, if the file's mask or alpha band hides it, if
  /// a used band is no-data, not finite (also as float32, and after scaling) or saturated, or if all used
  /// bands are zero. Scale and offset are applied after that, unless the options say otherwise or values
  /// become reflectance; values of
  /// bands that are not used are set to zero if they are not finite. @throws InputError if the file cannot be
  /// read.
  spectral::Block read(const Window& window);

  /// The used bands that hold no value in the whole image: all is no data, masked or not finite. Empty if
  /// that is so for every used band, since then it is the image that is empty.
  /// @param step called between reads: windows done and their number. @throws InputError
  std::vector<std::int64_t> empty_bands(const std::function<void(std::int64_t, std::int64_t)>& step);
  /// From here on these bands are bad and not used.
  void leave_out(const std::vector<std::int64_t>& bands);

  /// The exact spectra, over the used bands, that more than `share` of the region's pixels have and that are
  /// valid; the most common first. Shares of large images are estimated on evenly spaced rows.
  /// Warns if float32 is too coarse for the values that are looked at.
  /// @throws InputError
  std::vector<CommonSpectrum> common_spectra(double share);

  /// (rows, cols) uint8, the PixelState of every pixel of the image as the windows read so far showed it.
  const torch::Tensor& pixel_states() const { return states_; }

 private:
  struct Source;

  format::CubeInfo info_;
  format::ReadOptions options_;
  std::vector<bool> used_;
  torch::Tensor states_;
  std::unique_ptr<Source> source_;
};

}  // namespace hyperdefect::io
