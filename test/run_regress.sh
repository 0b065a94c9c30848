#!/usr/bin/env bash
# Runs pg_regress (sql/*.sql against expected/) or pg_isolation_regress (test/isolation) on a
# temporary server of its own: test/run_regress.sh regress|isolation. TESTS="name ..." limits it.
# Prints the differences of failed tests and leaves all results in build/SUITE/results.
# VANN_KEEP=1 keeps the scratch directory with the server's data.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Settings of the temporary server: nothing here outlives the run.
temp_config() {
  cat <<'CONF'
fsync = off
max_wal_size = 1GB
maintenance_work_mem = 64MB
max_prepared_transactions = 4
jit = off
CONF
}

# Prints the names of all tests of a suite, in order.
all_tests() {
  case $1 in
    regress) find "$top/sql" -name '*.sql' ! -name '*--*' ;;
    isolation) find "$top/test/isolation/specs" -name '*.spec' ;;
  esac | sed 's,.*/,,; s,\.[a-z]*$,,' | sort
}

main() {
  local suite=$1 tests scratch program input status=0 regress_dir
  tests=${TESTS:-$(all_tests "$suite")}
  [ -n "$tests" ] || die "no $suite tests found"
  regress_dir=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
  scratch=$(new_scratch "$suite")
  [ -n "${VANN_KEEP:-}" ] || trap 'as_server_user rm -rf "'"$scratch"'"' EXIT

  if [ "$suite" = regress ]; then
    program=$regress_dir/regress/pg_regress input=$scratch/in
    copy_in sql expected test/data "$scratch/in"
  else
    program=$regress_dir/isolation/pg_isolation_regress input=$scratch/in/test/isolation
    copy_in test/isolation "$scratch/in"
  fi
  temp_config | as_server_user tee "$scratch/temp.conf" >/dev/null
  as_server_user mkdir "$scratch/out"
  # pg_regress gives up at a test without expected output; an empty one makes it fail and go on.
  # shellcheck disable=SC2086  # a list of names
  as_server_user touch -a $(printf "$input/expected/%s.out\n" $tests)

  # shellcheck disable=SC2086  # a list of names
  as_server_user env -u PGHOST -u PGPORT "$program" --bindir="$(bindir)" --inputdir="$input" \
    --outputdir="$scratch/out" --temp-instance="$scratch/instance" \
    --temp-config="$scratch/temp.conf" --no-locale --encoding=UTF8 \
    --load-extension=vector_ann $tests </dev/null 2>&1 | tee "$build_dir/$suite.log" || status=1

  if [ "$status" != 0 ]; then
    as_server_user cat "$scratch/out/regression.diffs" 2>/dev/null || true
    as_server_user sh -c "grep -hE 'PANIC|FATAL|terminated by signal' '$scratch'/out/log/*.log" ||
      true
  fi
  rm -rf "${build_dir:?}/$suite"
  mkdir "$build_dir/$suite"
  as_server_user tar -C "$scratch/out" -cf - results |
    tar -C "$build_dir/$suite" --no-same-owner -xf -
  read -r passed failed <<<"$(count_regress <"$build_dir/$suite.log")"
  echo "$suite tests: $passed passed, $failed failed"
  return "$status"
}

case ${1:-} in
  regress | isolation) mkdir -p "$build_dir" && main "$1" ;;
  *) die "usage: $0 regress|isolation" ;;
esac
