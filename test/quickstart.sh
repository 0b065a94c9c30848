#!/usr/bin/env bash
# The extension in a minute: a private server, 20,000 English words with their 100-dimensional GloVe
# vectors, both kinds of index, and what they find. A second run reuses server, data and index.
#   test/quickstart.sh start|stop
set -euo pipefail
. "$(dirname "$0")/lib.sh"

directory=$scratch_root/vector_ann-$server_user
here=$top/test

server() { "$here/server.sh" "$directory" "$@"; }
sql() { server psql -q -v ON_ERROR_STOP=1 "$@"; }
value() { sql -A -t -c "$1"; }
title() { printf '\n== %s\n' "$*"; }

build_and_install() {
  title "Building and installing the extension"
  "$here/run.sh" build >"$build_dir/quickstart.log" 2>&1 || {
    tail -n 40 "$build_dir/quickstart.log"
    die "the build failed; the whole log: $build_dir/quickstart.log"
  }
  echo "installed into $("$PG_CONFIG" --pkglibdir)"
}

start_server() {
  title "Starting a private server in $directory"
  server start shared_buffers=256MB maintenance_work_mem=512MB max_wal_size=4GB
  value 'SELECT version()'
}

# Data of another build of the extension are dropped: their functions and pages may differ.
drop_data_of_other_builds() {
  local build
  build=$(cat "$("$PG_CONFIG" --pkglibdir)/vector_ann.so" \
    "$("$PG_CONFIG" --sharedir)"/extension/vector_ann--*.sql | cksum)
  [ "$(value "SELECT obj_description(to_regnamespace('public'))")" = "vector_ann $build" ] ||
    sql -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS words' \
      -c 'DROP EXTENSION IF EXISTS vector_ann CASCADE' \
      -c "COMMENT ON SCHEMA public IS 'vector_ann $build'"
}

load_words() {
  title "Loading test/data/words.tsv.gz"
  if [ "$(value "SELECT to_regclass('words') IS NOT NULL")" = f ]; then
    gzip -dc "$here/data/words.tsv.gz" | sql --single-transaction -c '
      CREATE EXTENSION IF NOT EXISTS vector_ann' -c '
      CREATE TABLE words (rank int PRIMARY KEY, word text NOT NULL, embedding vector(100))' -c '
      COPY words FROM STDIN'
    sql -c 'VACUUM ANALYZE words'
  fi
  value "SELECT count(*) || ' words of ' || max(vector_dims(embedding)) || ' dimensions, '
    || pg_size_pretty(pg_table_size('words')) FROM words"
}

# Prints what pg_stat_progress_create_index shows, until the given process ends. A terminal gets one
# line that changes, anything else a line per change.
show_progress() {
  local line='' last=''
  while kill -0 "$1" 2>/dev/null; do
    line=$(value "SELECT format('%-32s blocks %s/%s  rows %s/%s', phase, blocks_done, blocks_total,
      tuples_done, tuples_total) FROM pg_stat_progress_create_index" 2>/dev/null || true)
    if [ -n "$line" ] && [ "$line" != "$last" ]; then
      if [ -t 1 ]; then printf '\r\033[K  %s' "$line"; else echo "  $line"; fi
      last=$line
    fi
    sleep 0.1
  done
  if [ -t 1 ] && [ -n "$last" ]; then echo; fi
}

# build_index NAME STATEMENT
build_index() {
  local builder
  echo "$2;"
  if [ "$(value "SELECT to_regclass('$1') IS NULL")" = t ]; then
    sql -c '\timing on' -c "$2" &
    builder=$!
    show_progress "$builder"
    wait "$builder"
  else
    echo "(is there already)"
  fi
}

build_indexes() {
  title "Building the indexes: a graph, and inverted lists"
  build_index words_graph 'CREATE INDEX words_graph ON words
  USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64)'
  build_index words_lists 'CREATE INDEX words_lists ON words
  USING ivfpq (embedding vector_cosine_ops)'
}

start() {
  mkdir -p "$build_dir"
  build_and_install
  start_server
  drop_data_of_other_builds
  load_words
  build_indexes
  server psql -q -v ON_ERROR_STOP=1 -P pager=off <"$here/quickstart.sql"
  title "Your turn"
  echo "connect:  $(server command)"
  echo "          SELECT * FROM nearest('castle', 8);   \\d words   \\df nearest*"
  echo "stop:     make quickstart-stop"
}

case ${1:-} in
  start) start ;;
  stop)
    if as_server_user test -d "$directory"; then
      server remove
      echo "stopped the server and deleted $directory"
    else
      echo "no server in $directory"
    fi
    ;;
  *) die "usage: $0 start|stop" ;;
esac
