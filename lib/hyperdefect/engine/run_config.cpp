// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/run_config.h"

#include <array>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/built_in_configs.h"

namespace hyperdefect::engine {
namespace {

void declare(config::Section& section, DataOptions& options) {
  section.add("no_data", &options.no_data,
              "The values that mark missing data, in every band; empty takes what the file states.");
  section.add("apply_scale", &options.apply_scale,
              "Apply the scale and offset that the file states, so that values are in physical units.");
  section.add("zero_is_invalid", &options.zero_is_invalid, "Take an all-zero spectrum for missing data.");
  section
      .add("saturation", &options.saturation,
           "Raw values from this one on mark the pixel as invalid, as a list of one number; empty: none do.")
      .entries(0, 1);
  section
      .add("wavelength_unit", &options.wavelength_unit,
           "The unit of the file's wavelengths; auto takes what the file states, else guesses and says so.")
      .choices({"auto", "nm", "um"});
  section.add(
      "drivers", &options.drivers,
      "More GDAL drivers that may open a cube, by GDAL's short names (VRT, for instance). Such formats "
      "may open other files or the network: name one only for files that you trust.");
  section
      .add("min_valid_share", &options.min_valid_share,
           "A cube with a smaller share of valid pixels is undecided. The share is relative: 1 is what the "
           "training cubes had; for detect, 1 is a scene whose only missing pixels touch its border.")
      .range(0, 1);
}

void declare(config::Section& section, TrainOptions& options, const ThresholdOptions& threshold,
             const model::ModelOptions& model) {
  section.used_if(model::with_detector(model, {"autoencoder", "segmenter"}));
  section.add("epochs", &options.epochs, "Epochs of training; a checkpoint is written after each.")
      .range(1, 1e6);
  section.add("steps_per_epoch", &options.steps_per_epoch, "Gradient steps in an epoch.").range(1, 1e6);
  section.add("batch", &options.batch, "Patches in a step.").range(1, 4096);
  section.add("patch_px", &options.patch_px, "Side of a patch; smaller cubes are taken whole.")
      .range(8, 4096);
  section.add("augment", &options.augment, "Flip and turn the patches at random.");
  section.add("learning_rate", &options.learning_rate, "Highest learning rate of Adam.").range(1e-8, 1);
  section.add("warmup_steps", &options.warmup_steps, "Steps over which the learning rate rises from zero.")
      .range(0, 1e6);
  section
      .add("final_rate", &options.final_rate, "Part of the learning rate that the cosine schedule ends with.")
      .range(0, 1);
  section.add("weight_decay", &options.weight_decay, "Decoupled weight decay (AdamW).").range(0, 1);
  section.add("gradient_clip", &options.gradient_clip, "Largest norm of the gradient; 0 does not limit it.")
      .range(0, 1e6);
  section.used_if();
  section
      .add("holdout_fraction", &options.holdout_fraction,
           "Part of each cube's rows, at its end, that the network does not learn from: for early stopping "
           "and for "
           "threshold.method far.")
      .range(0, 0.9)
      .used_if({[&] {
                  return threshold.method == "far" || model::takes_part(model, {"autoencoder", "segmenter"});
                },
                "threshold.method is far, or a network learns"});
  section
      .add("patience", &options.patience,
           "Stop after this many epochs without a better loss on the held-out part; 0 never stops early.")
      .range(0, 1e6)
      .used_if(model::with_detector(model, {"autoencoder", "segmenter"}))
      .used_if({[&options] { return options.holdout_fraction > 0; }, "train.holdout_fraction is above 0"});
}

void declare(config::Section& section, ThresholdOptions& options) {
  const auto with = [&options](const char* method) {
    return config::Use{[&options, method] { return options.method == method; },
                       text::cat("threshold.method is ", method)};
  };
  section
      .add("method", &options.method,
           "quantile: of the training scores; far: false-alarm rate on the held-out part of the training "
           "cubes; "
           "sigma: median plus so many robust standard deviations (1.4826 MAD) of the scores; manual: value. "
           "detect "
           "has no training cubes and takes the scores of the scene itself.")
      .choices({"quantile", "far", "sigma", "manual"});
  section.add("quantile", &options.quantile, "quantile: the part of the scores below the threshold.")
      .range(0, 1)
      .used_if(with("quantile"));
  section.add("far", &options.far, "far: the part of the normal pixels that may be called a defect.")
      .range(0, 1)
      .used_if(with("far"));
  section.add("sigma", &options.sigma, "sigma: robust standard deviations above the median.")
      .range(0, 1e6)
      .used_if(with("sigma"));
  section.add("value", &options.value, "manual: the threshold itself.").used_if(with("manual"));
  section
      .add("min_pixels", &options.min_pixels,
           "Connected defect pixels (8 neighbours) that make a defect; smaller groups are normal. A cube is "
           "accepted when it has no defect.")
      .range(1, 1e9);
}

void declare(config::Section& section, OutputOptions& options, const model::ModelOptions& model) {
  section.add("sad", &options.sad, "Write STEM_sad.tif.");
  section.add("overlay", &options.overlay, "Write STEM_overlay.png.");
  section
      .add("parts", &options.parts,
           "Write STEM_part_NAME.tif for each detector that the score was fused of (model.detector fused).")
      .used_if(model::with_fusion(model));
}

void declare(config::Section& section, RunOptions& options) {
  section.add("seed", &options.seed, "Seed of all random numbers.").range(0, 4e18);
  section.add("device", &options.device, "Where networks run; auto takes a CUDA device where there is one.")
      .choices({"auto", "cpu", "cuda"});
  section
      .add("threads", &options.threads,
           "Threads for computing; 0 takes one for each processor that the program may use (CPU set, CPU "
           "quota). Another number may change the last digits.")
      .range(0, 1024);
  section.add("ram_mb", &options.ram_mb, "Memory that cubes and maps may take, in MB.").range(64, 1e7);
}

/// The configuration in which every key has its default.
constexpr const char* kDefaults = "defaults";

std::vector<std::string> extendable_names() {
  auto names = built_in_names();
  names.insert(names.begin(), kDefaults);
  return names;
}

std::string base_yaml(const std::string& name) {
  if (name != kDefaults) {
    return built_in_yaml(name);
  }
  RunConfig defaults;
  return schema_of(defaults).to_yaml();
}

}  // namespace

config::Schema schema_of(RunConfig& config) {
  config::Schema schema;
  declare(schema.section("data", "How a cube's values are read."), config.data);
  declare(schema.section("preprocess", "From the bands of a cube to what the detector sees."),
          config.preprocess, config.model);
  auto& model = schema.section("model", "The detector and its network.");
  declare(model, config.model);
  declare(model, config.segmenter, config.model);
  declare(model, config.likelihood, config.model);
  declare(model, config.classical, config.model);
  auto& train = schema.section("train", "How and on what the network is trained.");
  declare(train, config.train, config.threshold, config.model);
  declare(train, config.learning, config.model, config.score);
  declare(schema.section("score", "How an anomaly score comes about."), config.score, config.model);
  declare(schema.section("threshold", "From which score on a pixel is a defect."), config.threshold);
  declare(schema.section("output", "Which files are written for a cube."), config.output, config.model);
  declare(schema.section("run", "The machine and the seed."), config.run);
  return schema;
}

config::Schema file_schema_of(RunConfig& config) {
  auto schema = schema_of(config);
  schema.extendable(extendable_names(), base_yaml);
  return schema;
}

const std::vector<std::string>& built_in_names() {
  static const auto names = [] {
    std::vector<std::string> all;
    for (const auto& config : kBuiltInConfigs) {
      all.emplace_back(config.name);
    }
    return all;
  }();
  return names;
}

std::string built_in_yaml(const std::string& name) {
  for (const auto& config : kBuiltInConfigs) {
    if (config.name == name) {
      return std::string(config.yaml);
    }
  }
  throw UsageError(text::cat("no configuration named '", name, "' is built in: take one of ",
                             text::join(built_in_names(), ", ")));
}

void read_built_in(const std::string& name, RunConfig& config) {
  file_schema_of(config).read_text(built_in_yaml(name), "built-in " + name, ".");
}

}  // namespace hyperdefect::engine
