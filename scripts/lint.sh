#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs clang-tidy over the given sources, or over all of lib and app (a minute of CPU each: all read torch/torch.h).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v clang-tidy >/dev/null || { echo "lint: clang-tidy is not installed" >&2; exit 2; }
scripts/setup.sh
cmake --preset tidy >&2
if (($# == 0)); then
  mapfile -t sources < <(find lib app -name '*.cpp' | sort)
  set -- "${sources[@]}"
fi
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/tidy --quiet --warnings-as-errors='*'
