#!/usr/bin/env bash
# Builds vann_bench_sql and runs it on a private server: test/bench/run_bench.sh [--NAME=VALUE ...]
# Without arguments: the words of test/data, vector_ann beside every other engine that is there
# (the extension `vector`, if the server has it; hnswlib, if its header was found). Options given
# override that. Results: build/bench/NAME.md and .json. VANN_SERVER=CONNINFO uses a server of yours.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

output=$build_dir/bench
scratch=

build_program() {
  mkdir -p "$output"
  cmake -S "$top/test/bench/sql" -B "$output/program" -DCMAKE_BUILD_TYPE=Release \
    -DVANN_PG_INCLUDE="$("$PG_CONFIG" --includedir)" \
    -DVANN_PG_LIBRARY_DIR="$("$PG_CONFIG" --libdir)" >/dev/null
  cmake --build "$output/program" -j "$jobs" -- --no-print-directory
}

# A quarter of the memory, 2 GB at most.
shared_buffers() {
  awk '/^MemTotal/ { mb = int($2 / 4096); print (mb < 2048 ? mb : 2048) "MB" }' /proc/meminfo
}

start_server() {
  scratch=$(new_scratch bench)
  trap '"$top/test/server.sh" "$scratch" remove' EXIT
  "$top/test/server.sh" "$scratch" start shared_buffers="$(shared_buffers)" max_wal_size=32GB \
    checkpoint_timeout=1h
  VANN_SERVER=$("$top/test/server.sh" "$scratch" conninfo)
}

engines() {
  local pgvector
  pgvector=$("$(bindir)/psql" -X -A -t -d "$VANN_SERVER" \
    -c "SELECT 'vector,' FROM pg_available_extensions WHERE name = 'vector'")
  echo "vector_ann,${pgvector}hnswlib"
}

# The value of --NAME=VALUE among the arguments, else the default: option NAME DEFAULT ARGUMENT...
option() {
  local name=$1 value=$2 argument
  shift 2
  for argument in "$@"; do
    case $argument in --"$name"=*) value=${argument#*=} ;; esac
  done
  echo "$value"
}

build_program
[ -n "${VANN_SERVER:-}" ] || start_server
"$output/program/vann_bench_sql" --server="$VANN_SERVER" --engines="$(engines)" \
  --data_dir="$top/test/data" --cache="$output" \
  --output="$output/$(option data words "$@")" "$@"
