// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hyperdefect/files/file_stamp.h"
#include "hyperdefect/files/find_cubes.h"
#include "hyperdefect/model/run_config.h"

namespace hyperdefect::engine {

/// The stamp of a cube, of its references and of the file that states its region, as far as they exist: what
/// a result belongs to.
files::CubeStamp stamp_of(const files::CubeInput& cube, const model::DataOptions& options);

}  // namespace hyperdefect::engine
