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
                                            {"false_discovery_rate", ThresholdMethod::false_discovery_rate},
                                            {"sigma", ThresholdMethod::sigma},
                                            {"manual", ThresholdMethod::manual}};
  return names;
}

void declare_references(config::Section& section, DataOptions& options) {
  section.level(config::Level::basic);
  section
      .add("references",
           config::Choice(&options.references, Names<ReferenceUse>{{"auto", ReferenceUse::automatic},
                                                                   {"none", ReferenceUse::none}}),
           "How raw counts become reflectance, (raw - dark) / (white - dark). auto: with the references that "
           "data.white and data.dark name, or else with those next to the cube, by their names "
           "(STEM_WHITEREF, WHITEREF_STEM, STEM_white, white and so on; dark likewise). Without a white "
           "reference, and with none, the values stay as the file holds them.")
      .level(config::Level::advanced);
  section.used_if(
      {{[&options] { return options.references != ReferenceUse::none; }, "data.references is auto"}});
  section
      .add("white", &options.white,
           "The white reference of all cubes; empty: the one next to each cube. A model file does not keep "
           "it.")
      .is_path();
  section
      .add("dark", &options.dark,
           "The dark reference of all cubes; empty: the one next to each cube; if there is none, the dark "
           "signal counts as 0. A model file does not keep it.")
      .is_path();
  section.used_if();
  section.level(config::Level::advanced);
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
  section.add(
      "apply_scale", &options.apply_scale,
      "Apply the scale and offset that the file states, so that values are in physical units. They are "
      "not applied to a cube that references convert to reflectance.");
  declare_references(section, options);
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
      .level(config::Level::advanced);
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

void declare(config::Section& section, TrainOptions& options, const detector::DetectorOptions& detector) {
  const auto learns = detector::if_a_network_learns(detector);
  section.used_if(learns);
  declare_schedule(section, options);
  section.used_if();
  section
      .add("holdout_fraction", &options.holdout_fraction,
           "The network does not learn from this fraction of each cube's rows, at its end. They are used for "
           "early stopping.")
      .range(0, 0.9)
      .used_if(learns);
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
           config::Choice(&options.calibration, Names<Calibration>{{"false_alarm_probability",
                                                                    Calibration::false_alarm_probability},
                                                                   {"mad", Calibration::mad},
                                                                   {"none", Calibration::none}}),
           "Puts the scores of all scenes on one scale, so that one threshold works for all. mad: the "
           "score is in robust standard deviations (1.4826 MAD) above the median of the training scores; for "
           "a scene that holds the defects itself. false_alarm_probability: -log10 of the probability that a "
           "normal pixel scores so high, so that 3 means 1 in 1000; it is measured on training pixels that "
           "the "
           "fit did not see (threshold.folds), and extrapolated beyond the highest of them. none: the score "
           "of "
           "the detector.")
      .value_formerly("tail", "false_alarm_probability")
      .value_formerly("pareto_tail", "false_alarm_probability")
      .value_formerly("robust", "mad")
      .level(config::Level::basic);
}

config::Use if_method_is(const ThresholdOptions& options, ThresholdMethod method) {
  return {[&options, method] { return options.method == method; },
          text::concat("threshold.method is ", to_string(method))};
}

void declare_rates(config::Section& section, ThresholdOptions& options) {
  section
      .add("pixel_rate", &options.pixel_rate,
           "false_alarm_rate: the fraction of the normal pixels that may be marked.")
      .range(1e-9, 1)
      .used_if(if_method_is(options, ThresholdMethod::false_alarm_rate))
      .formerly("threshold.false_alarm_rate")
      .formerly("threshold.far");
  section
      .add("cube_rate", &options.cube_rate,
           "false_alarm_rate: the fraction of the normal cubes that may be rejected. It sets the evidence "
           "that "
           "an object needs to be a defect.")
      .range(1e-9, 1)
      .used_if(if_method_is(options, ThresholdMethod::false_alarm_rate));
  section
      .add("false_discovery_rate", &options.false_discovery_rate,
           "false_discovery_rate: the fraction of the marked pixels that may be normal.")
      .range(1e-9, 0.999)
      .used_if(if_method_is(options, ThresholdMethod::false_discovery_rate))
      .level(config::Level::advanced);
}

void declare_objects(config::Section& section, ThresholdOptions& options) {
  section
      .add("folds", &options.folds,
           "The training cubes (the rows, if there is one cube) are divided into this many parts. Each part "
           "is "
           "scored by a fit to the other parts, and these scores set the threshold and the scale of the "
           "score. "
           "Each part costs the time of a training. 0: the scores of the fit to all cubes are used, and the "
           "promised rates are not kept.")
      .range(0, 1000)
      .level(config::Level::advanced);
  section
      .add(
          "hysteresis", &options.hysteresis,
          "Pixels that touch a marked object are marked, too, if their score is less than this far below the "
          "threshold.")
      .range(0, 1e6)
      .level(config::Level::advanced);
  section
      .add("min_pixels", &options.min_pixels,
           "An object has at least this many connected marked pixels (8 neighbours); smaller groups are not "
           "marked.")
      .range(1, 1e9);
  section
      .add("min_evidence", &options.min_evidence,
           "An object with more evidence than this is a defect, and a cube without a defect is accepted. The "
           "evidence of an object is the sum of its scores above the threshold (less threshold.hysteresis). "
           "-1: as much as the threshold itself, so that a pixel needs twice the threshold if it is alone.")
      .range(-1, 1e12)
      .used_if({[&options] { return options.method != ThresholdMethod::false_alarm_rate; },
                "threshold.method is not false_alarm_rate"});
}

void declare(config::Section& section, ThresholdOptions& options) {
  section.level(config::Level::basic);
  section
      .add("method", config::Choice(&options.method, threshold_methods()),
           "How the threshold is set. false_alarm_rate: so that threshold.pixel_rate and threshold.cube_rate "
           "are kept. quantile: a quantile of the training scores. false_discovery_rate: for each cube, so "
           "that "
           "threshold.false_discovery_rate is kept. sigma: the median plus threshold.sigma robust standard "
           "deviations (1.4826 MAD) of the scores. manual: threshold.value. Without training cubes the "
           "scores of the scene itself are used.")
      .value_formerly("far", "false_alarm_rate");
  section.add("quantile", &options.quantile, "quantile: the fraction of the scores below the threshold.")
      .range(0, 1)
      .used_if(if_method_is(options, ThresholdMethod::quantile));
  declare_rates(section, options);
  section.add("sigma", &options.sigma, "sigma: robust standard deviations above the median.")
      .range(0, 1e6)
      .used_if(if_method_is(options, ThresholdMethod::sigma))
      .level(config::Level::advanced);
  section.add("value", &options.value, "manual: the threshold itself.")
      .used_if(if_method_is(options, ThresholdMethod::manual));
  declare_objects(section, options);
}

void declare(config::Section& section, DriftOptions& options) {
  section
      .add("limit", &options.limit,
           "A cube that as a whole differs from the training cubes (brightness, tilt and shape of its median "
           "spectrum, noise, variation in the image) is undecided if a cube like them differs as much with a "
           "smaller probability than this; 0: never. The table has the probability in the column drift.")
      .range(0, 0.5);
  section
      .add(
          "adapt",
          config::Choice(&options.adapt, Names<DriftAdaptation>{{"none", DriftAdaptation::none},
                                                                {"gain", DriftAdaptation::gain},
                                                                {"gain_tilt", DriftAdaptation::gain_tilt},
                                                                {"mean", DriftAdaptation::mean}}),
          "What is removed of the difference between the median spectra of a cube and of the training cubes "
          "before the cube is scored, in training too. gain: a common factor. gain_tilt: and a tilt over the "
          "bands. mean: the whole difference. A factor beyond 1/3 or 3 is not removed.")
      .fixed_by_training();
}

void declare(config::Section& section, OutputOptions& options, const ScoreOptions& score,
             const detector::DetectorOptions& detector) {
  section.add("sad", &options.sad, "Write STEM_sad.tif.").level(config::Level::basic);
  section.add("overlay", &options.overlay, "Write STEM_overlay.png.").level(config::Level::basic);
  section
      .add("p_value", &options.p_value, "Write STEM_p_value.tif, the false-alarm probability of each pixel.")
      .used_if({[&score] { return score.calibration == Calibration::false_alarm_probability; },
                "score.calibration is false_alarm_probability"});
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
          config.detector);
  declare(schema.section("score", "The scale of the score.").traits(learned), config.score);
  declare(schema.section("threshold", "The score above which a pixel is a defect."), config.threshold);
  declare(schema.section("drift", "Cubes that as a whole differ from the training cubes."), config.drift);
  declare(schema.section("output", "Which files are written for a cube.").traits({.changes_results = false}),
          config.output, config.score, config.detector);
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
