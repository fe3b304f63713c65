#!/usr/bin/env bash
# Installs the peers, builds the release programs and prints the comparison (tests/bench/run; --quick takes a minute).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-dependencies.sh build run bench
cmake --preset release -DSLIPWAY_BUILD_TESTS=OFF >/dev/null
cmake --build --preset release
exec /usr/bin/python3 tests/bench/run "$@"
