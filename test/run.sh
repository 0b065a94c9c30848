#!/usr/bin/env bash
# Runs test suites in turn, all of them even after a failure, and closes with a summary:
#   test/run.sh SUITE...     (build static unit asan tsan regress isolation tap bench)
# TESTS="name ..." limits a suite to the tests of these names.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

elevate=
[ "$(id -u)" = 0 ] || [ -w "$("$PG_CONFIG" --pkglibdir)" ] || elevate=sudo

run_make() {
  # Under a parallel make the job server already decides how many jobs run.
  case ${MAKEFLAGS:-} in
    *jobserver*) make -C "$top" --no-print-directory -s "$@" ;;
    *) make -C "$top" --no-print-directory -s -j"$jobs" "$@" ;;
  esac
}

suite_build() {
  if [ -n "$elevate" ] && ! command -v sudo >/dev/null 2>&1; then
    echo "$("$PG_CONFIG" --pkglibdir) is not writable and there is no sudo: install as root" >&2
    return 1
  fi
  run_make PG_CONFIG="$PG_CONFIG" all &&
    $elevate make -C "$top" --no-print-directory PG_CONFIG="$PG_CONFIG" install >/dev/null &&
    echo "built and installed into $("$PG_CONFIG" --pkglibdir)"
}

suite_static() {
  local check passed=0 failed=0
  for check in "$top"/test/check_*.sh; do
    if (cd "$top" && "$check"); then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  echo "static checks: $passed passed, $failed failed"
  [ "$failed" = 0 ]
}

# run_unit NAME BUILD_TYPE SANITIZERS: builds the tests of src/core as CMakePresets.json does for the
# preset NAME, and runs them.
run_unit() {
  local directory=$build_dir/$1 log status=0
  cmake -S "$top" -B "$directory" -DCMAKE_BUILD_TYPE="$2" -DVANN_SANITIZE="$3" \
    -DVANN_BENCHMARKS=OFF >/dev/null &&
    cmake --build "$directory" -j "$jobs" -- --no-print-directory || return 1
  log=$directory/ctest.log
  ctest --test-dir "$directory" -j "$jobs" --output-on-failure --no-tests=error \
    ${TESTS:+-R "${TESTS// /|}"} >"$log" 2>&1 || status=$?
  if [ "$status" = 0 ]; then tail -6 "$log"; else cat "$log"; fi
  awk -v suite="$1 unit tests" '/tests passed, / {
    total = $NF; failed = $4; printf "%s: %d passed, %d failed\n", suite, total - failed, failed
  }' "$log"
  return "$status"
}

suite_unit() { run_unit release Release ""; }
suite_asan() { run_unit asan RelWithDebInfo address,undefined; }
suite_tsan() { run_unit tsan RelWithDebInfo thread; }

suite_regress() { "$top/test/run_regress.sh" regress; }
suite_isolation() { "$top/test/run_regress.sh" isolation; }
suite_tap() { "$top/test/run_tap.sh"; }
suite_bench() { "$top/test/bench/smoke.sh"; }

main() {
  local suite passed=0 failed=()
  for suite in "$@"; do
    echo "=== $suite"
    # As the condition of an `if`, a suite does not stop at its first failing command: each suite
    # returns its status itself.
    if "suite_$suite"; then
      passed=$((passed + 1))
    else
      failed+=("$suite")
      # Everything after a failed build would test the previous build.
      [ "$suite" != build ] || break
    fi
  done
  echo "=== suites: $passed passed, ${#failed[@]} failed${failed[*]:+ (${failed[*]})}"
  [ "${#failed[@]}" = 0 ]
}

[ $# -gt 0 ] || die "usage: $0 SUITE..."
main "$@"
