#!/usr/bin/env bash
# Installs, with apt and by package name, what is missing on a Debian machine (bookworm or trixie).
#
#   install-dependencies.sh [GROUP...]      build run test image bench; without one: build run
#   install-dependencies.sh --list [GROUP...]   prints the packages instead
#
# Nothing is installed that is already there; with nothing missing, apt is not called and root is not needed.
set -euo pipefail

. /etc/os-release
case "${VERSION_CODENAME:-}" in
  bookworm) boost=libboost1.81-dev postgres=15 ;;
  trixie) boost=libboost1.83-dev postgres=17 ;;
  *)
    echo "install-dependencies.sh: ${PRETTY_NAME:-this system}: Debian bookworm or trixie expected" >&2
    exit 1
    ;;
esac

packages_of() {
  case "$1" in
    build)
      echo g++ cmake ninja-build ccache pkg-config dpkg-dev "$boost" libyaml-cpp-dev libre2-dev libexpected-dev \
        libcli11-dev libspdlog-dev libfmt-dev libpq-dev libsqlite3-dev libabsl-dev
      ;;
    run)
      echo "postgresql-$postgres" "postgresql-client-$postgres" libnss-wrapper xz-utils zstd gzip curl \
        python3-django python3-psycopg2 gunicorn python3-gunicorn
      ;;
    test)
      echo libgtest-dev libgmock-dev clang-format-19 clang-tidy-19 git file binutils util-linux procps openssl \
        man-db tzdata python3-pytest python3-alembic python3-sqlalchemy postgresql-contrib tini dumb-init
      ;;
    image) echo podman buildah runc mmdebstrap ca-certificates python3-pytest ;;
    bench) echo gcc libc6-dev tini dumb-init s6 runit supervisor python3 ;;
    *)
      echo "install-dependencies.sh: unknown group '$1': one of build run test image bench" >&2
      return 1
      ;;
  esac
}

list_only=false
if [ "${1:-}" = --list ]; then
  list_only=true
  shift
fi
(($#)) || set -- build run
wanted=()
for group in "$@"; do
  names=$(packages_of "$group")
  read -ra names <<<"$names"
  wanted+=("${names[@]}")
done
if $list_only; then
  printf '%s\n' "${wanted[@]}" | sort -u
  exit 0
fi

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
done
((${#missing[@]})) || exit 0
echo "installing: ${missing[*]}"

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || {
    echo "install-dependencies.sh: root is needed to install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
run() { "${as_root[@]}" "$@"; }

# Debian starts a server, and creates a PostgreSQL cluster, on installation; we only want the programs.
if printf '%s\n' "${missing[@]}" | grep -q '^postgresql' && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  run mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' | run tee /etc/postgresql-common/createcluster.d/no-main-cluster.conf >/dev/null
fi
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | run tee "$policy" >/dev/null
  run chmod 755 "$policy"
  trap 'run rm -f "$policy"' EXIT
fi

attempt=1
until run apt-get update -qq && run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  "${missing[@]}" >/dev/null; do
  ((attempt++ < 3)) || exit 1
  echo "apt failed, attempt $attempt"
done
