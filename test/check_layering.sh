#!/bin/sh
# Proves the arrows between the folders (see src/README.md): who may include whom. Run from the
# repository root. Prints every offending include and fails when there is one.
set -eu

[ -d src/core ] || { echo "check_layering: run from the repository root" >&2; exit 2; }

status=0

# Names that belong to PostgreSQL, or lead to it.
postgres='(postgres(_fe|_ext)?|fmgr|funcapi|miscadmin|varatt|pgstat|pg_config.*|libpq-fe|c)\.h'
backend='access|catalog|commands|common|executor|jit|libpq|mb|nodes|optimizer|parser|partitioning'
backend="$backend|port|portability|postmaster|replication|rewrite|server|storage|tcop|tsearch|utils"

# report <folder> <regular expression of forbidden include paths> <what it breaks>
report() {
  [ -d "$1" ] || return 0
  found=$(grep -rnE --include='*.hpp' --include='*.cpp' --include='*.h' --include='*.cu' \
    --include='*.cuh' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" "$1" || true)
  if [ -n "$found" ]; then
    echo "$found" | sed "s|\$|   ($3)|" >&2
    status=1
  fi
}

# Core folders that a core folder may not include: all but those listed.
allow_core() {
  folder=$1
  shift
  for other in src/core/*/; do
    other=$(basename "$other")
    case " $folder $* " in
      *" $other "*) ;;
      *) report "src/core/$folder" "core/$other/" "$folder must not include $other" ;;
    esac
  done
}

for wall in src/core gpu; do
  report "$wall" "($postgres)[>\"]|($backend)/" "no PostgreSQL below the wall"
  report "$wall" "pg/|types/|am/" "the core does not look up"
  report "$wall" "\.\./" "includes are relative to src"
done

allow_core base
allow_core simd base
allow_core quantize simd base
allow_core graph quantize simd base
allow_core parallel base
allow_core build parallel quantize graph simd base
allow_core spill base
allow_core codebook parallel quantize simd base
allow_core bulk build spill parallel quantize graph simd base
allow_core cluster build parallel quantize simd base
for folder in src/core/*/; do
  case $(basename "$folder") in
    base|simd|quantize|graph|parallel|build|spill|bulk|cluster|codebook) ;;
    *) echo "$folder: no arrows are defined for this folder" >&2; status=1 ;;
  esac
done

report src/pg "types/|am/" "pg must not include types or am"
report src/types "am/" "types must not include am"
# Access methods stand beside each other on what they share.
for folder in src/am/*/; do
  folder=$(basename "$folder")
  for other in src/am/*/; do
    other=$(basename "$other")
    [ "$other" = common ] || [ "$other" = "$folder" ] ||
      report "src/am/$folder" "am/$other/" "$folder must not include $other"
  done
done
exit $status
