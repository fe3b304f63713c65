# Images of Slipway on Debian trixie.
#   minimal    the static program alone: to copy into an image of yours, or to run static programs under
#   postgres   PostgreSQL 17 and the database program: a base image, or a database server as it is
# scripts/image.sh builds and tests both, also where no image registry can be reached.

FROM debian:trixie-slim AS build
ARG DEBIAN_FRONTEND=noninteractive
COPY scripts/install-dependencies.sh /source/scripts/
RUN apt-get update \
 && /source/scripts/install-dependencies.sh build \
 && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json /source/
COPY cmake /source/cmake
COPY src /source/src
COPY README.md /source/
COPY docs /source/docs
COPY config-samples /source/config-samples
COPY images /source/images
WORKDIR /source
RUN --mount=type=cache,target=/root/.cache/ccache \
    cmake --preset release -DSLIPWAY_BUILD_TESTS=OFF \
 && cmake --build --preset release \
 && DESTDIR=/installed cmake --install build/release --strip
# Any uid may run the images, so what Slipway writes to is open to all, as /tmp is.
RUN mkdir -p /layout/run/slipway /layout/var/lib/slipway /layout/tmp /layout/etc/slipway \
 && chmod 1777 /layout/run/slipway /layout/var/lib/slipway /layout/tmp


FROM scratch AS minimal
COPY --from=build /layout/ /
COPY --from=build /installed/usr/bin/slipway /usr/bin/slipway
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/bin/slipway", "health"]
# A container's CMD becomes the critical worker `main`.
ENTRYPOINT ["/usr/bin/slipway", "run", "--"]


FROM debian:trixie-slim AS postgres
ARG DEBIAN_FRONTEND=noninteractive
# The packaged cluster is not wanted: Slipway makes its own, and the image holds none.
RUN mkdir -p /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/no-main-cluster.conf \
 && apt-get update \
 && apt-get install -y --no-install-recommends postgresql-17 postgresql-client-17 libnss-wrapper \
      libpq5 libsqlite3-0 xz-utils zstd gzip \
 && rm -rf /var/lib/apt/lists/* /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem \
 && install -d -m 1777 /run/slipway /var/lib/slipway /var/lib/postgresql /run/postgresql \
 && install -d /docker-entrypoint-initdb.d /etc/slipway
COPY --from=build /installed/usr/bin/ /usr/bin/
COPY images/postgres/slipway.yaml /etc/slipway/slipway.yaml
ENV LANG=C.UTF-8 PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
STOPSIGNAL SIGTERM
# The data directory is /var/lib/postgresql/data: a directory below the volume, so that a cluster under construction
# is renamed into place, and so that any uid can own it.
# /run/slipway is one too, so that a read-only root needs no further option, whatever the uid.
VOLUME ["/var/lib/postgresql", "/var/lib/slipway", "/run/slipway"]
EXPOSE 5432
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/bin/slipway", "health"]
ENTRYPOINT ["/usr/bin/slipway", "run", "--"]
