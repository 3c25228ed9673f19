// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "hyperdefect/spectral/types.h"

namespace hyperdefect::synthetic {

/// What a defect does to the light.
enum class DefectKind {
  /// A foreign material covers a part of the pixel: its spectrum is mixed in linearly.
  material,
  /// A transparent film interferes: the spectrum is multiplied by 1 + a cos(4 pi n d / wavelength), with n d
  /// the optical
  /// thickness of the film.
  fringe,
  /// A substance absorbs: the spectrum is multiplied by 1 - a times a Gaussian over the wavelengths.
  absorption,
  /// A material of the scene itself lies where it does not belong: the spectrum of another pixel, whose
  /// contrast
  /// to the place is above the average, is mixed in linearly.
  scene,
};

/// The defects that implant() makes.
struct ImplantOptions {
  std::int64_t defects = 12;
  /// The kinds, taken in turn.
  std::vector<DefectKind> kinds{DefectKind::material, DefectKind::fringe, DefectKind::absorption};
  /// A defect's area in pixels, drawn log-uniformly. Its outline is an ellipse, a rectangle, a line or a
  /// blob.
  double min_area_px = 2.0;
  double max_area_px = 60.0;
  /// The fraction of the light that a defect touches, in (0, 1] and drawn log-uniformly: the mixing fraction
  /// of a material, the amplitude of a fringe, the depth of an absorption.
  double min_abundance = 0.1;
  double max_abundance = 1.0;
  /// (rows, cols) bool: pixels, as those of known defects, that the defects keep away from while there is
  /// room; undefined: none.
  torch::Tensor keep_clear;
};

/// A cube with defects in it.
struct Implanted {
  /// (bands, rows, cols), a copy of what was given, changed where the defects are.
  torch::Tensor values;
  /// (rows, cols) bool: pixels that a defect covers by half or more, and at least one pixel a defect.
  torch::Tensor mask;
  /// (rows, cols) float32 in [0, 1]: abundance times the covered part of the pixel.
  torch::Tensor abundance;
};

/// Implants defects at random places into values (bands, rows, cols) float, apart from each other while there
/// is room. Pixels at an outline are covered in part. Sizes of effects follow the brightness of the place, so
/// that any linear unit will do. What is mixed in gets the noise of the scene, estimated from the
/// differences of neighbouring pixels (as for the MNF transform; Green et al., 1988), so that no defect is
/// known by its calm; what is mixed in of the scene itself comes from several pixels of one material, so that
/// none is known by its noise either. If the bands state no wavelengths, 400 to 1000 nm, evenly spaced,
/// are supposed. The generator is one of the CPU.
/// @throws UsageError if the options contradict themselves.
Implanted implant(const torch::Tensor& values, const spectral::Bands& bands, const ImplantOptions& options,
                  at::Generator& generator);

/// A scene to be made.
struct SceneOptions {
  std::int64_t rows = 128;
  std::int64_t cols = 128;
  std::int64_t bands = 100;
  double min_wavelength_nm = 400.0;
  double max_wavelength_nm = 1000.0;
  /// How many materials the scene is mixed of.
  std::int64_t endmembers = 4;
  /// Standard deviation of the sensor's noise as a fraction of the scene's mean reflectance; it grows to
  /// three times that at both ends of the spectrum, as that of a silicon or InGaAs detector does.
  double noise = 0.005;
  /// How many columns get a wrong gain (within 3 %), as a push-broom sensor's do.
  std::int64_t stripes = 0;
  /// The defects; with `implants.defects` 0 the scene is normal material only.
  ImplantOptions implants;
  std::uint64_t seed = 0;
  /// Draws the materials from this seed instead, so that several scenes are mixed of the same ones.
  std::optional<std::uint64_t> material_seed;
};

/// A made scene and the truth about it.
struct SyntheticScene {
  /// (bands, rows, cols) float32, reflectance.
  torch::Tensor values;
  /// (rows, cols) bool: the defects.
  torch::Tensor mask;
  /// (rows, cols) float32: as in Implanted.
  torch::Tensor abundance;
  spectral::Bands bands;
};

/// Makes a scene: smooth endmember spectra with absorption features, mixed linearly with abundances that
/// change over some 16 pixels, lit unevenly, defects implanted, noise of the sensor added. The same options
/// give the same scene.
/// @throws UsageError if an option is out of its range.
SyntheticScene make_scene(const SceneOptions& options);

}  // namespace hyperdefect::synthetic
