// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hyperdefect/preprocess/block_source.h"

namespace hyperdefect::preprocess {

/// A source that changes what another one reads, and is like it in all else.
class SourceDecorator : public BlockSource {
 public:
  explicit SourceDecorator(std::shared_ptr<BlockSource> source) : source_(std::move(source)) {}

  std::string name() const override { return source_->name(); }
  Size size() const override { return source_->size(); }
  const spectral::Bands& bands() const override { return source_->bands(); }
  std::vector<std::int64_t> empty_bands() const override { return source_->empty_bands(); }
  bool is_reflectance() const override { return source_->is_reflectance(); }

 protected:
  BlockSource& source() { return *source_; }

 private:
  std::shared_ptr<BlockSource> source_;
};

}  // namespace hyperdefect::preprocess
