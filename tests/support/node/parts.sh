# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Processes of a node: started by name, stopped by pid, logged to $node_dir/log/NAME.log.

# part_start NAME COMMAND...: in the background; returns at once.
part_start() {
  local name=$1
  shift
  "$@" >>"$node_dir/log/$name.log" 2>&1 &
  disown
  echo $! >"$node_dir/pid/$name"
}

part_pid() { cat "$node_dir/pid/$1"; }

# True while the process runs. One that ended but was not waited for is a zombie, and not running.
part_runs() {
  local pid stat
  pid=$(part_pid "$1" 2>/dev/null) || return 1
  read -r stat 2>/dev/null <"/proc/$pid/stat" || return 1
  [[ ${stat##*) } != [ZX]* ]]
}

# part_end NAME SIGNAL: sends the signal and waits for the end.
part_end() {
  local name=$1 signal=$2 pid
  pid=$(part_pid "$name" 2>/dev/null) || return 0
  kill -s "$signal" "$pid" 2>/dev/null || true
  wait_until 20 "$name to end" not part_runs "$name"
  rm "$node_dir/pid/$name"
}

part_stop() { part_end "$1" TERM; }
part_kill() { part_end "$1" KILL; }

# Politely, last started first; what does not listen is killed by the kernel when the script ends.
stop_all_parts() {
  local file
  # shellcheck disable=SC2045  # names are ours
  for file in $(ls -t "$node_dir/pid" 2>/dev/null); do
    kill "$(part_pid "$file")" 2>/dev/null || true
  done
}

not() { ! "$@"; }

# wait_until SECONDS WHAT COMMAND...: repeats the command until it succeeds; ends the test after SECONDS.
wait_until() {
  local seconds=$1 what=$2 end
  shift 2
  end=$((SECONDS + seconds + 1))
  until "$@" >/dev/null 2>&1; do
    [[ $SECONDS -lt $end ]] || fail "waited $seconds s for $what"
    sleep 0.02
  done
}

# part_ready NAME COMMAND...: as wait_until, but ends the test at once when the process is gone.
part_ready() {
  local name=$1 end=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    part_runs "$name" || fail "$name ended while it started"
    [[ $SECONDS -lt $end ]] || fail "$name is not ready after 30 s"
    sleep 0.02
  done
}

# listens PORT: somebody accepts connections on the loopback.
listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
