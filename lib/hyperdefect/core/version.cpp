// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/version.h"

namespace hyperdefect {

std::string version() {
  return HYPERDEFECT_VERSION;
}

}  // namespace hyperdefect
