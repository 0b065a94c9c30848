# Shared by the scripts of test/: where things are, who runs the server, scratch directories.
# Sourced by bash, after `set -euo pipefail`. Reads PG_CONFIG and VANN_TMP from the environment.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=${BUILD_DIR:-$top/build}
PG_CONFIG=${PG_CONFIG:-pg_config}
jobs=$(nproc 2>/dev/null || echo 2)

# PostgreSQL refuses to run as root: its account, which the Debian package creates, runs it then.
server_user=$(id -un)
[ "$(id -u)" != 0 ] || server_user=${VANN_SERVER_USER:-postgres}

# Scratch directories lie here. A Unix socket's path is limited to about 100 bytes and the server's
# account must be able to enter, so this is neither the checkout nor a private TMPDIR.
scratch_root=${VANN_TMP:-/tmp}

die() {
  echo "$*" >&2
  exit 1
}

bindir() { "$PG_CONFIG" --bindir; }

# Runs a command as the account of the server, from a directory which that account can enter.
as_server_user() {
  if [ "$(id -un)" = "$server_user" ]; then
    (cd "$scratch_root" && "$@")
  elif command -v runuser >/dev/null 2>&1; then
    (cd "$scratch_root" && runuser -u "$server_user" -- "$@")
  else
    (cd "$scratch_root" && su -s /bin/sh "$server_user" -c "$(printf '%q ' "$@")")
  fi
}

# Prints the name of a new directory, private to the server's account.
new_scratch() {
  as_server_user mktemp -d "$scratch_root/vann-$1.XXXXXX"
}

# Copies a tree of the checkout, which the server's account may be unable to read, into a scratch
# directory: copy_in SOURCE... DIRECTORY
copy_in() {
  local target=${!#}
  local sources=("${@:1:$#-1}")
  as_server_user mkdir -p "$target"
  tar -C "$top" -cf - "${sources[@]}" | as_server_user tar -C "$target" -xf -
}

# Counts the tests in pg_regress's output (standard input), in the wording before and since
# PostgreSQL 16: prints "passed failed".
count_regress() {
  awk '
    /^ok +[0-9]+/ || /^ *(test )?[^ ]+ +\.\.\. +ok/ { passed++ }
    /^not ok +[0-9]+/ || /^ *(test )?[^ ]+ +\.\.\. +(FAILED|failed)/ { failed++ }
    END { printf "%d %d\n", passed, failed }'
}
