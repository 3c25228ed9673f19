#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything and runs all tests; arguments go to ctest (scripts/test.sh -L nn, for instance). GTEST_FILTER selects
# cases: GTEST_FILTER='Attention.*' scripts/test.sh -L nn.
# Real data is looked for in HYPERDEFECT_TEST_DATA, or else in ../shared/data; tests that need it are skipped without.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/build.sh release
exec scripts/run_tests.sh release "$@"
