#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats every C++ file in place; with --check it changes nothing and fails where a file is not formatted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v clang-format >/dev/null || { echo "format: clang-format is not installed" >&2; exit 2; }
mode=(-i)
[[ "${1:-}" == --check ]] && mode=(--dry-run -Werror)
find lib app tests -name '*.h' -print0 -o -name '*.cpp' -print0 | xargs -0 -r clang-format "${mode[@]}"
