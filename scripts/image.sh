#!/usr/bin/env bash
# Builds the images of the Dockerfile with podman, and tests them.
#
#   image.sh           build and test
#   image.sh build     build only: localhost/slipway:minimal and localhost/slipway:postgres
#   image.sh test      test the images that were built
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
scripts/container-engine.sh

# The build uses this machine's network, so that apt inside reaches what apt outside reaches.
build() {
  local target
  for target in minimal postgres; do
    podman build --pull=never --format docker --network host --target "$target" --tag "localhost/slipway:$target" . |
      grep -vE '^(Selecting|Preparing|Unpacking|Setting up|\(Reading|debconf:|Get:|Processing)' || return 1
  done
  podman images --format '{{.Repository}}:{{.Tag}}  {{.Size}}' | grep '^localhost/slipway:'
}

run_tests() {
  cmake -S tests/images -B build/images -G Ninja >/dev/null
  ctest --test-dir build/images --output-on-failure --no-tests=error
}

case "$what" in
  all) build && run_tests ;;
  build) build ;;
  test) run_tests ;;
  *)
    echo "usage: scripts/image.sh [build|test]" >&2
    exit 64
    ;;
esac
