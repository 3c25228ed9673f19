// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "hyperdefect/preprocess/block_source.h"
#include "support/scenes.h"

namespace hyperdefect::test {

/// A cube in memory that hands out its blocks.
class MemoryBlocks : public preprocess::BlockSource {
 public:
  /// @param values (bands, rows, cols) @param valid (rows, cols) bool; all of it if it is not defined.
  explicit MemoryBlocks(const torch::Tensor& values, const torch::Tensor& valid = {})
      : scene_(whole_block(values)), bands_(regular_bands(values.size(0))) {
    if (valid.defined()) {
      scene_.valid = valid;
    }
  }

  std::string name() const override { return "cube"; }
  Size size() const override { return scene_.image; }
  const spectral::Bands& bands() const override { return bands_; }
  spectral::Block read(const Window& window) override { return cut(scene_, window); }

 private:
  spectral::Block scene_;
  spectral::Bands bands_;
};

inline std::shared_ptr<MemoryBlocks> memory_blocks(const torch::Tensor& values,
                                                   const torch::Tensor& valid = {}) {
  return std::make_shared<MemoryBlocks>(values, valid);
}

}  // namespace hyperdefect::test
