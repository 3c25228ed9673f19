// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <tuple>
#include <utility>

#include "app/cli/common_options.h"
#include "app/cli/console.h"
#include "app/cli/inputs.h"
#include "app/commands/commands.h"
#include "app/commands/synth_cube.h"
#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/files/result_names.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/io/cube_writer.h"
#include "hyperdefect/io/mask_writer.h"
#include "hyperdefect/synthetic/synthetic_scene.h"

namespace hyperdefect::app {
namespace {

namespace fs = std::filesystem;

constexpr int kMostScenes = 1'000'000;
/// The headings of the options that have a meaning for one of both only.
constexpr const char* kNewScenes = "New scenes";
constexpr const char* kGivenCubes = "Given cubes (--into)";

const std::map<std::string, synthetic::DefectKind>& kinds_by_name() {
  static const std::map<std::string, synthetic::DefectKind> kinds{
      {"material", synthetic::DefectKind::material},
      {"fringe", synthetic::DefectKind::fringe},
      {"absorption", synthetic::DefectKind::absorption},
      {"scene", synthetic::DefectKind::scene}};
  return kinds;
}

using Range = std::pair<double, double>;

struct SynthOptions {
  CommonOptions common;
  std::string output;
  bool overwrite = false;
  std::vector<std::string> into;
  std::string truth;
  synthetic::Geometry geometry;
  synthetic::Disturbance disturbance;
  std::int64_t scenes = 1;
  synthetic::SceneOptions scene;
  Range wavelengths_nm{scene.min_wavelength_nm, scene.max_wavelength_nm};
  std::vector<std::string> kinds{"material", "fringe", "absorption"};
  Range area_px{scene.implants.min_area_px, scene.implants.max_area_px};
  Range abundance{scene.implants.min_abundance, scene.implants.max_abundance};
};

struct SynthFiles {
  SynthFiles(const fs::path& folder, const fs::path& relative)
      : data((folder / relative).string() + ".img"),
        header((folder / relative).string() + ".hdr"),
        mask((folder / relative).string() + std::string(files::kMaskEndings.front())) {}

  fs::path data;
  fs::path header;
  fs::path mask;
};

/// Enough digits that names sort as their numbers do.
fs::path scene_name(std::int64_t number, std::int64_t scenes) {
  const auto width = std::max<std::size_t>(3, std::to_string(scenes).size());
  std::ostringstream name;
  name << "scene_" << std::setw(static_cast<int>(width)) << std::setfill('0') << number;
  return name.str();
}

std::vector<SynthTask> tasks_of(const SynthOptions& options) {
  std::vector<SynthTask> tasks;
  if (options.into.empty()) {
    for (std::int64_t number = 1; number <= options.scenes; ++number) {
      tasks.push_back({scene_name(number, options.scenes), {}});
    }
    return tasks;
  }
  for (const auto& cube : find_inputs(options.into)) {
    tasks.push_back({cube.relative, cube.path});
  }
  return tasks;
}

synthetic::SceneOptions scene_options(const SynthOptions& options) {
  auto scene = options.scene;
  std::tie(scene.min_wavelength_nm, scene.max_wavelength_nm) = options.wavelengths_nm;
  std::tie(scene.implants.min_area_px, scene.implants.max_area_px) = options.area_px;
  std::tie(scene.implants.min_abundance, scene.implants.max_abundance) = options.abundance;
  scene.implants.kinds.clear();
  for (const auto& kind : options.kinds) {
    scene.implants.kinds.push_back(kinds_by_name().at(kind));
  }
  return scene;
}

/// Whether the file is the cube, or its header.
bool belongs_to(const fs::path& file, const fs::path& cube) {
  const auto header = format::find_envi_header(cube);
  return fs::equivalent(file, cube) || (header && fs::equivalent(file, *header));
}

void check_output(const fs::path& file, const SynthTask& task, bool overwrite) {
  if (!fs::exists(file)) {
    return;
  }
  if (!task.cube.empty() && belongs_to(file, task.cube)) {
    throw UsageError(text::concat(file.string(), " belongs to the input: choose another folder with -o"));
  }
  if (!overwrite) {
    throw UsageError(text::concat(
        file.string(),
        " exists: nothing was done; choose another folder with -o, or replace it with --overwrite"));
  }
}

void check_outputs(const SynthOptions& options, const std::vector<SynthTask>& tasks) {
  for (const auto& task : tasks) {
    const SynthFiles files(options.output, task.relative);
    for (const auto& file : {files.data, files.header, files.mask}) {
      check_output(file, task, options.overwrite);
    }
  }
}

/// What is missing is said before anything is written.
void check_masks(const SynthOptions& options, const std::vector<SynthTask>& tasks) {
  if (options.truth.empty()) {
    return;
  }
  for (const auto& task : tasks) {
    known_mask(task, options.truth);
  }
}

void write(const SynthCube& made, const SynthFiles& files, bool with_mask) {
  io::EnviWriteOptions write_options;
  write_options.description = "made by hyperdefect synth";
  write_options.georeference = made.georeference;
  io::write_envi(files.data, made.cube.values, made.cube.bands, write_options);
  if (with_mask) {
    io::write_mask(files.mask, made.cube.mask);
  } else {
    // The mask of a scene that is overwritten would be a wrong truth.
    fs::remove(files.mask);
  }
}

void print(const synthetic::LabelledCube& cube, const SynthFiles& files) {
  std::cout << text::printable(files.data.string()) << ": " << cube.mask.size(0) << " x " << cube.mask.size(1)
            << " pixels, " << text::pluralise(cube.bands.count, "band") << ", "
            << text::pluralise(cube.mask.sum().item<std::int64_t>(), "defect pixel") << '\n';
}

ExitCode run(const SynthOptions& options) {
  apply_log_options(options.common);
  const SynthPlan plan{scene_options(options), options.geometry, options.disturbance, options.truth};
  Console console("look for cubes");
  const auto tasks = tasks_of(options);
  check_masks(options, tasks);
  check_outputs(options, tasks);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (console.stop_requested()) {
      throw Interrupted(text::concat("stopped after ", i, " of ",
                                     text::pluralise(static_cast<std::int64_t>(tasks.size()), "cube")));
    }
    console.progress(
        {"make cubes", static_cast<std::int64_t>(i), static_cast<std::int64_t>(tasks.size()), {}});
    const SynthFiles files(options.output, tasks[i].relative);
    make_output_folder(files.data.parent_path());
    const auto made = make_cube(tasks[i], plan);
    write(made, files, plan.writes_masks());
    console.clear();
    print(made.cube, files);
  }
  return ExitCode::ok;
}

CLI::Option* add_range(CLI::App& command, const char* name, Range& range, const std::string& help) {
  return command.add_option(name, range, help)->type_name("MIN MAX")->capture_default_str();
}

void add_defect_options(CLI::App& command, SynthOptions& options) {
  command
      .add_option("--defects", options.scene.implants.defects,
                  "Defects in a scene; with 0 no mask is written, unless --truth is given.")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--kinds", options.kinds,
                  "Kinds of defects, used in turn: material (a foreign material, for reflectance), scene (a "
                  "material of the scene in a place where it does not belong, for any unit), fringe, "
                  "absorption; default: all but scene")
      ->type_name("NAME")
      ->delimiter(',')
      ->check(CLI::IsMember({"material", "fringe", "absorption", "scene"}));
  add_range(command, "--area", options.area_px, "Area of a defect in pixels");
  add_range(command, "--abundance", options.abundance,
            "Fraction of the light that a defect affects, up to 1");
  command.add_option("--seed", options.scene.seed, "Seed; the same seed gives the same files.")
      ->type_name("N")
      ->capture_default_str();
}

void add_scene_options(CLI::App& command, SynthOptions& options) {
  const auto add = [&](const char* name, auto& value, const char* help) {
    return command.add_option(name, value, help)->type_name("N")->capture_default_str()->group(kNewScenes);
  };
  add("--scenes", options.scenes, "Number of scenes")->check(CLI::Range(1, kMostScenes));
  add("--rows", options.scene.rows, "Rows of a scene");
  add("--cols", options.scene.cols, "Columns of a scene");
  add("--bands", options.scene.bands, "Bands of a scene");
  add("--endmembers", options.scene.endmembers, "Number of materials that a scene is mixed from");
  command
      .add_option("--materials", options.scene.material_seed,
                  "Seed of the materials: all scenes then share them; without it each scene has its own")
      ->type_name("N")
      ->group(kNewScenes);
  add("--noise", options.scene.noise, "Noise of the sensor, as a fraction of the mean reflectance");
  add("--stripes", options.scene.stripes, "Columns with a wrong gain");
  add_range(command, "--wavelengths", options.wavelengths_nm, "First and last wavelength in nm")
      ->group(kNewScenes);
}

void add_geometry_options(CLI::App& command, SynthOptions& options) {
  command
      .add_option("--zoom", options.geometry.zoom,
                  "Enlarge or shrink the image by this factor, before defects are implanted; like --flip and "
                  "--turn, this drops the georeference")
      ->type_name("F")
      ->capture_default_str()
      ->group(kGivenCubes);
  command.add_flag("--flip", options.geometry.flip, "Mirror left and right, after the zoom.")
      ->group(kGivenCubes);
  command
      .add_option("--turn", options.geometry.quarter_turns, "Quarter turns counter-clockwise, after the flip")
      ->type_name("N")
      ->capture_default_str()
      ->group(kGivenCubes);
}

void add_disturbance_options(CLI::App& command, SynthOptions& options) {
  const auto add = [&](const char* name, double& value, const char* help) {
    command.add_option(name, value, help)->type_name("F")->capture_default_str()->group(kGivenCubes);
  };
  add("--gain", options.disturbance.gain, "Multiply all values, after the defects are implanted");
  add("--tilt", options.disturbance.tilt, "Multiply by 1 - F at the first band to 1 + F at the last");
  add("--noise-bands", options.disturbance.noise_bands, "Share of bands that are replaced by noise");
  add("--saturated", options.disturbance.saturated,
      "Share of pixels that take the highest value of the cube in all bands");
  add("--missing", options.disturbance.missing, "Share of pixels without data");
  command.add_flag("--reverse-bands", options.disturbance.reverse_bands, "Write the bands in reverse order.")
      ->group(kGivenCubes);
}

void add_given_options(CLI::App& command, SynthOptions& options) {
  command
      .add_option("--truth", options.truth,
                  "Folder of the cubes' own masks (STEM_mask.png or .tif). Their defects are kept: new "
                  "defects are added to the mask and do not overlap them.")
      ->type_name("DIR")
      ->group(kGivenCubes);
  add_geometry_options(command, options);
  add_disturbance_options(command, options);
}

/// What describes new scenes has no meaning for a cube that is given, and the other way round.
void refuse_group(const CLI::App& command, const char* group, const char* why) {
  for (const auto* option : command.get_options()) {
    if (option->get_group() == group && option->count() > 0) {
      throw UsageError(text::concat(option->get_name(), why));
    }
  }
}

void refuse_what_has_no_meaning(const CLI::App& command, bool given) {
  if (given) {
    refuse_group(command, kNewScenes,
                 " describes new scenes and has no meaning with --into: leave out one of the two");
  } else {
    refuse_group(command, kGivenCubes, " changes given cubes: name them with --into");
  }
}

}  // namespace

void add_synth(CLI::App& program, ExitCode& result) {
  auto options = std::make_shared<SynthOptions>();
  auto* command = program.add_subcommand(
      "synth",
      "Make synthetic scenes with defects, or implant defects into given cubes and rotate, zoom or degrade "
      "them. Writes cubes and their masks; the same seed gives the same files.");
  command->add_option("-o,--output", options->output, "Folder for STEM.img, STEM.hdr and STEM_mask.png.")
      ->type_name("DIR")
      ->check(not_empty())
      ->required();
  command->add_flag("--overwrite", options->overwrite, "Replace files that exist.");
  command
      ->add_option("--into", options->into,
                   "Implant into these cubes (files, folders, quoted globs, @list.txt) instead of making new "
                   "scenes; each cube is held in memory and written as float32.")
      ->type_name("CUBE");
  add_scene_options(*command, *options);
  add_given_options(*command, *options);
  add_defect_options(*command, *options);
  add_log_options(*command, options->common);
  command->footer("Example: hyperdefect synth -o scenes --scenes 4 --defects 6 --seed 2");
  command->callback([options, command, &result] {
    refuse_what_has_no_meaning(*command, !options->into.empty());
    result = run(*options);
  });
}

}  // namespace hyperdefect::app
