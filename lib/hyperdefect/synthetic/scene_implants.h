// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::synthetic {

/// What implanted spectra are made of; all on the CPU.
struct ImplantMaterial {
  /// (n, components): spectra of the scene.
  torch::Tensor spectra;
  /// (components, features): what a change of the spectrum, along the band axis, changes in the components.
  torch::Tensor to_components;
  /// (components), descending: the variances along the principal axes.
  torch::Tensor variances;
};

/// A scene with objects in it that do not belong there.
struct ImplantedScene {
  /// (components, rows, cols)
  torch::Tensor components;
  /// (rows, cols) float32: 1 in an object; 0 elsewhere, also where an object is too faint to be called one.
  torch::Tensor label;
  /// (rows, cols) float32: how much a pixel counts in the loss. Large objects count no more than small ones;
  /// pixels that an object touches without being part of it, and invalid ones, do not count.
  torch::Tensor weight;
};

/// Covers about 5 % of the valid pixels of a scene, (components, rows, cols) and (rows, cols), with implants
/// of 1 to 60 pixels: ellipses, rectangles, lines and blobs, part of them blurred, of abundance .1 to 1
/// (log-uniform both). Their spectrum is that of a random pixel of the scene: as it is, with smooth bumps
/// along the bands, with a random direction of the components' space, or with the difference of two other
/// pixels. Components are linear in the spectrum, so mixing them is exact if no logarithm was taken.
ImplantedScene with_implants(const torch::Tensor& components, const torch::Tensor& valid,
                             const ImplantMaterial& material, at::Generator& generator);

}  // namespace hyperdefect::synthetic
