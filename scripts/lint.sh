#!/usr/bin/env bash
# The formatting and the curated clang-tidy checks of this project.
#
#   lint.sh                 clang-format on every file, clang-tidy on every source of the project
#   lint.sh --changed REF   clang-tidy only on sources changed since REF
#   lint.sh --format        clang-format only
#
# clang-tidy gets LINT_SECONDS (900) in all; sources it did not reach are named and do not fail the run.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
mode=${1:-all}
reference=${2:-}
preset=${LINT_PRESET:-dev}
limit=${LINT_SECONDS:-900}

sources() { git ls-files 'src/*.cpp' 'src/*.hpp' 'tests/*.cpp' 'tests/*.hpp'; }
echo "clang-format: $(sources | wc -l) files"
sources | xargs -r -P"$(nproc)" -n20 clang-format-19 --dry-run --Werror || {
  echo "lint.sh: clang-format: run clang-format-19 -i on the files above" >&2
  exit 1
}
[ "$mode" != --format ] || exit 0

# A configuration of its own: clang cannot read GCC's precompiled headers, and compiler warnings are the build's business.
cmake --preset "$preset" -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DSLIPWAY_WARNINGS_AS_ERRORS=OFF \
  >/dev/null || exit 1
if [ "$mode" = --changed ]; then
  [ -n "$reference" ] || { echo "usage: lint.sh --changed REF" >&2; exit 64; }
  mapfile -t files < <(git diff --name-only --diff-filter=d "$reference" -- 'src/*.cpp')
else
  mapfile -t files < <(git ls-files 'src/*.cpp')
fi
((${#files[@]})) || exit 0

# One process per file, two at a time, each with its own time limit, until the time for all is used up.
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
export results
started=$(date +%s)
export started limit
check() {
  local name=${1//\//_} left=$((limit - ($(date +%s) - started)))
  if ((left <= 0)); then
    echo "$1" >>"$results/unreached"
    return 0
  fi
  timeout "$left" clang-tidy-19 --quiet -p build/lint "$1" >"$results/$name.out" 2>"$results/$name.err"
  local status=$?
  if ((status == 124)); then
    echo "$1" >>"$results/unreached"
  elif ((status != 0)); then
    cat "$results/$name.out"
    grep -vE 'warnings? generated|Suppressed|Use -header-filter' "$results/$name.err" | head -n 5
    echo "$1" >>"$results/failed"
  fi
}
export -f check
# shellcheck disable=SC2016
printf '%s\0' "${files[@]}" | xargs -0 -P"$(nproc)" -I{} bash -c 'check "$1"' _ {}
failed=$( (cat "$results/failed" 2>/dev/null || true) | wc -l)
unreached=$( (cat "$results/unreached" 2>/dev/null || true) | wc -l)
echo "clang-tidy: ${#files[@]} sources, $failed with findings, $unreached not reached in $limit s"
[ ! -f "$results/unreached" ] || sed 's/^/  not reached: /' "$results/unreached"
((failed == 0))
