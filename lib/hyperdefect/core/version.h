// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace hyperdefect {

/// The version of this software, "major.minor.patch".
std::string version();

}  // namespace hyperdefect
