#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the program and measures what docs/quality.md says: scripts/quality.sh [--only SUITE,...] [--seeds 1,2,3] ...
# (scripts/quality.py --help). Interrupted, it goes on where it stopped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case " $* " in
  *" --help "* | *" -h "*) ;;
  *) scripts/build.sh release hyperdefect_program ;;
esac
exec python3 -B scripts/quality.py "$@"
