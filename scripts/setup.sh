#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the build needs and lacks: system packages (Debian, Ubuntu), and LibTorch into .deps/python.
#
#   HYPERDEFECT_SKIP_PACKAGES=1   leave the system's packages alone
#   HYPERDEFECT_TORCH_INDEX=URL   the package index that pip takes the torch wheel from
#   Torch_DIR, CMAKE_PREFIX_PATH  a LibTorch of your own; nothing is downloaded then
#   CI=true                       what the checks of a change need as well: clang-format, clang with libFuzzer, ctags, the
#                                 tools that make a .deb, and clang-tidy into .deps/clang-tidy
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly torch_version=2.13.0
readonly torch_home=.deps/python
# From version 22 on it passes over what system headers hold, and takes a third of the time.
readonly tidy_version=22.1.8
readonly tidy_home=.deps/clang-tidy

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

is_installed() { [[ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null)" == ii* ]]; }

# A tool from elsewhere than a package serves as well; a header file comes with its package.
missing_packages() {
  local tool package
  for tool in cmake:cmake ninja:ninja-build c++:g++ ccache:ccache git:git python3:python3 "$@"; do
    command -v "${tool%%:*}" >/dev/null || echo "${tool##*:}"
  done
  if [[ -z "$torch_is_there" || -n "${CI:-}" ]] && ! python3 -m pip --version >/dev/null 2>&1; then echo python3-pip; fi
  for package in libgdal-dev libhdf5-dev libopencv-dev libcli11-dev libspdlog-dev libyaml-cpp-dev nlohmann-json3-dev libgtest-dev; do
    is_installed "$package" || echo "$package"
  done
}

# What clang links a fuzzed program with. The version of the package must be that of clang.
fuzzer_runtime() {
  if ! command -v clang >/dev/null; then
    echo libclang-rt-dev
  elif ! compgen -G "$(clang -print-resource-dir)/lib/*/libclang_rt.fuzzer*" >/dev/null; then
    echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
  fi
}

packages_to_install() {
  if [[ -z "${CI:-}" ]]; then
    missing_packages
  else
    missing_packages clang-format:clang-format clang:clang ctags:universal-ctags dpkg-shlibdeps:dpkg-dev file:file
    fuzzer_runtime
  fi
}

as_root() {
  if [[ "$(id -u)" == 0 ]]; then env DEBIAN_FRONTEND=noninteractive "$@"
  elif [[ -t 0 ]]; then sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

install_packages() {
  local packages
  mapfile -t packages < <(packages_to_install)
  [[ ${#packages[@]} == 0 ]] && return
  command -v apt-get >/dev/null ||
    fail "this system has no apt-get. Install what these Debian packages hold: ${packages[*]}; then set HYPERDEFECT_SKIP_PACKAGES=1"
  if [[ "$(id -u)" != 0 ]] && ! command -v sudo >/dev/null; then
    fail "not root, and there is no sudo. As root, run: apt-get install ${packages[*]}"
  fi
  say "installing ${packages[*]}"
  if ! { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "${packages[@]}"; } \
      </dev/null >&2; then
    fail "apt-get could not install ${packages[*]}"
  fi
}

check_cmake() {
  local version
  version="$(cmake --version | sed -n '1s/.*version //p')"
  [[ "$(printf '%s\n' 3.25 "$version" | sort -V | head -n 1)" == 3.25 ]] ||
    fail "CMake $version is too old, 3.25 is needed: take it from a newer release of the system or by 'pip install cmake'"
}

# The folder of a TorchConfig.cmake that the build will find by itself (cmake/HyperdefectTorch.cmake).
has_torch() {
  local prefix prefixes
  if [[ -n "${Torch_DIR:-}" ]]; then
    [[ -e "$Torch_DIR/TorchConfig.cmake" ]] ||
      fail "Torch_DIR is $Torch_DIR, which holds no TorchConfig.cmake: set it to the folder of that file, or unset it"
    return 0
  fi
  IFS=: read -r -a prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}" "$torch_home/torch/share/cmake"; do
    for place in "$prefix" "$prefix/Torch" "$prefix/share/cmake/Torch"; do
      [[ -n "$prefix" && -e "$place/TorchConfig.cmake" ]] && return 0
    done
  done
  return 1
}

pip_install() {
  python3 -m pip install --quiet --disable-pip-version-check --no-input --no-compile --upgrade \
    ${HYPERDEFECT_TORCH_INDEX:+--index-url "$HYPERDEFECT_TORCH_INDEX"} --target "$@" >&2
}

lacks_libraries() { ldd "$1/torch/lib/libtorch.so" "$1/torch/lib/libtorch_cpu.so" | grep -q 'not found'; }

# Fills the folder $1. An index may hold the CPU build as its own version, or a CUDA build only.
download_torch() {
  pip_install "$1" --no-deps "torch==$torch_version+cpu" 2>/dev/null && return
  pip_install "$1" --no-deps "torch==$torch_version" ||
    fail "pip could not install torch==$torch_version. Set HYPERDEFECT_TORCH_INDEX to an index that holds it, or Torch_DIR to a LibTorch"
  [[ -e "$1/torch/lib/libtorch_cuda.so" ]] || return 0
  say "this wheel is a CUDA build. For the smaller CPU build remove .deps and set HYPERDEFECT_TORCH_INDEX to the"
  say "index for CPU builds that PyTorch's installation page names, or set Torch_DIR to a LibTorch of your own."
  if lacks_libraries "$1"; then
    say "going on with it: fetching the CUDA libraries that it needs (several GB)"
    pip_install "$1" "torch==$torch_version" || fail "pip could not install the CUDA libraries of torch==$torch_version"
  fi
}

# Into a folder of its own first: a download that was cut off is never taken for a whole one.
install_torch() {
  local fresh
  [[ -e "$torch_home" || -L "$torch_home" ]] &&
    fail "$torch_home is there but holds no LibTorch: remove it, or set Torch_DIR"
  say "fetching LibTorch $torch_version into $torch_home"
  mkdir -p .deps
  fresh="$(mktemp -d .deps/fetching.XXXXXX)"
  # shellcheck disable=SC2064
  trap "rm -rf '$fresh'" EXIT
  download_torch "$fresh"
  chmod 755 "$fresh"
  mv "$fresh" "$torch_home"
}

# A new version replaces an old one; a download that was cut off is never taken for a whole one.
install_tidy() {
  local fresh
  [[ "$(cat "$tidy_home/version" 2>/dev/null)" == "$tidy_version" ]] && return
  say "fetching clang-tidy $tidy_version into $tidy_home"
  mkdir -p .deps
  fresh="$(mktemp -d .deps/fetching.XXXXXX)"
  python3 -m pip install --quiet --disable-pip-version-check --no-input --no-compile --no-deps --target "$fresh" \
    "clang-tidy==$tidy_version" >&2 || { rm -rf "$fresh"; fail "pip could not install clang-tidy==$tidy_version"; }
  echo "$tidy_version" >"$fresh/version"
  chmod 755 "$fresh"
  rm -rf "$tidy_home"
  mv "$fresh" "$tidy_home"
}

torch_is_there=
if has_torch; then torch_is_there=yes; fi
[[ "${HYPERDEFECT_SKIP_PACKAGES:-}" == 1 ]] || install_packages
check_cmake
[[ -n "$torch_is_there" ]] || install_torch
if [[ -n "${CI:-}" ]]; then install_tidy; fi
