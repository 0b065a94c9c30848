#!/usr/bin/env bash
# A private PostgreSQL server in one directory: data, socket and log. It listens on no network
# address, so it cannot clash with another cluster, and only its own account (and root) may connect.
#   test/server.sh DIRECTORY start [NAME=VALUE ...]   create if absent, start or restart as needed
#   test/server.sh DIRECTORY stop                     stop, keep the data
#   test/server.sh DIRECTORY restart                  stop and start with the settings it has
#   test/server.sh DIRECTORY remove                   stop and delete the directory
#   test/server.sh DIRECTORY psql [ARGUMENT ...]      psql as the superuser, database postgres
#   test/server.sh DIRECTORY command                  print the psql command to type
#   test/server.sh DIRECTORY conninfo                 print libpq's connection string
# As root the server runs as the account `postgres`. DIRECTORY must be short (a socket lies in it).
set -euo pipefail
. "$(dirname "$0")/lib.sh"

port=54329

is_running() { as_server_user "$(bindir)/pg_ctl" status -D "$directory/data" >/dev/null 2>&1; }

# A directory of someone else, met under a name that can be guessed, must not be trusted.
create_directory() {
  as_server_user mkdir -p -m 700 "$directory" || die "cannot create $directory as $server_user"
  [ "$(stat -c %U "$directory")" = "$server_user" ] ||
    die "$directory belongs to $(stat -c %U "$directory"), not to $server_user"
}

create_cluster() {
  as_server_user "$(bindir)/initdb" --no-locale -E UTF8 -A trust -U postgres \
    -D "$directory/data" >/dev/null
  echo "include_if_exists = 'private.conf'" |
    as_server_user tee -a "$directory/data/postgresql.conf" >/dev/null
}

# Writes the settings; tells by its status whether they differ from those on disk.
write_settings() {
  local file=$directory/data/private.conf new setting
  new=$(
    echo "listen_addresses = ''"
    echo "port = $port"
    echo "unix_socket_directories = '$directory'"
    for setting in "$@"; do echo "${setting%%=*} = '${setting#*=}'"; done
  )
  [ "$new" != "$(as_server_user cat "$file" 2>/dev/null)" ] || return 1
  echo "$new" | as_server_user tee "$file" >/dev/null
}

launch() {
  as_server_user "$(bindir)/pg_ctl" start -w -t 120 -D "$directory/data" -l "$directory/log" \
    </dev/null >/dev/null || {
    as_server_user tail -n 20 "$directory/log" >&2
    die "the server did not start"
  }
}

start() {
  local changed=no
  create_directory
  as_server_user test -e "$directory/data/PG_VERSION" || create_cluster
  ! write_settings "$@" || changed=yes
  if is_running; then
    [ "$changed" = yes ] || return 0
    stop
  fi
  launch
}

stop() {
  ! is_running || as_server_user "$(bindir)/pg_ctl" stop -m fast -w -D "$directory/data" >/dev/null
}

[ $# -ge 2 ] || die "usage: $0 DIRECTORY start|stop|restart|remove|psql|command|conninfo [ARGUMENT ...]"
directory=$1 action=$2
shift 2
case $action in
  start) start "$@" ;;
  stop) stop ;;
  restart)
    stop
    launch
    ;;
  remove)
    stop
    as_server_user rm -rf "$directory"
    ;;
  psql) exec "$(bindir)/psql" -X -h "$directory" -p "$port" -U postgres -d postgres "$@" ;;
  command)
    psql=psql
    command -v psql >/dev/null || psql=$(bindir)/psql
    echo "$psql -h $directory -p $port -U postgres -d postgres"
    ;;
  conninfo) echo "host=$directory port=$port user=postgres dbname=postgres" ;;
  *) die "unknown action: $action" ;;
esac
