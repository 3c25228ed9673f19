// SPDX-License-Identifier: Apache-2.0
// Configurations: the YAML, its schema, --set, and that what was accepted is written so that it reads back
// equal.
#include "hyperdefect/model/run_config.h"

#include <memory>

#include "fuzz/fuzz.h"
#include "hyperdefect/core/error.h"

namespace hyperdefect::fuzz {
namespace {

/// A ConfigError lists every fault of a file, up to a hundred and one line for the rest.
constexpr std::int64_t kMostLines = 101;
constexpr std::size_t kAmplified = std::size_t{1} << 20;

/// Longer texts are no assignment of a command line.
constexpr std::size_t kLongestAssignment = 300;

struct Configured {
  model::RunConfig config;
  config::Schema schema = model::schema_of(config);
};

/// The effective configuration after the step, or "" if the step was refused.
template <class Step>
std::string after(Step step, std::int64_t most_lines) {
  static const auto defaults = Configured().schema.to_yaml();
  // Declaring 120 keys takes longer than all the rest, and a refused step changes none.
  static auto fresh = std::make_unique<Configured>();
  if (!accepted<ConfigError>([&] { step(fresh->schema); }, most_lines)) {
    require(fresh->schema.to_yaml() == defaults, "a refused configuration assigns nothing");
    return {};
  }
  auto yaml = fresh->schema.to_yaml();
  require(!yaml.empty(), "an accepted configuration can be shown");
  fresh = std::make_unique<Configured>();
  return yaml;
}

std::string after_reading(const std::string& text) {
  return after([&](config::Schema& schema) { schema.read_text(text, "run.yaml", "/data"); }, kMostLines);
}

std::string after_setting(const std::string& text) {
  return after([&](config::Schema& schema) { schema.set(text); }, 1);
}

void check_reads_back(const std::string& yaml) {
  require(yaml.empty() || after_reading(yaml) == yaml, "what was accepted reads back equal", yaml);
}

void check(const std::string& text) {
  check_reads_back(after_reading(text));
  if (text.size() <= kLongestAssignment) {
    check_reads_back(after_setting(text));
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
