// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstring>
#include <map>
#include <string>

#include "fuzz/fuzz.h"

namespace hyperdefect::fuzz {

using Tensors = std::map<std::string, torch::Tensor>;

inline std::size_t bytes_of(const Tensors& tensors) {
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    bytes += tensor.nbytes();
  }
  return bytes;
}

/// NaN is what it was, too: bytes are compared.
inline void require_equal(const Tensors& a, const Tensors& b) {
  require(a.size() == b.size(), "the tensors are as many");
  for (const auto& [name, tensor] : a) {
    const auto found = b.find(name);
    require(found != b.end() && found->second.sizes() == tensor.sizes() &&
                found->second.scalar_type() == tensor.scalar_type(),
            "a tensor keeps its shape and type", name);
    require(tensor.nbytes() == 0 ||
                std::memcmp(tensor.data_ptr(), found->second.data_ptr(), tensor.nbytes()) == 0,
            "a tensor keeps its bytes", name);
  }
}

}  // namespace hyperdefect::fuzz
