#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzzing harnesses of tests/fuzz and runs each one, two at a time: scripts/fuzz.sh MINUTES [HARNESS...].
# Fractions of a minute are allowed; without names, all harnesses run. Needs Clang with libFuzzer, which is installed
# if it is missing (scripts/setup.sh).
#
# In CI the same inputs are tried each time, so that a change is judged by itself.
# What was found so far is kept in build/fuzz/corpus/HARNESS and built upon; an input that shows a fault is left in
# build/fuzz/faults, the log of each run in build/fuzz/logs. Exits with 1 if there is a fault, or if a harness
# took more than 1 GB of memory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly programs=build/fuzz/tests/fuzz
readonly faults=build/fuzz/faults logs=build/fuzz/logs found=build/fuzz/corpus
readonly most_mb=1024

fail() { printf 'fuzz: %s\n' "$*" >&2; exit 2; }

known_harnesses() {
  local source
  for source in tests/fuzz/*_fuzz.cpp; do basename "$source" _fuzz.cpp; done
}

# Harnesses that read JSON share its words.
dictionary_of() {
  local own="tests/fuzz/$1.dict"
  if [[ -e "$own" ]]; then echo "$own"; else echo tests/fuzz/json.dict; fi
}

# Runs until the time is over or a fault is found, in place of the shell that calls it. Files of the harness lie in
# memory where the system allows it. LibTorch is told that there is no more memory, as a system without it would: it
# asks before model::AllocationLimit can object. Any other code that asks for so much is a fault.
run_harness() {
  local name="$1" seconds="$2"
  mkdir -p "$found/$name"
  local asan="quarantine_size_mb=32:malloc_context_size=4:max_allocation_size_mb=$most_mb:allocator_may_return_null=1"
  exec env ASAN_OPTIONS="$asan" UBSAN_OPTIONS=print_stacktrace=1 \
    OMP_NUM_THREADS=1 TMPDIR="$scratch" nice "$programs/${name}_fuzz" \
    -max_total_time="$seconds" ${CI:+-seed=1} -timeout=20 -rss_limit_mb="$most_mb" -malloc_limit_mb="$most_mb" -print_final_stats=1 \
    -artifact_prefix="$faults/$name-" -dict="$(dictionary_of "$name")" "$found/$name" "tests/fuzz/corpus/$name" \
    </dev/null >"$logs/$name.log" 2>&1
}

stop() {
  local jobs
  mapfile -t jobs < <(jobs -p)
  if ((${#jobs[@]} > 0)); then kill "${jobs[@]}" 2>/dev/null || true; fi
  wait
  rm -rf "$scratch"
}

# The value of a line of libFuzzer's closing statistics, or 0.
statistic() { awk -v name="stat::$1:" '$1 == name { value = $2 } END { print value + 0 }' "$logs/$2.log"; }

# A run that ended in time says so; whatever else ended it is a fault.
faults_of() { if grep -q '^Done [0-9]* runs' "$logs/$1.log"; then echo 0; else echo 1; fi; }

print_table() {
  local name peak count
  printf '%-14s %12s %8s %8s %7s\n' harness executions peak_MB exec/s faults
  for name in "$@"; do
    peak="$(statistic peak_rss_mb "$name")" count="$(faults_of "$name")"
    printf '%-14s %12s %8s %8s %7s\n' "$name" "$(statistic number_of_executed_units "$name")" "$peak" \
      "$(statistic average_exec_per_sec "$name")" "$count"
    if ((count > 0)); then
      status=1
      grep -m 1 -A 1 -E 'DOES NOT HOLD|runtime error:|terminate called|ERROR: ' "$logs/$name.log" | sed 's/^/    /' |
        cut -c 1-200 || true
    elif ((peak > most_mb)); then
      status=1
      echo "    took more than $most_mb MB"
    fi
  done
  if ((status != 0)); then echo "fuzz: the inputs that show the faults are in $faults, the logs in $logs"; fi
}

[[ "${1:-}" =~ ^[0-9]*\.?[0-9]+$ ]] || fail "give the minutes for each harness: scripts/fuzz.sh MINUTES [HARNESS...]"
seconds="$(awk -v minutes="$1" 'BEGIN { printf "%d", minutes * 60 + 0.5 }')"
((seconds > 0)) || fail "give more than 0 minutes for each harness"
shift
mapfile -t known < <(known_harnesses)
if (($# == 0)); then set -- "${known[@]}"; fi
for name in "$@"; do
  [[ " ${known[*]} " == *" $name "* ]] || fail "$name is not a harness: take ${known[*]}"
done

CI=true scripts/setup.sh
command -v clang++ >/dev/null || fail "clang++ is missing. Install Clang with libFuzzer (Debian: clang and libclang-rt-dev)"
scripts/build.sh fuzz "${@/%/_fuzz}"

mkdir -p "$faults" "$logs"
memory=/dev/shm
[[ -d "$memory" && -w "$memory" ]] || memory="${TMPDIR:-/tmp}"
scratch="$(mktemp -d "$memory/hyperdefect-fuzz.XXXXXX")"
trap stop EXIT
trap 'exit 130' INT TERM
echo "fuzz: $seconds seconds for each of: $*" >&2
running=0
for name in "$@"; do
  if ((running == 2)); then
    wait -n || true
    running=1
  fi
  run_harness "$name" "$seconds" &
  running=$((running + 1))
done
# Each run's log says how it ended.
wait
status=0
print_table "$@"
exit "$status"
