// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/run_lock.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

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
  std::string words = text::cat(" (process ", json["process"].dump(), ", ", json.value("command", ""));
  for (const char* key : {"model", "configuration"}) {
    if (const auto value = json.value(key, ""); !value.empty()) {
      words += text::cat(", ", key, ' ', value);
    }
  }
  return words + ')';
}

}  // namespace

FileLock hold_for_run(const std::filesystem::path& lock_file, const std::string& held,
                      const Provenance& made_with) {
  auto lock = FileLock::try_hold(lock_file, note_of(made_with));
  if (!lock) {
    throw UsageError(
        text::cat(held, " is in use by another run", described(FileLock::note_in(lock_file)),
                  ": nothing was done; wait until that run ends, or take another output with -o"));
  }
  return std::move(*lock);
}

}  // namespace hyperdefect::engine
