#!/usr/bin/env bash
# Builds vann_bench_sql and runs it on a private server: test/bench/run_bench.sh [--NAME=VALUE ...]
# Without options: the quick profile. Options are the program's (options.cpp lists them), and
#   --publish   copy report and pictures to test/bench/results/, the summary into README.md
# Results: build/bench/results/ (report.md, results.json, pictures). PG_CONFIG chooses the
# PostgreSQL; VANN_SERVER=CONNINFO uses a server of yours, which is then not restarted.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

output=$build_dir/bench
results=$output/results
scratch=
restart=
publish=no

build_program() {
  mkdir -p "$output/program"
  {
    cmake -S "$top/test/bench" -B "$output/program" -DCMAKE_BUILD_TYPE=Release \
      -DVANN_PG_INCLUDE="$("$PG_CONFIG" --includedir)" \
      -DVANN_PG_LIBRARY_DIR="$("$PG_CONFIG" --libdir)" &&
      cmake --build "$output/program" -j "$jobs" -- --no-print-directory
  } >"$output/program/log" 2>&1 || {
    tail -n 40 "$output/program/log" >&2
    die "the benchmark could not be built; the whole log: $output/program/log"
  }
}

# A quarter of the memory, 4 GB at most.
shared_buffers() {
  awk '/^MemTotal/ { mb = int($2 / 4096); print (mb < 4096 ? mb : 4096) "MB" }' /proc/meminfo
}

start_server() {
  scratch=$(new_scratch bench)
  trap '"$top/test/server.sh" "$scratch" remove' EXIT
  "$top/test/server.sh" "$scratch" start shared_buffers="$(shared_buffers)" max_wal_size=32GB \
    checkpoint_timeout=1h autovacuum=off
  VANN_SERVER=$("$top/test/server.sh" "$scratch" conninfo)
  restart="'$top/test/server.sh' '$scratch' restart"
}

commit() {
  local changes=
  [ -z "$(git -C "$top" status --porcelain -- src sql 2>/dev/null)" ] || changes=" with changes"
  echo "$(git -C "$top" rev-parse --short HEAD 2>/dev/null || echo unknown)$changes"
}

# Replaces what stands between the two marks of README.md by standard input.
replace_in_readme() {
  local readme=$top/README.md
  [ "$(grep -c '^<!-- bench: ' "$readme")" = 2 ] || die "README.md has lost its marks for this"
  awk '
    FNR == NR { text = text $0 "\n"; next }
    /^<!-- bench: begin/ { print; printf "%s", text; inside = 1; next }
    /^<!-- bench: end/ { inside = 0 }
    !inside { print }' - "$readme" >"$readme.new"
  mv "$readme.new" "$readme"
}

publish_results() {
  local published=$top/test/bench/results picture
  rm -rf "$published"
  mkdir -p "$published"
  cp "$results"/*.svg "$results/report.md" "$published/"
  {
    echo
    cat "$results/summary.md"
    echo
    for picture in "$published"/*-recall-k10.svg "$published"/builds*.svg; do
      [ ! -e "$picture" ] ||
        echo "![$(basename "$picture" .svg)](test/bench/results/$(basename "$picture"))"
    done
    echo
  } | replace_in_readme
  echo "published: test/bench/results/, README.md"
}

options=()
for argument in "$@"; do
  if [ "$argument" = --publish ]; then publish=yes; else options+=("$argument"); fi
done

build_program
rm -rf "$results"
[ -n "${VANN_SERVER:-}" ] || start_server
"$output/program/vann_bench_sql" --server="$VANN_SERVER" --restart_command="$restart" \
  --commit="$(commit)" --data_dir="$top/test/data" --cache="$output" --output="$results" \
  ${options[@]+"${options[@]}"}
echo "report: $results/report.md"
[ "$publish" = no ] || publish_results
