#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the tests of a room under sanitizers, where hyperdefect_add_tests(... SANITIZE ...) names one:
# scripts/sanitize.sh [asan|tsan] [ARGUMENT...]. asan: addresses, leaks, undefined behaviour; tsan: threads. Arguments go
# to ctest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset="${1:-asan}"
shift || true
case "$preset" in
  asan | tsan) ;;
  *) echo "sanitize: $preset is neither asan nor tsan" >&2; exit 2 ;;
esac
scripts/setup.sh
scripts/build.sh "$preset"
# Counts of lines are those of this run alone.
find "build/$preset" -name '*.gcda' -delete

export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="suppressions=$PWD/scripts/lsan.supp:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
# Libraries that are not instrumented synchronise unseen: oneDNN's cache in LibTorch looks like a race of its own.
export TSAN_OPTIONS="ignore_noninstrumented_modules=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
# GCC's thread sanitizer does not start where the kernel places libraries at random as widely as new ones do.
exec setarch "$(uname -m)" --addr-no-randomize scripts/run_tests.sh "$preset" "$@"
