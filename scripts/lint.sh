#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs clang-tidy on what changed in lib and app since the last release (a tag), or since the branch left main. If there is
# neither, on all of lib and app, what was changed last first. What was found clean before is not read again.
#
#   scripts/lint.sh --all           all of lib and app
#   scripts/lint.sh --base COMMIT   what differs from COMMIT
#   scripts/lint.sh FILE...         these files
#   --seconds N                     begin no file after N seconds; those left out are counted
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CI=true scripts/setup.sh
cmake --preset tidy >&2
exec scripts/lint.py --clang-tidy .deps/clang-tidy/clang_tidy/data/bin/clang-tidy "$@"
