#!/usr/bin/env bash
# Makes a Debian machine able to build images with podman, also where no image registry can be reached: then
# debian:trixie-slim is assembled from Debian's packages, through whatever apt sources this machine uses.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-dependencies.sh image
image=debian:trixie-slim

# Where the machine's own runtime does not start a container (crun refuses hybrid cgroups; podman's default limits need
# CAP_SYS_RESOURCE), runc with limits that are within reach does. A configuration that is already there is left alone.
if [ "$(id -u)" = 0 ] && [ ! -e /etc/containers/containers.conf ]; then
  mkdir -p /etc/containers
  cat >/etc/containers/containers.conf <<'CONF'
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
CONF
fi

podman image exists "$image" && exit 0
if timeout 60 podman pull --quiet "$image" >/dev/null 2>&1; then
  exit 0
fi
echo "no image registry: assembling $image from Debian packages"
mmdebstrap --quiet --variant=minbase --include=ca-certificates trixie - | podman import --quiet - "$image" >/dev/null
podman image exists "$image"
