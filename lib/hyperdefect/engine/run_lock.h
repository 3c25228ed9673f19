// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "hyperdefect/core/file_lock.h"
#include "hyperdefect/engine/results.h"

namespace hyperdefect::engine {

/// Holds what a run writes to, so that no two runs mix their results. The lock file says which process holds
/// it and all of the run's provenance, by which runs that are equal can be told.
/// @param held what is held, as the message names it: the folder, or the model.
/// @throws UsageError naming the run that holds it already.
FileLock hold_for_run(const std::filesystem::path& lock_file, const std::string& held,
                      const Provenance& made_with);

}  // namespace hyperdefect::engine
