#!/usr/bin/env bash
# The library exports what PostgreSQL looks up and nothing else: a stray global symbol could take
# the place of another library's in the same backend. And every C function that the SQL script
# names must be there. Takes the library as an argument; default: the one in the checkout.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

library=${1:-$top/vector_ann.so}
[ -e "$library" ] || die "check_symbols: no $library: build first"

exported=$(nm -D --defined-only "$library" | awk '{ print $NF }' | sort)
described=$(sed -n 's/^pg_finfo_//p' <<<"$exported")
workers=$(grep -rhoP --include='*.cpp' '^VANN_SCAN_WORKER\(\K\w+' "$top/src")
allowed=$(printf '%s\n' Pg_magic_func _PG_init $workers $described $(sed 's/^/pg_finfo_/' <<<"$described"))
# AS 'MODULE_PATHNAME', 'name'; where the name is left out, it is the SQL function's own.
named=$(cat "$top"/sql/vector_ann--*.sql | tr '\n' ' ' | sed 's/;/;\n/g' | awk '
  /MODULE_PATHNAME/ {
    if (match($0, /MODULE_PATHNAME'"'"' *, *'"'"'[A-Za-z0-9_]+/)) {
      name = substr($0, RSTART, RLENGTH); sub(/.*'"'"'/, "", name)
    } else {
      match($0, /FUNCTION +[A-Za-z0-9_.]+/)
      name = substr($0, RSTART, RLENGTH); sub(/FUNCTION +/, "", name)
    }
    print name
  }' | sort -u)

stray=$(comm -23 <(echo "$exported") <(sort -u <<<"$allowed"))
missing=$(comm -23 <(echo "$named") <(sort -u <<<"$described"))
[ -z "$stray" ] || echo "check_symbols: exported without being an SQL function or a worker's entry:" $stray
[ -z "$missing" ] || echo "check_symbols: named by the SQL script but not exported:" $missing
[ -z "$stray$missing" ] || exit 1
echo "check_symbols: $(wc -l <<<"$named") functions, nothing else exported"
