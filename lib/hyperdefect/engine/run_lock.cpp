// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/run_lock.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::engine {
namespace {

using Json = nlohmann::ordered_json;

std::string note_of(const Provenance& made_with) {
  return Json{{"process", ::getpid()},        {"version", made_with.version},
              {"command", made_with.command}, {"configuration", made_with.configuration},
              {"model", made_with.model},     {"seed", made_with.seed},
              {"threads", made_with.threads}}
             .dump() +
         '\n';
}

/// " (process 17, infer, model c0ffee, configuration beef)", or "" for a note that says nothing.
std::string described(const std::string& note) {
  const auto json = Json::parse(note, nullptr, false);
  if (!json.is_object() || !json.contains("process")) {
    return {};
  }
  std::string words = text::concat(" (process ", json["process"].dump(), ", ", json.value("command", ""));
  for (const char* key : {"model", "configuration"}) {
    if (const auto value = json.value(key, ""); !value.empty()) {
      words += text::concat(", ", key, ' ', value);
    }
  }
  return words + ')';
}

UsageError in_use(const std::string& held, const std::filesystem::path& lock_file) {
  return UsageError(text::concat(held, " is in use by another run", described(FileLock::note_in(lock_file)),
                                 ": nothing was done; wait until that run ends, or choose another output"));
}

std::optional<FileLock> try_hold(const std::filesystem::path& lock_file, const Provenance& made_with) {
  try {
    return FileLock::try_hold(lock_file, note_of(made_with));
  } catch (const StorageError&) {
    throw;
  } catch (const Error& reason) {
    throw UsageError(text::concat(
        reason.what(),
        ": a run needs this file to lock its output; remove what is there, or choose another output"));
  }
}

}  // namespace

FileLock hold_for_run(const std::filesystem::path& lock_file, const std::string& held,
                      const Provenance& made_with) {
  auto lock = try_hold(lock_file, made_with);
  if (!lock) {
    throw in_use(held, lock_file);
  }
  // After the own lock is held: of two runs that begin together, one sees the other.
  auto folder = std::filesystem::absolute(lock_file).lexically_normal().parent_path();
  if (lock_file.filename() == kFolderLockName) {
    folder = folder.parent_path();
  }
  for (; folder != folder.parent_path(); folder = folder.parent_path()) {
    refuse_held_folder(folder);
  }
  return std::move(*lock);
}

void refuse_held_folder(const std::filesystem::path& folder) {
  if (const auto lock_file = folder / kFolderLockName; FileLock::is_held(lock_file)) {
    throw in_use(folder.string(), lock_file);
  }
}

}  // namespace hyperdefect::engine
