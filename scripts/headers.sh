#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles each public header (HEADERS of a room's CMakeLists.txt) by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/build.sh release headers_alone
echo "headers: $(find build/release/lib -path '*/headers_alone/*.cpp' | wc -l) public headers compile alone"
