#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints which share of each room's lines the tests under the address sanitizer ran, from the last scripts/sanitize.sh, or
# from a new run where there was none. A room whose tests run under no sanitizer is left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z "$(find build/asan -name '*.gcda' -print -quit 2>/dev/null)" ]]; then scripts/sanitize.sh asan >&2; fi
exec scripts/coverage.py build/asan "$@"
