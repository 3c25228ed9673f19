#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the library with HYPERDEFECT_WITH_IO=OFF, and runs the tests of what is left and of the installed package.
# ccache hands it the objects of the release build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/build.sh no_io
exec scripts/run_tests.sh no_io -LE '^scripts$' "$@"
