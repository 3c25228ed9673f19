// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace hyperdefect {

/// A seed made of another one and a label ("epoch 3", a file's relative path), so that each use of random
/// numbers has its own sequence and none depends on the order in which the others ran (splitmix64 over
/// FNV-1a).
std::uint64_t derive_seed(std::uint64_t seed, std::string_view label);

/// 64-bit FNV-1a of the bytes: a fingerprint for tags and comparisons, not for security.
/// @param before the fingerprint of the bytes that went before, for what is read piece by piece.
std::uint64_t fingerprint(std::string_view bytes, std::uint64_t before = 0xcbf29ce484222325ULL);

}  // namespace hyperdefect
