#!/usr/bin/env bash
# Installs what is needed, builds, and runs every test.
#
#   test.sh            everything: unit, structure and system tests, formatting, sanitizers, container images, packages
#   test.sh --quick    unit and structure tests of the dev build only
#
# Every stage runs even when one before it failed; the last lines give the counts, and the exit status is their sum.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
root=$PWD
quick=false
case "${1:-}" in
  "") ;;
  --quick) quick=true ;;
  *)
    echo "usage: scripts/test.sh [--quick]" >&2
    exit 64
    ;;
esac
export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ccache}
# What one clone compiled serves the next one too; the last word lets precompiled headers be cached.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=true CCACHE_SLOPPINESS=time_macros,pch_defines
jobs=$(nproc)
logs=$root/build/test-logs
mkdir -p "$logs"
started=$SECONDS
failed_stages=()
total=0
failures=0

# What went well is in the log file; what is shown is short enough to find the rest in.
brief() { sed -uE '/^\[[0-9]+\/[0-9]+\] (Building|Linking|Generating)/d; /^ +Start +[0-9]+: /d; /\.\.\. +Passed +/d'; }

stage() {  # stage NAME COMMAND...: runs it, remembers a failure, adds up its ctest counts
  local name=$1 begin=$SECONDS line
  shift
  printf '\n=== %s\n' "$name"
  if ! "$@" 2>&1 | tee "$logs/$name.log" | brief; then
    failed_stages+=("$name")
  fi
  while read -r line; do
    total=$((total + $(sed -E 's/.* out of ([0-9]+).*/\1/' <<<"$line")))
    failures=$((failures + $(sed -E 's/.*, ([0-9]+) tests? failed.*/\1/' <<<"$line")))
  done < <(grep -E '^[0-9]+% tests passed, [0-9]+ tests? failed out of [0-9]+' "$logs/$name.log")
  printf '=== %s: %d s\n' "$name" $((SECONDS - begin))
}

build() { cmake --preset "$1" "${@:3}" >"$logs/configure-$1.log" && cmake --build --preset "$1" --target "$2" -- -j"$jobs"; }
build_dev() { build dev all -DSLIPWAY_BUILD_TESTS=ON; }
dev_tests() { ctest --preset dev -j"$jobs" --no-tests=error -LE "$1"; }
sanitized() {  # sanitized PRESET TARGETS REGEX
  # shellcheck disable=SC2086
  cmake --preset "$1" >"$logs/configure-$1.log" &&
    cmake --build --preset "$1" --target $2 -- -j"$jobs" &&
    ctest --preset "$1" -j"$jobs" --no-tests=error -L unit -R "$3"
}

stage dependencies scripts/install-dependencies.sh build run test
stage build build_dev
if $quick; then
  stage tests dev_tests 'system|package'
else
  stage tests dev_tests none
  stage format scripts/lint.sh --format
  # Pure code and the parsers; HACKING.md tells how to run the others.
  stage asan sanitized asan "engine_test logging_test config_test" '^(engine|logging|config)/'
  stage image scripts/image.sh
fi

printf '\n'
((${#failed_stages[@]} == 0)) || printf 'failed: %s\n' "${failed_stages[*]}"
sed -nE '/^The following tests FAILED:/,/^$/{/ - /p}' "$logs"/*.log
percent=0
((total == 0)) || percent=$(((total - failures) * 100 / total))
printf 'Total test time: %d s\n' $((SECONDS - started))
if ((failures == 1)); then word="test"; else word="tests"; fi
printf '%d%% tests passed, %d %s failed out of %d\n' "$percent" "$failures" "$word" "$total"
((${#failed_stages[@]} == 0 && failures == 0 && total > 0))
