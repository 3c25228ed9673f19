// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/run_config.h"

#include <array>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/detector/registry.h"
#include "hyperdefect/model/built_in_configs.h"

namespace hyperdefect::model {
namespace {

template <class Enum>
using Names = config::Choice::Names<Enum>;

const Names<ThresholdMethod>& threshold_methods() {
  static const Names<ThresholdMethod> names{{"quantile", ThresholdMethod::quantile},
                                            {"false_alarm_rate", ThresholdMethod::false_alarm_rate},
                                            {"sigma", ThresholdMethod::sigma},
                                            {"manual", ThresholdMethod::manual}};
  return names;
}

std::vector<std::string> region_words() {
  std::vector<std::string> words{kNoRegion};
  for (const auto& [word, material] : kAutomaticRegions) {
    words.emplace_back(word);
  }
  return words;
}

void declare(config::Section& section, DataOptions& options) {
  section
      .add("no_data", &options.no_data,
           "The values that mark missing data, in every band; empty: the values that the file states.")
      .level(config::Level::basic);
  section.add("apply_scale", &options.apply_scale,
              "Apply the scale and offset that the file states, so that values are in physical units.");
  section.add("zero_is_invalid", &options.zero_is_invalid, "Treat an all-zero spectrum as missing data.")
      .level(config::Level::basic);
  section
      .add("saturation", &options.saturation,
           "A raw value of at least this makes the pixel invalid; a list of one number; empty: no limit.")
      .entries(0, 1)
      .level(config::Level::basic);
  section.add("wavelength_unit",
              config::Choice(&options.wavelength_unit,
                             Names<spectral::WavelengthUnit>{{"auto", spectral::WavelengthUnit::automatic},
                                                             {"nm", spectral::WavelengthUnit::nm},
                                                             {"um", spectral::WavelengthUnit::um}}),
              "The unit of the file's wavelengths. auto: the unit that the file states, or else a guess, "
              "which is reported.");
  section.add("drivers", &options.drivers,
              "More GDAL drivers that may open a cube, by GDAL's short names (VRT, for instance). Such "
              "formats may open other files or the network: name one only for files that you trust.");
  section
      .add("region", &options.region,
           "Which pixels are the product; no other pixel is learned from, scored or judged. none: all of "
           "them. "
           "Else a file of polygons (GeoJSON, GeoPackage, shapefile), a mask image whose pixels are not zero "
           "inside, or a folder with a mask for each cube, STEM.png or STEM.tif. Without a georeference the "
           "polygons are in pixels: x is the column, y the row. auto, auto_smaller, auto_brighter, "
           "auto_darker: the spectra tell two materials apart, and the product is the larger, smaller, "
           "brighter or darker one.")
      .is_path(region_words())
      .level(config::Level::basic);
  section
      .add("region_border_px", &options.region_border_px,
           "The region is smaller by this many pixels on all sides, except at the border of the image. -1: 0 "
           "if a file states the region, 2 if it is found automatically.")
      .range(-1, 1000)
      .used_if({[&options] { return options.region != kNoRegion; }, "data.region is not none"})
      .level(config::Level::basic);
  section
      .add("min_valid_share", &options.min_valid_share,
           "A cube with a smaller share of valid pixels is undecided. The share is relative: 1 is what the "
           "training cubes had; without training cubes, 1 is a scene whose only missing pixels touch its "
           "border.")
      .range(0, 1)
      .level(config::Level::basic);
}

void declare_schedule(config::Section& section, TrainOptions& options) {
  section.add("epochs", &options.epochs, "Epochs of training; a checkpoint is written after each.")
      .range(1, 1e6)
      .level(config::Level::basic);
  section.add("steps_per_epoch", &options.steps_per_epoch, "Gradient steps in an epoch.").range(1, 1e6);
  section.add("batch", &options.batch, "Patches in a step.").range(1, 4096);
  section.add("patch_px", &options.patch_px, "Side of a patch; smaller cubes are taken whole.")
      .range(8, 4096);
  section.add("augment", &options.augment, "Flip and rotate the patches at random.");
  section.add("learning_rate", &options.learning_rate, "Highest learning rate of Adam.")
      .range(1e-8, 1)
      .level(config::Level::basic);
  section.level(config::Level::expert);
  section.add("warmup_steps", &options.warmup_steps, "Steps over which the learning rate rises from zero.")
      .range(0, 1e6);
  section
      .add("final_rate", &options.final_rate,
           "The cosine schedule ends with this fraction of the learning rate.")
      .range(0, 1);
  section.add("weight_decay", &options.weight_decay, "Decoupled weight decay (AdamW).").range(0, 1);
  section.add("gradient_clip", &options.gradient_clip, "Largest norm of the gradient; 0 does not limit it.")
      .range(0, 1e6);
  section.level(config::Level::advanced);
}

void declare(config::Section& section, TrainOptions& options, const ThresholdOptions& threshold,
             const detector::DetectorOptions& detector) {
  const auto learns = detector::if_a_network_learns(detector);
  section.used_if(learns);
  declare_schedule(section, options);
  section.used_if();
  section
      .add("holdout_fraction", &options.holdout_fraction,
           "The network does not learn from this fraction of each cube's rows, at its end. They are used for "
           "early "
           "stopping and threshold.method false_alarm_rate.")
      .range(0, 0.9)
      .used_if({[&] {
                  return threshold.method == ThresholdMethod::false_alarm_rate ||
                         detector::a_network_learns(detector);
                },
                "threshold.method is false_alarm_rate, or a network learns"});
  section
      .add("patience", &options.patience,
           "Stop after this many epochs without a better loss on the held-out rows; 0 never stops early.")
      .range(0, 1e6)
      .used_if(learns)
      .used_if({[&options] { return options.holdout_fraction > 0; }, "train.holdout_fraction is above 0"});
}

void declare(config::Section& section, ScoreOptions& options) {
  section
      .add("calibration",
           config::Choice(&options.calibration, Names<Calibration>{{"pareto_tail", Calibration::pareto_tail},
                                                                   {"mad", Calibration::mad},
                                                                   {"none", Calibration::none}}),
           "Puts the scores of all scenes on one scale, so that one threshold works for all. mad: the "
           "score is in robust standard deviations (1.4826 MAD) above the median of the training scores; for "
           "a scene that holds the defects itself. pareto_tail: -log10 of the probability that a normal "
           "pixel scores higher, so that 3 means 1 in 1000; it comes from the training scores, continued "
           "beyond the highest; for training data without defects. none: the score of the detector.")
      .value_formerly("tail", "pareto_tail")
      .value_formerly("robust", "mad")
      .level(config::Level::basic);
}

void declare(config::Section& section, ThresholdOptions& options) {
  const auto with = [&options](ThresholdMethod method, const char* name) {
    return config::Use{[&options, method] { return options.method == method; },
                       text::concat("threshold.method is ", name)};
  };
  section.level(config::Level::basic);
  section
      .add("method", config::Choice(&options.method, threshold_methods()),
           "How the threshold is set. quantile: a quantile of the training scores. false_alarm_rate: from "
           "the held-out rows of the training cubes. sigma: the median plus threshold.sigma robust standard "
           "deviations (1.4826 MAD) of the scores. manual: threshold.value. Without training cubes the "
           "scores of the scene itself are used.")
      .value_formerly("far", "false_alarm_rate");
  section.add("quantile", &options.quantile, "quantile: the fraction of the scores below the threshold.")
      .range(0, 1)
      .used_if(with(ThresholdMethod::quantile, "quantile"));
  section
      .add("false_alarm_rate", &options.false_alarm_rate,
           "false_alarm_rate: the fraction of the normal pixels that may be called a defect.")
      .range(0, 1)
      .used_if(with(ThresholdMethod::false_alarm_rate, "false_alarm_rate"))
      .formerly("threshold.far");
  section.add("sigma", &options.sigma, "sigma: robust standard deviations above the median.")
      .range(0, 1e6)
      .used_if(with(ThresholdMethod::sigma, "sigma"));
  section.add("value", &options.value, "manual: the threshold itself.")
      .used_if(with(ThresholdMethod::manual, "manual"));
  section
      .add("min_pixels", &options.min_pixels,
           "A defect has at least this many connected pixels (8 neighbours); smaller groups count as normal. "
           "A cube is accepted if it has no defect.")
      .range(1, 1e9);
}

void declare(config::Section& section, OutputOptions& options, const detector::DetectorOptions& detector) {
  section.add("sad", &options.sad, "Write STEM_sad.tif.").level(config::Level::basic);
  section.add("overlay", &options.overlay, "Write STEM_overlay.png.").level(config::Level::basic);
  section.add("parts", &options.parts, "Write STEM_part_NAME.tif for each member of an ensemble.")
      .used_if(detector::if_ensemble(detector));
}

void declare(config::Section& section, RunOptions& options) {
  section.level(config::Level::basic);
  section.add("seed", &options.seed, "Seed of all random numbers.").range(0, 4e18);
  section.add("device",
              config::Choice(&options.device,
                             Names<platform::DeviceChoice>{{"auto", platform::DeviceChoice::automatic},
                                                           {"cpu", platform::DeviceChoice::cpu},
                                                           {"cuda", platform::DeviceChoice::cuda}}),
              "Where networks run. auto: on a CUDA device if there is one.");
  section
      .add("threads", &options.threads,
           "Threads for computing; 0: one for each processor that the program may use (CPU set, CPU quota). "
           "Another number may change the last digits.")
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

std::string to_string(ThresholdMethod method) {
  return config::Choice(&method, threshold_methods()).name();
}

config::Schema schema_of(RunConfig& config) {
  const config::SectionTraits learned{.fixed_by_training = true};
  config::Schema schema;
  declare(schema.section("data", "How a cube's values are read."), config.data);
  detector::declare(schema, config.detector);
  declare(schema.section("train", "How long and how fast networks learn.").traits(learned), config.train,
          config.threshold, config.detector);
  declare(schema.section("score", "The scale of the score.").traits(learned), config.score);
  declare(schema.section("threshold", "The score above which a pixel is a defect."), config.threshold);
  declare(schema.section("output", "Which files are written for a cube.").traits({.changes_results = false}),
          config.output, config.detector);
  declare(schema.section("run", "The machine and the seed.")
              .traits({.travels_with_model = false, .changes_results = false}),
          config.run);
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
  throw UsageError(text::concat("no configuration named '", name, "' is built in: choose one of ",
                                text::join(built_in_names(), ", ")));
}

void read_built_in(const std::string& name, RunConfig& config) {
  file_schema_of(config).read_text(built_in_yaml(name), "built-in " + name, ".");
}

}  // namespace hyperdefect::model
