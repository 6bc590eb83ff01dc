# Names, ports and processes of the lab. Sourced by its scripts, not run.
# shellcheck shell=bash
# shellcheck disable=SC2034  # used where it is sourced
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_DIR=${LAB_DIR:-$here/../../.lab/openstack}
LAB_HOST=127.0.0.1
LAB_PORT_OFFSET=${LAB_PORT_OFFSET:-10000}
LAB_SERVICES=${LAB_SERVICES:-keystone glance placement neutron cinder nova swift heat}
LAB_WORKERS=${LAB_WORKERS:-1} # uwsgi processes of an API
LAB_THREADS=${LAB_THREADS:-8} # threads of a uwsgi process
if [ -d "$LAB_DIR" ]; then LAB_DIR=$(cd "$LAB_DIR" && pwd); fi
LAB_PASSWORD_FILE=${LAB_PASSWORD_FILE:-$LAB_DIR/password}
venv=$LAB_DIR/venv etc=$LAB_DIR/etc log=$LAB_DIR/log run=$LAB_DIR/run data=$LAB_DIR/data

# The usual port of every service, moved by the offset.
port() { echo $(($1 + LAB_PORT_OFFSET)); }
p_db=$(port 3306) p_bus=$(port 5672) p_bus_dist=$(port 25672) p_epmd=$(port 4369) p_cache=$(port 11211)
p_keystone=$(port 5000) p_glance=$(port 9292) p_placement=$(port 8778) p_nova=$(port 8774) p_neutron=$(port 9696)
p_cinder=$(port 8776) p_swift=$(port 8080) p_object=$(port 6200) p_container=$(port 6201) p_account=$(port 6202)
p_heat=$(port 8004)

say() { echo "$*" >&2; }
die() { say "error: $1"; exit "${2:-1}"; }
has() { [[ " $LAB_SERVICES " == *" $1 "* ]]; }

# A pid file holds "pid starttime"; both must fit before a process counts as ours, so that no other one is signalled.
starttime() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
alive() { # NAME
  local pid started
  [ -r "$run/$1.pid" ] && read -r pid started <"$run/$1.pid" || return 1
  [ -n "$started" ] && [ "$(starttime "$pid")" = "$started" ]
}

# `up` starts each service in a session of its own; these are the processes in it.
processes() { # NAME
  local pid
  alive "$1" && read -r pid _ <"$run/$1.pid" && ps -o pid= -s "$pid" 2>/dev/null
}
names() { # of all services that run
  local file
  for file in "$run"/*.pid; do
    if alive "$(basename "$file" .pid)"; then basename "$file" .pid; fi
  done
}
