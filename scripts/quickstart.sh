#!/usr/bin/env bash
# From a bare Debian machine to a supervised web application: installs, builds, boots config-samples/quickstart, shows
# its status and leaves it running until Ctrl-C.
#
#   quickstart.sh                on SQLite
#   quickstart.sh --postgres     on a PostgreSQL server that Slipway creates and supervises
#     --bin DIR                  use the programs in DIR instead of installing and building
#     --keep DIR                 keep everything that is written in DIR; otherwise a temporary directory, removed at the end
# PORT is the web server's port; without it, a free one.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
backend=sqlite
bin=""
keep=""
while (($#)); do
  case "$1" in
    --postgres) backend=postgres ;;
    --bin | --keep)
      (($# > 1)) || { echo "quickstart.sh: $1 needs a directory" >&2; exit 64; }
      mkdir -p "$2"
      if [ "$1" = --bin ]; then bin=$(realpath "$2"); else keep=$(realpath "$2"); fi
      shift
      ;;
    *)
      echo "usage: scripts/quickstart.sh [--postgres] [--bin DIR] [--keep DIR]" >&2
      exit 64
      ;;
  esac
  shift
done

if [ -z "$bin" ]; then
  scripts/install-dependencies.sh build run
  echo "building (a few minutes the first time)"
  cmake --preset release -DSLIPWAY_BUILD_TESTS=OFF >/dev/null
  cmake --build --preset release
  bin=$root/build/release/bin
fi
export PATH="$bin:$PATH"

if [ -n "$keep" ]; then directory=$keep; else directory=$(mktemp -d "${TMPDIR:-/tmp}/slipway-quickstart.XXXXXX"); fi
# As root, PostgreSQL runs as its own user and must reach its directory below this one.
chmod 755 "$directory"
pid=""
finish() {
  trap - EXIT INT TERM
  local status=$1
  if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
    kill -TERM "$pid"
    wait "$pid" && status=0 || status=$?
  fi
  [ -n "$keep" ] || rm -rf "$directory"
  exit "$status"
}
trap 'finish $?' EXIT
trap 'echo; echo "stopping"; finish 0' INT TERM

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=${PORT:-$(free_port)}
database_port=$(free_port)
export QUICKSTART_DIR=$directory QUICKSTART_SITE=$root/config-samples/quickstart/site
export SLIPWAY_CONFIG=$root/config-samples/quickstart/slipway.yaml
export DB_BACKEND=$backend DB_PORT=$database_port PORT=$port

slipway plan
echo
slipway run &
pid=$!
# The socket is there once the configuration was accepted.
while kill -0 "$pid" 2>/dev/null && [ ! -S "$directory/control.sock" ]; do read -rt 0.05 <> <(:) || :; done
if ! slipway wait --for ready --timeout 180s; then
  wait "$pid" && status=0 || status=$?
  echo "quickstart.sh: the boot failed (exit $status)" >&2
  pid=""
  finish $((status == 0 ? 1 : status))
fi
echo
slipway status
echo
curl -fsS "http://127.0.0.1:$port/"
cat <<EOF

ready: http://127.0.0.1:$port/   (each visit is a row in the database)
In another shell:
  export PATH=$bin:\$PATH SLIPWAY_CONFIG=$SLIPWAY_CONFIG QUICKSTART_DIR=$directory
  slipway status | logs -f web | restart web
Ctrl-C stops it.
EOF
wait "$pid" && status=0 || status=$?
pid=""
finish "$status"
