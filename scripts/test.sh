#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything and runs all tests; arguments go to ctest (scripts/test.sh -L nn, for instance).
# Real data is looked for in HYPERDEFECT_TEST_DATA, or else in ../shared/data; tests that need it are skipped without.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/build.sh release

report="$(mktemp)"
trap 'rm -f "$report"' EXIT
status=0
ctest --preset release -j 2 "$@" | tee "$report" || status=$?
skipped="$(grep -c '\*\*\*Skipped' "$report" || true)"
# What each test printed stands in ctest's log alone.
for_data="$(grep -c 'needs real data' build/release/Testing/Temporary/LastTest.log || true)"
echo "Tests skipped: $skipped, of these for want of data (HYPERDEFECT_TEST_DATA): $for_data"
exit "$status"
