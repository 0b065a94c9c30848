#!/usr/bin/env bash
# Installs what building and testing need and the machine lacks, by package name with apt-get.
# Silent, offline and fast when nothing is missing. Elsewhere than on Debian and Ubuntu it names
# what is missing and stops.
set -euo pipefail
PG_CONFIG=${PG_CONFIG:-pg_config}
export DEBIAN_FRONTEND=noninteractive

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

has() { command -v "$1" >/dev/null 2>&1; }

# Asks the compiler, which knows where headers may lie, for one header without reading it.
has_header() {
  printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$1" |
    g++ -x c++ -E ${2:+-I"$2"} - >/dev/null 2>&1
}

apt_get() {
  local log
  log=$(mktemp)
  as_root apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1 || {
    cat "$log" >&2
    rm -f "$log"
    return 1
  }
  rm -f "$log"
}

# The PostgreSQL major version to use: the one that pg_config names, else an installed server,
# else the distribution's default.
postgres_major() {
  local major=
  if has "$PG_CONFIG"; then
    major=$("$PG_CONFIG" --version | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p')
  fi
  if [ -z "$major" ]; then
    major=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 2>/dev/null |
      sed -n 's,.*/\([0-9]*\)$,\1,p' | sort -n | tail -1)
  fi
  if [ -z "$major" ]; then
    major=$(apt-cache depends postgresql 2>/dev/null |
      sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -1)
  fi
  echo "$major"
}

# What is missing, as package names without the PostgreSQL server's own.
missing_tools() {
  has make || echo make
  has cmake || echo cmake
  has g++ || echo g++
  has gzip || echo gzip
  has nm || echo binutils
  has g++ && has_header xsimd/xsimd.hpp || echo libxsimd-dev
  has g++ && has_header eigen3/Eigen/Core || echo libeigen3-dev
  has g++ && has_header gtest/gtest.h || echo libgtest-dev
  has g++ && has_header benchmark/benchmark.h || echo libbenchmark-dev
  has perl && perl -MIPC::Run -e 1 2>/dev/null || echo libipc-run-perl
  has prove || echo perl
  has "$PG_CONFIG" && has g++ && has_header libpq-fe.h "$("$PG_CONFIG" --includedir)" ||
    echo libpq-dev
}

server_is_missing() { ! has "$PG_CONFIG" || [ ! -x "$("$PG_CONFIG" --bindir)/initdb" ]; }
# Debian's client package already holds PGXS's makefiles; the headers come with another.
headers_are_missing() {
  ! has "$PG_CONFIG" || [ ! -e "$("$PG_CONFIG" --pgxs)" ] ||
    [ ! -e "$("$PG_CONFIG" --includedir-server)/postgres.h" ]
}

missing_packages() {
  missing_tools
  if server_is_missing || headers_are_missing; then
    local major
    major=$(postgres_major)
    if [ -n "$major" ]; then
      echo "postgresql-$major"
      echo "postgresql-server-dev-$major"
    else
      echo postgresql
      echo postgresql-server-dev-all
    fi
  fi
}

install_packages() { apt_get install -y --no-install-recommends "$@"; }

main() {
  local packages
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  if ! has apt-get; then
    echo "missing, under their Debian names:" $packages >&2
    echo "this machine has no apt-get: install their equivalents and run again" >&2
    return 1
  fi
  # Without package lists neither the names nor the default version are known.
  if [ -z "$(apt-cache policy libxsimd-dev 2>/dev/null)" ]; then
    apt_get update
    packages=$(missing_packages)
  fi
  echo "installing:" $packages
  # Package lists that are older than the archive name files that are gone.
  install_packages $packages 2>/dev/null || {
    apt_get update
    install_packages $packages
  }
  packages=$(missing_packages)
  if [ -n "$packages" ]; then
    echo "still missing after the installation:" $packages >&2
    return 1
  fi
}

main
