// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/spectral/types.h"

namespace hyperdefect::preprocess {

/// Anything that hands out pieces of a cube: a file, a tensor in memory.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  /// What a message calls it.
  virtual std::string name() const = 0;
  virtual Size size() const = 0;
  virtual const spectral::Bands& bands() const = 0;
  /// The bands, counted from 0, that hold no value in the whole image; bands() marks them as bad.
  virtual std::vector<std::int64_t> empty_bands() const { return {}; }
  /// Whether white and dark references convert the values to reflectance.
  virtual bool is_reflectance() const { return false; }
  /// @throws InputError if the pixels cannot be read.
  virtual spectral::Block read(const Window& window) = 0;
};

}  // namespace hyperdefect::preprocess
