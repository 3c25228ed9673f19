// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/random.h"

namespace hyperdefect {

std::uint64_t fingerprint(std::string_view bytes, std::uint64_t before) {
  std::uint64_t hash = before;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  }
  return hash;
}

std::uint64_t derive_seed(std::uint64_t seed, std::string_view label) {
  std::uint64_t z = seed * 0x9e3779b97f4a7c15ULL + fingerprint(label);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace hyperdefect
