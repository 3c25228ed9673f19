// SPDX-License-Identifier: Apache-2.0
// Configurations: the YAML, its schema, --set, and that what was accepted is written so that it reads back
// equal.
#include "hyperdefect/engine/run_config.h"

#include "fuzz/fuzz.h"
#include "hyperdefect/core/error.h"

namespace hyperdefect::fuzz {
namespace {

/// A ConfigError lists every fault of a file, up to a hundred and one line for the rest.
constexpr std::int64_t kMostLines = 101;
constexpr std::size_t kAmplified = std::size_t{1} << 20;

/// The effective configuration after the step, or "" where the step was refused.
template <class Step>
std::string after(Step step, std::int64_t most_lines) {
  static const auto defaults = [] {
    engine::RunConfig config;
    return engine::schema_of(config).to_yaml();
  }();
  engine::RunConfig config;
  auto schema = engine::schema_of(config);
  if (!accepted<ConfigError>([&] { step(schema); }, most_lines)) {
    require(schema.to_yaml() == defaults, "a refused configuration assigns nothing");
    return {};
  }
  auto yaml = schema.to_yaml();
  require(!yaml.empty(), "an accepted configuration can be shown");
  return yaml;
}

std::string after_reading(const std::string& text) {
  return after([&](config::Schema& schema) { schema.read_text(text, "run.yaml", "/data"); }, kMostLines);
}

void check(const std::string& text) {
  for (const auto& yaml :
       {after_reading(text), after([&](config::Schema& schema) { schema.set(text); }, 1)}) {
    require(yaml.empty() || after_reading(yaml) == yaml, "what was accepted reads back equal", yaml);
  }
  if (const auto large = amplified(text, kAmplified); !large.empty()) {
    after_reading(large);
  }
}

}  // namespace
}  // namespace hyperdefect::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hyperdefect::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
