#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of a preset that is built, two at a time, and counts their cases: scripts/run_tests.sh PRESET [ARGUMENT...].
# Arguments go to ctest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset="$1"
shift
results="build/$preset/test_results" junit="build/$preset/tests.xml"
rm -rf "$results" "$junit"
status=0
ctest --preset "$preset" -j 2 --output-junit "$PWD/$junit" "$@" || status=$?
# "No tests were found" leaves no report.
[[ -e "$junit" ]] || exit "$((status > 0 ? status : 1))"
scripts/count_tests.py "$junit" "$results" | tee "build/$preset/tests.txt" || status=$((status > 0 ? status : 1))
exit "$status"
