#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the program and runs its main job on scenes made up from a seed: train on cubes without defects, find the
# defects in others, measure against the true masks; then the same without any training data.
# Usage: scripts/demo.sh [FOLDER], "demo" unless told. What is there already is not made twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly demo="${1:-demo}"
readonly program=build/release/app/hyperdefect
readonly scene=(--rows 64 --cols 64 --bands 60 --materials 1)

step() { printf '\n== %s\n' "$*"; }

# A folder counts as made once its command has come to its end.
once() {
  local result="$1"
  shift
  if [[ -e "$result.done" ]]; then
    echo "$result is there already"
    return
  fi
  "$@"
  touch "$result.done"
}

scripts/setup.sh
scripts/build.sh release hyperdefect_program
mkdir -p "$demo"

step "Scenes: six without defects to learn from, four with six defects each"
once "$demo/normal" "$program" synth -o "$demo/normal" --scenes 6 "${scene[@]}" --defects 0 --seed 1 --overwrite
once "$demo/scenes" "$program" synth -o "$demo/scenes" --scenes 4 "${scene[@]}" --defects 6 --seed 2 --overwrite

step "One-class: train on the normal cubes, then look for defects in the scenes"
once "$demo/model.safetensors" "$program" train "$demo/normal" -o "$demo/model.safetensors" --overwrite
"$program" infer --model "$demo/model.safetensors" "$demo/scenes" -o "$demo/maps_one_class" --resume
"$program" eval "$demo/maps_one_class" --truth "$demo/scenes"

step "Single scene: no training data, each scene is judged by itself"
"$program" detect "$demo/scenes" -o "$demo/maps_single_scene" --resume
"$program" eval "$demo/maps_single_scene" --truth "$demo/scenes"

step "Maps"
echo "scores, spectral angles, defects and overlays: $demo/maps_one_class, $demo/maps_single_scene"
