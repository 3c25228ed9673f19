// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/config/schema.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/model/region_choice.h"
#include "hyperdefect/platform/device.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::model {

/// Whether white and dark references convert a cube to reflectance: those that are named or lie beside it, or
/// none.
enum class ReferenceUse { automatic, none };

/// The section `data`: how a cube's values are read.
struct DataOptions {
  std::vector<double> no_data;
  bool apply_scale = true;
  ReferenceUse references = ReferenceUse::automatic;
  /// Empty: the one beside the cube, if there is one. A model file does not keep them.
  std::string white;
  std::string dark;
  bool zero_is_invalid = true;
  std::vector<double> saturation;
  spectral::WavelengthUnit wavelength_unit = spectral::WavelengthUnit::automatic;
  /// GDAL drivers that may open a cube beside those that read the named file alone.
  std::vector<std::string> drivers;
  /// Which pixels are the product: kNoRegion, one of kAutomaticRegions, or the path of polygons, a mask, or a
  /// folder of masks.
  std::string region = kNoRegion;
  /// By how much the region is smaller than stated or found; below 0 as much as suits how it is given.
  std::int64_t region_border_px = -1;
  /// A cube is undecided if its share of valid pixels is below this part of what the training cubes had.
  double min_valid_share = 0.95;
};

/// The section `train`: how long and how fast networks learn.
struct TrainOptions {
  std::int64_t epochs = 20;
  std::int64_t steps_per_epoch = 20;
  std::int64_t batch = 1;
  std::int64_t patch_px = 256;
  bool augment = false;
  double learning_rate = 0.002;
  std::int64_t warmup_steps = 20;
  double final_rate = 0.05;
  double weight_decay = 0.0;
  double gradient_clip = 0.0;
  double holdout_fraction = 0.0;
  std::int64_t patience = 0;
};

/// The scale of a score; see score_calibration.h.
enum class Calibration { none, mad, false_alarm_probability };

/// The section `score`.
struct ScoreOptions {
  Calibration calibration = Calibration::false_alarm_probability;
};

/// Where a threshold comes from.
enum class ThresholdMethod { quantile, false_alarm_rate, false_discovery_rate, sigma, manual };
/// Its name, as it is written in a configuration.
std::string to_string(ThresholdMethod method);

/// The section `threshold`: from which score on a pixel is marked, and which cube is rejected.
struct ThresholdOptions {
  ThresholdMethod method = ThresholdMethod::quantile;
  double quantile = 0.999;
  double pixel_rate = 0.0001;
  double cube_rate = 0.05;
  double false_discovery_rate = 0.1;
  double sigma = 8.0;
  double value = 0.0;
  /// How many parts of the training data are scored by a fit without them; 0: by the fit to all of them.
  std::int64_t folds = 5;
  double hysteresis = 0.0;
  std::int64_t min_pixels = 1;
  double min_evidence = 0.0;
};

/// What of a whole cube is removed before it is scored: nothing, a common factor, a factor that is linear
/// over the bands (on a logarithmic scale), or the whole difference of the median spectra.
enum class DriftAdaptation { none, gain, gain_tilt, mean };

/// The section `drift`: a cube that as a whole differs from the training cubes.
struct DriftOptions {
  double limit = 0.0001;
  DriftAdaptation adapt = DriftAdaptation::none;
};

/// The section `output`: which files are written for a cube, beside the score map and the table.
struct OutputOptions {
  bool sad = true;
  bool overlay = true;
  bool parts = false;
  bool p_value = false;
};

/// The section `run`: the machine and the seed.
struct RunOptions {
  std::int64_t seed = 0;
  platform::DeviceChoice device = platform::DeviceChoice::automatic;
  std::int64_t threads = 0;
  std::int64_t ram_mb = 4096;
};

/// All sections of a run.
///
///     RunConfig config;
///     read_built_in("single_scene", config);
///     auto schema = file_schema_of(config);
///     schema.read_file("my.yaml");
///     schema.set("threshold.sigma=6");
///     std::cout << schema.to_yaml();
struct RunConfig {
  DataOptions data;
  /// Which detector, and the sections preprocess, model and one for each detector.
  detector::DetectorOptions detector;
  TrainOptions train;
  ScoreOptions score;
  ThresholdOptions threshold;
  DriftOptions drift;
  OutputOptions output;
  RunOptions run;
};

/// The declaration of every key, bound to the fields of `config`, which must outlive it.
config::Schema schema_of(RunConfig& config);

/// The same for files of the user, which may extend a built-in configuration, another file, or "defaults",
/// the configuration in which every key has its default.
config::Schema file_schema_of(RunConfig& config);

/// The configurations that are built in: the files of configs/, without their ending.
const std::vector<std::string>& built_in_names();
/// The YAML text of a built-in configuration. @throws UsageError for an unknown name.
std::string built_in_yaml(const std::string& name);
/// Sets every key to its value in a built-in configuration. @throws UsageError for an unknown name.
void read_built_in(const std::string& name, RunConfig& config);

}  // namespace hyperdefect::model
