#!/usr/bin/env bash
# Runs the TAP tests test/t/*.pl, which start servers of their own. TESTS="001_crash ..." limits
# it; VANN_KEEP=1 keeps the scratch directory with data directories and server logs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

main() {
  local pgxs_test scratch tests=() name status=0 log=$build_dir/tap.log
  for name in ${TESTS:-$(cd "$top/test/t" && ls -- *.pl 2>/dev/null)}; do
    tests+=("t/${name%.pl}.pl")
  done
  [ "${#tests[@]}" != 0 ] || die "no TAP tests found"
  pgxs_test=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
  scratch=$(new_scratch tap)
  copy_in test/t test/perl test/data "$scratch/in"
  as_server_user mkdir -p "$scratch/tmp_check/log"

  # PostgreSQL::Test reads these; TESTDIR serves releases up to 15, the other two those since 16.
  as_server_user env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE \
    HOME="$scratch" TMPDIR="$scratch" PATH="$(bindir):$PATH" \
    PERL5LIB="$pgxs_test/perl:$scratch/in/test/perl" PG_REGRESS="$pgxs_test/regress/pg_regress" \
    TESTDIR="$scratch" TESTLOGDIR="$scratch/tmp_check/log" TESTDATADIR="$scratch/tmp_check" \
    VANN_TEST_DATA="$scratch/in/test/data" \
    sh -c 'cd "$1" && shift && exec prove --timer -j 2 "$@"' sh "$scratch/in/test" "${tests[@]}" \
    </dev/null 2>&1 | tee "$log" || status=1

  if [ "$status" != 0 ]; then
    as_server_user sh -c 'for log in "$1"/regress_log_*; do
      ! grep -q "not ok\|died" "$log" || { echo "== $log"; tail -n 60 "$log"; }
    done' sh "$scratch/tmp_check/log"
  fi
  if [ -n "${VANN_KEEP:-}" ]; then
    echo "kept $scratch"
  else
    as_server_user rm -rf "$scratch"
  fi
  report "$status"
  return "$status"
}

# prove closes with its own count; this repeats it in the wording of the other suites.
report() {
  local failed
  failed=$(grep -cE '^(t/|.*/t/)[^ ]+\.pl .*(Wstat|Failed)' "$build_dir/tap.log" || true)
  sed -n 's/^Files=\([0-9]*\), Tests=\([0-9]*\).*/\1 \2/p' "$build_dir/tap.log" |
    while read -r files tests; do
      echo "tap files: $((files - failed)) passed, $failed failed ($tests assertions)"
    done
}

mkdir -p "$build_dir"
main
