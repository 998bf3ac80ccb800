#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The client that the conformance suite drives, against a server on loopback: what it stores, what it refuses.
# usage: tuf_client_test.sh CLIENT PUBLISH
set -euo pipefail
client=$1
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
fail() {
  echo "tuf_client_test: $*" >&2
  exit 1
}
"$2" "$work"
mkdir "$work/served" "$work/got"
python3 -u -m http.server -b 127.0.0.1 -d "$work/served" 0 >"$work/log" 2>&1 &
server=$!
for _ in {1..100}; do
  port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$work/log")
  [[ -z $port ]] || break
  sleep 0.1
done
[[ -n $port ]] || fail "no server"

serve() {
  rm -rf "$work/served/metadata"
  cp -r "$work/$1" "$work/served/metadata"
}
run() { "$client" --metadata-dir "$work/state" --metadata-url "http://127.0.0.1:$port/metadata" "$@" 2>>"$work/said"; }

serve 1
"$client" --metadata-dir "$work/state" init "$work/1/1.root.json"
run refresh || fail "the first refresh is refused: $(cat "$work/said")"
for role in root timestamp snapshot targets; do
  [[ -e $work/state/$role.json ]] || fail "$role is not stored"
done
cmp -s "$work/state/timestamp.json" "$work/1/timestamp.json" || fail "the timestamp is not stored as it was served"

mkdir -p "$work/served/targets"
printf 'the image' >"$work/served/targets/$(printf 'the image' | sha256sum | cut -d' ' -f1).web"
download() { run --target-dir "$work/got" --target-base-url "http://127.0.0.1:$port/targets" "$@" download; }
download --target-name web || fail "web is refused: $(cat "$work/said")"
[[ $(cat "$work/got/web") == 'the image' ]] || fail "web is something else"
rm "$work/got/web"
printf 'the imagf' >"$work/served/targets/$(printf 'the image' | sha256sum | cut -d' ' -f1).web"
! download --target-name web || fail "other bytes pass for web"
[[ ! -e $work/got/web ]] || fail "other bytes are stored"
! download --target-name nobody || fail "what nobody signed is found"

serve 2
run refresh || fail "a rotated key is refused: $(cat "$work/said")"
cmp -s "$work/state/root.json" "$work/2/2.root.json" || fail "the new root is not stored"
serve 1
! run refresh || fail "the older edition passes"
cmp -s "$work/state/timestamp.json" "$work/2/timestamp.json" || fail "the timestamp went back"
echo "all as it should be"
