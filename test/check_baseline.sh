#!/bin/sh
# Proves that only the per-ISA objects need more than the baseline CPU. Arguments: object files
# (default: those that `make` left in src). Fails when
#   - an x86-64 object other than kernels_<isa> holds an instruction on a ymm or zmm register or any
#     other VEX or EVEX instruction (all of which have a mnemonic that begins with v), or
#   - a per-ISA object defines a weak function: the linker could keep that copy for everybody.
set -eu

[ $# -gt 0 ] || set -- $(find src -name '*.o')
[ $# -gt 0 ] || { echo "check_baseline: no object files" >&2; exit 2; }

status=0
checked=0
for object in "$@"; do
  case $object in
    *.o) ;;
    *) continue ;;
  esac
  checked=$((checked + 1))
  case ${object##*/} in
    kernels_avx*|kernels_neon*)
      weak=$(nm -C "$object" | awk '$2 == "W" || $2 == "u"')
      if [ -n "$weak" ]; then
        echo "$object: weak definitions in a per-ISA object:" >&2
        echo "$weak" | head -n 5 >&2
        status=1
      fi
      ;;
    *)
      # verr, verw and the virtualization instructions are the legacy mnemonics that begin with v.
      found=$(objdump -d --no-show-raw-insn "$object" |
        grep -E '%[yz]mm|^ *[0-9a-f]+:[[:space:]]+v[a-z0-9]+ ' |
        grep -vE '[[:space:]]ver[rw] |[[:space:]]vm[a-z]+ ' || true)
      if [ -n "$found" ]; then
        echo "$object: instructions beyond the baseline:" >&2
        echo "$found" | head -n 5 >&2
        status=1
      fi
      ;;
  esac
done
[ "$checked" -gt 0 ] || { echo "check_baseline: no object files" >&2; exit 2; }
exit $status
