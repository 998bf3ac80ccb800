#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What root's commands do in folders of the daemon's user: no more than that user may do itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

crivet=${CRIVET_BUILD:-build}/crivet
folder=$(mktemp -d)
user=65534
daemon=
trap '[[ -z $daemon ]] || kill $daemon 2>/dev/null || true; rm -rf "$folder"' EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}
as_daemon() { setpriv --reuid $user --regid $user --clear-groups "$@"; }
owner_of() { stat --format=%u "$1"; }

chmod 755 "$folder"
mkdir "$folder/state" "$folder/log" "$folder/media"
chown $user:$user "$folder/state" "$folder/log"
chmod 700 "$folder/state"
cat >"$folder/config.toml" <<TOML
listen = "$folder/log/crivet.sock"
upstream = "$folder/none.sock"
state_dir = "$folder/state"
admin = "$folder/log/admin.sock"

[default]
action = "deny"

[trust.acme]
kind = "notary"
url = "http://127.0.0.1:1"
auth = "none"

[[rule]]
images = ["v.example/**"]
action = "verify"
trust = "acme"
root = { tofu = true }

[log]
audit = "$folder/log/audit.log"
TOML

# run EXIT COMMAND ARGUMENTS...: as root, and never for long.
run() {
  local wanted=$1 got=0 command=$2
  shift 2
  timeout 20 "$crivet" "$command" --config "$folder/config.toml" "$@" >"$folder/out" 2>&1 </dev/null || got=$?
  [[ $got == "$wanted" ]] || fail "crivet $command $*: exit $got, wanted $wanted: $(cat "$folder/out")"
}

echo "= forget makes an audit log that the daemon can open"
run 0 forget --yes v.example/a
[[ $(owner_of "$folder/log/audit.log") == "$user" ]] || fail "the audit log is root's"
grep -q '"event":"forget"' "$folder/log/audit.log" || fail "forget is not in the audit log"
setpriv --reuid $user --regid $user --clear-groups \
  "$crivet" serve --config "$folder/config.toml" 2>"$folder/serve" &
daemon=$!
for _ in {1..100}; do
  [[ ! -S $folder/log/admin.sock ]] || break
  sleep 0.1
done
[[ -S $folder/log/admin.sock ]] || fail "the daemon does not start: $(cat "$folder/serve")"
# So the kernel shows the memory of a process that is not to be dumped.
[[ $(owner_of /proc/$daemon/environ) == 0 ]] || fail "the daemon can be dumped, with the pull secrets in it"
run 0 forget --yes v.example/a
[[ $(grep -c '"event":"forget"' "$folder/log/audit.log") == 2 ]] || fail "the daemon did not write it down"
kill $daemon
wait $daemon || true
daemon=

echo "= what is made in the state folder is the daemon's"
run 2 verify v.example/a:1
run 2 warm v.example/a:1
run 2 pin v.example/a
mkdir -p "$folder/media/v.example/a"
echo '{}' >"$folder/media/v.example/a/root.json"
run 1 import "$folder/media"
not_the_daemons=$(find "$folder/state" ! -user $user)
[[ -z $not_the_daemons ]] || fail "not the daemon's: $not_the_daemons"

echo "= no link is followed, and what cannot be told is not done"
echo "a line" >"$folder/victim"
chmod 600 "$folder/victim"
rm "$folder/log/audit.log"
as_daemon ln -s "$folder/victim" "$folder/log/audit.log"
run 70 forget --yes v.example/a
grep -q "cannot open the audit log $folder/log/audit.log: it is not a regular file" "$folder/out" ||
  fail "the reason is not told: $(cat "$folder/out")"
[[ $(cat "$folder/victim") == "a line" ]] || fail "root wrote where the link leads"
rm "$folder/log/audit.log"
as_daemon ln -s "$folder/log2" "$folder/log/audit.log"
run 70 forget --yes v.example/a
[[ ! -e $folder/log2 ]] || fail "root made a file where the link leads"
rm "$folder/log/audit.log"
chmod 711 "$folder/log"
mkdir "$folder/roots"
chmod 700 "$folder/roots"
sed -i "s,audit.log,sub/audit.log," "$folder/config.toml"
as_daemon ln -s "$folder/roots" "$folder/log/sub"
run 70 forget --yes v.example/a
[[ -z $(ls "$folder/roots") ]] || fail "root made a file in a folder that a link leads to"
rm "$folder/log/sub"
sed -i "s,sub/audit.log,audit.log," "$folder/config.toml"

echo "= a FIFO holds nobody up"
as_daemon mkfifo "$folder/log/audit.log"
run 70 forget --yes v.example/a
rm "$folder/log/audit.log"
mv "$folder/state/lock" "$folder/lock"
as_daemon mkfifo "$folder/state/lock"
run 0 forget --yes v.example/a

echo "= the lock of another is not given away"
rm "$folder/state/lock"
ln "$folder/victim" "$folder/state/lock"
run 1 import "$folder/media"
[[ $(owner_of "$folder/victim") == 0 ]] || fail "root gave a file of its own away"
echo "OK"
