// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "hyperdefect/core/file_lock.h"
#include "hyperdefect/engine/results.h"

namespace hyperdefect::engine {

/// The name of the file by which a run holds an output folder and all below it.
inline constexpr const char* kFolderLockName = ".hyperdefect.lock";

/// Holds what a run writes to, so that no two runs mix their results. The lock file says which process holds
/// it and all of the run's provenance, by which runs that are equal can be told.
///
///     const std::filesystem::path folder = "maps";
///     const FileLock lock = hold_for_run(folder / kFolderLockName, folder.string(), job.made_with);
///     // Until the lock goes, another run that wants the folder gets a UsageError.
///
/// @param held what is held, as the message names it: the folder, or the model.
/// @throws UsageError naming the run that holds it, or a folder above it, already; or if the lock file cannot
/// be made.
FileLock hold_for_run(const std::filesystem::path& lock_file, const std::string& held,
                      const Provenance& made_with);

/// @throws UsageError if another run holds the folder itself.
void refuse_held_folder(const std::filesystem::path& folder);

}  // namespace hyperdefect::engine
