// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/config/schema.h"

namespace hyperdefect::config {

/// A struct of options as a room declares it: plain fields with their defaults, and one function beside it.
struct ExampleOptions {
  bool shuffle = true;
  std::int64_t epochs = 20;
  double rate = 0.001;
  std::string upsample = "bilinear";
  std::string references;
  std::vector<double> ranges_nm{1350, 1420};
  std::vector<std::int64_t> kernel{7, 3, 3};
  std::vector<std::string> inputs;
  std::string title = "a run";

  bool operator==(const ExampleOptions&) const = default;
};

inline void declare(Section& section, ExampleOptions& options) {
  section.add("shuffle", &options.shuffle, "Draw the patches at random.");
  section.add("epochs", &options.epochs, "Epochs of training.").range(1, 1000000);
  section.add("rate", &options.rate, "Learning rate.").range(1e-8, 1);
  section.add("upsample", &options.upsample, "How the resolution is doubled.")
      .choices({"nearest", "bilinear"});
  section.add("references", &options.references, "Folder of the white and dark references.").is_path();
  section.add("ranges_nm", &options.ranges_nm, "Wavelengths to leave out.");
  section.add("kernel", &options.kernel, "Kernel over band, row and column.").range(1, 31).entries(3, 3);
  section.add("inputs", &options.inputs, "Cubes.").is_path();
  section.add("title", &options.title, "What the run is called.");
}

/// The example in the section `train`, and a small second section.
struct Example {
  ExampleOptions options;
  std::int64_t seed = 0;
  double floor = 0;
  Schema schema;

  Example() {
    declare(schema.section("train", "How the network is trained."), options);
    auto& run = schema.section("run", "The machine and the seed.");
    run.add("seed", &seed, "Seed of all random numbers.");
    run.add("floor", &floor, "The lowest value.");
  }
  Example(const Example&) = delete;
  Example& operator=(const Example&) = delete;
};

}  // namespace hyperdefect::config
