// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <tuple>
#include <utility>

#include "app/cli/common_options.h"
#include "app/commands/commands.h"
#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/io/cube_reader.h"
#include "hyperdefect/io/cube_writer.h"
#include "hyperdefect/io/envi_header.h"
#include "hyperdefect/io/find_cubes.h"
#include "hyperdefect/io/mask_writer.h"
#include "hyperdefect/spectral/synthetic.h"

namespace hyperdefect::app {
namespace {

namespace fs = std::filesystem;

constexpr int kMostScenes = 1'000'000;
/// The heading of the options that describe new scenes.
constexpr const char* kNewScenes = "New scenes";

const std::map<std::string, spectral::DefectKind>& kinds_by_name() {
  static const std::map<std::string, spectral::DefectKind> kinds{
      {"material", spectral::DefectKind::material},
      {"fringe", spectral::DefectKind::fringe},
      {"absorption", spectral::DefectKind::absorption}};
  return kinds;
}

using Range = std::pair<double, double>;

struct SynthOptions {
  CommonOptions common;
  std::string output;
  bool overwrite = false;
  std::vector<std::string> into;
  std::int64_t scenes = 1;
  spectral::SceneOptions scene;
  Range wavelengths_nm{scene.min_wavelength_nm, scene.max_wavelength_nm};
  std::vector<std::string> kinds{"material", "fringe", "absorption"};
  Range area_px{scene.implants.min_area_px, scene.implants.max_area_px};
  Range abundance{scene.implants.min_abundance, scene.implants.max_abundance};
};

/// What is to be written: a name below the output folder, and the cube that takes the defects, if there is
/// one.
struct Task {
  fs::path relative;
  fs::path cube;
};

/// A cube with defects, and what is known of it.
struct Made {
  torch::Tensor values;
  torch::Tensor mask;
  spectral::Bands bands;
  io::Georeference georeference;
};

struct SynthFiles {
  SynthFiles(const fs::path& folder, const fs::path& relative)
      : data((folder / relative).string() + ".img"),
        header((folder / relative).string() + ".hdr"),
        mask((folder / relative).string() + "_mask.png") {}

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

std::vector<Task> tasks_of(const SynthOptions& options) {
  std::vector<Task> tasks;
  if (options.into.empty()) {
    for (std::int64_t number = 1; number <= options.scenes; ++number) {
      tasks.push_back({scene_name(number, options.scenes), {}});
    }
    return tasks;
  }
  for (const auto& cube : io::find_cubes(options.into)) {
    tasks.push_back({cube.relative, cube.path});
  }
  return tasks;
}

spectral::SceneOptions scene_options(const SynthOptions& options) {
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
  const auto header = io::find_envi_header(cube);
  return fs::equivalent(file, cube) || (header && fs::equivalent(file, *header));
}

void check_output(const fs::path& file, const Task& task, bool overwrite) {
  if (!fs::exists(file)) {
    return;
  }
  if (!task.cube.empty() && belongs_to(file, task.cube)) {
    throw UsageError(text::cat(file.string(), " belongs to the input itself: take another folder with -o"));
  }
  if (!overwrite) {
    throw UsageError(text::cat(file.string(),
                               " exists: nothing was done; take another folder with -o, or replace it "
                               "with --overwrite"));
  }
}

void check_outputs(const SynthOptions& options, const std::vector<Task>& tasks) {
  for (const auto& task : tasks) {
    const SynthFiles files(options.output, task.relative);
    for (const auto& file : {files.data, files.header, files.mask}) {
      check_output(file, task, options.overwrite);
    }
  }
}

Made make_new(spectral::SceneOptions options, std::uint64_t seed) {
  options.seed = seed;
  auto scene = spectral::make_scene(options);
  return {scene.values, scene.mask, scene.bands, {}};
}

/// Pixels of the cube that are invalid stay so: they are written as NaN, and no defect is claimed for them.
Made make_from(const fs::path& cube, const spectral::ImplantOptions& options, std::uint64_t seed) {
  io::CubeReader reader(io::read_cube_info(cube));
  const auto& info = reader.info();
  const auto block = reader.read(whole(info.size()));
  const auto values =
      block.values.masked_fill(block.valid.logical_not(), std::numeric_limits<float>::quiet_NaN());
  auto generator = at::detail::createCPUGenerator(seed);
  const auto implanted = spectral::implant(values, info.bands, options, generator);
  return {implanted.values, implanted.mask.logical_and(block.valid), info.bands, info.georeference};
}

void write(const Made& made, const SynthFiles& files, bool with_mask) {
  io::EnviWriteOptions write_options;
  write_options.description = "synthetic defects, written by hyperdefect";
  write_options.georeference = made.georeference;
  io::write_envi(files.data, made.values, made.bands, write_options);
  if (with_mask) {
    io::write_mask(files.mask, made.mask);
  } else {
    // The mask of a scene that is overwritten would be a wrong truth.
    fs::remove(files.mask);
  }
}

ExitCode run(const SynthOptions& options) {
  apply_log_options(options.common);
  const auto scene = scene_options(options);
  const auto tasks = tasks_of(options);
  check_outputs(options, tasks);
  for (const auto& task : tasks) {
    const SynthFiles files(options.output, task.relative);
    make_output_folder(files.data.parent_path());
    const auto seed = derive_seed(options.scene.seed, task.relative.generic_string());
    const auto made = task.cube.empty() ? make_new(scene, seed) : make_from(task.cube, scene.implants, seed);
    write(made, files, scene.implants.defects > 0);
    std::cout << files.data.string() << ": " << made.values.size(1) << " x " << made.values.size(2)
              << " pixels, " << text::counted(made.bands.count, "band") << ", "
              << text::counted(made.mask.sum().item<std::int64_t>(), "defect pixel") << '\n';
  }
  return ExitCode::ok;
}

CLI::Option* add_range(CLI::App& command, const char* name, Range& range, const std::string& help) {
  return command.add_option(name, range, help)->type_name("MIN MAX")->capture_default_str();
}

void add_defect_options(CLI::App& command, SynthOptions& options) {
  command
      .add_option("--defects", options.scene.implants.defects,
                  "Defects in a scene; with 0 no mask is written.")
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--kinds", options.kinds, "Kinds of defects, taken in turn; all three if not given")
      ->type_name("NAME")
      ->delimiter(',')
      ->check(CLI::IsMember({"material", "fringe", "absorption"}));
  add_range(command, "--area", options.area_px, "Area of a defect in pixels");
  add_range(command, "--abundance", options.abundance,
            "Fraction of the light that a defect touches, up to 1");
  command.add_option("--seed", options.scene.seed, "Seed; the same seed gives the same files.")
      ->type_name("N")
      ->capture_default_str();
}

void add_scene_options(CLI::App& command, SynthOptions& options) {
  const auto add = [&](const char* name, auto& value, const char* help) {
    return command.add_option(name, value, help)->type_name("N")->capture_default_str()->group(kNewScenes);
  };
  add("--scenes", options.scenes, "How many scenes are made")->check(CLI::Range(1, kMostScenes));
  add("--rows", options.scene.rows, "Rows of a scene");
  add("--cols", options.scene.cols, "Columns of a scene");
  add("--bands", options.scene.bands, "Bands of a scene");
  add("--endmembers", options.scene.endmembers, "Materials that a scene is mixed of");
  command
      .add_option("--materials", options.scene.material_seed,
                  "Seed of the materials, which the scenes then share; without it each has its own")
      ->type_name("N")
      ->group(kNewScenes);
  add("--noise", options.scene.noise, "Noise of the sensor, as a fraction of the mean reflectance");
  add("--stripes", options.scene.stripes, "Columns with a wrong gain");
  add_range(command, "--wavelengths", options.wavelengths_nm, "First and last wavelength in nm")
      ->group(kNewScenes);
}

/// What describes a new scene has no meaning for a cube that is given.
void refuse_scene_options(const CLI::App& command) {
  for (const auto* option : command.get_options()) {
    if (option->get_group() == kNewScenes && option->count() > 0) {
      throw UsageError(text::cat(option->get_name(),
                                 " describes new scenes and has no meaning with --into: leave out "
                                 "one of the two"));
    }
  }
}

}  // namespace

void add_synth(CLI::App& program, ExitCode& result) {
  auto options = std::make_shared<SynthOptions>();
  auto* command = program.add_subcommand(
      "synth", "Make scenes with defects, or implant defects into given cubes, with masks, from a seed.");
  command->add_option("-o,--output", options->output, "Folder for STEM.img, STEM.hdr and STEM_mask.png.")
      ->type_name("DIR")
      ->required();
  command->add_flag("--overwrite", options->overwrite, "Replace files that exist.");
  command
      ->add_option(
          "--into", options->into,
          "Implant into these cubes (files, folders, quoted globs, @list.txt) instead of new scenes; each is "
          "held in memory and written as float32.")
      ->type_name("CUBE");
  add_scene_options(*command, *options);
  add_defect_options(*command, *options);
  add_log_options(*command, options->common);
  command->footer("Example: hyperdefect synth -o scenes --scenes 4 --defects 6 --seed 2");
  command->callback([options, command, &result] {
    if (!options->into.empty()) {
      refuse_scene_options(*command);
    }
    result = run(*options);
  });
}

}  // namespace hyperdefect::app
