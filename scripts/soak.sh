#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Breaks runs of the program in every way that a shop floor knows, and checks that no result is wrong afterwards:
# kills without warning, interrupts, a full disk, two runs at once. Prints counts; exits with 1 at the first fault.
# Usage: scripts/soak.sh [--short] [--kills N] [--tries N] [--program FILE]
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/soak.py" "$@"
