#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures and builds a preset: scripts/build.sh [PRESET [TARGET...]]. Without arguments: all of "release".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset="${1:-release}"
shift || true

# A source file with torch takes up to 2 GB to compile.
jobs_that_fit() {
  local by_memory=1 jobs
  jobs="$(nproc)"
  by_memory="$(awk '/MemAvailable/ { print int($2 / 2097152) }' /proc/meminfo)"
  if ((jobs > by_memory)); then jobs=$by_memory; fi
  if ((jobs > 3)); then jobs=3; fi
  echo $((jobs > 1 ? jobs : 1))
}

cmake --preset "$preset" >&2
cmake --build --preset "$preset" -j "$(jobs_that_fit)" ${1:+--target "$@"} >&2
