#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd.service as installers write it: `crivet check` never disturbs what runs, `crivet takeover` leaves containerd with
# everything that its configuration says, or says in one line why not and changes nothing.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

usual=/run/containerd/containerd.sock
moved=/run/containerd/upstream.sock
units=/etc/systemd/system
own=/etc/containerd/own.toml

export node_dir
mkdir -p "$node_dir/bin" "$units" /run/systemd/system /etc/crivet /opt/bin
rm -rf "$units"/containerd.service* /etc/containerd
mkdir -p /etc/containerd/conf.d
ln -s "$root/tests/support/node/systemctl.py" "$node_dir/bin/systemctl"
PATH=$node_dir/bin:$PATH
ln -s "$(command -v containerd)" /opt/bin/containerd

make_certificates
write_crivet_config <<<$'[default]\naction = "allow"'
grep -v -e ^listen -e ^upstream "$node_dir/crivet.toml" >/etc/crivet/config.toml

# own_config [VERSION] <<<LINES: a node's configuration in which something stands that defaults do not have.
own_config() {
  local cri='"io.containerd.grpc.v1.cri"'
  [[ ${1:-2} != 1 ]] || cri=cri
  [[ ${1:-2} == 1 ]] || echo "version = ${1:-2}"
  cat
  if [[ ${1:-2} == 3 ]]; then
    printf "[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'own.example/pause:1'\n"
  else
    printf '[plugins.%s]\nsandbox_image = "own.example/pause:1"\n' "$cri"
  fi
}

# unit <<<LINES: [Service] of containerd.service; it is started.
unit() {
  systemctl stop containerd.service
  rm -rf "$units/containerd.service.d"
  { echo '[Service]' && cat; } >"$units/containerd.service"
  ${1:-up}
}
drop_in() {
  mkdir -p "$units/containerd.service.d"
  { echo '[Service]' && cat; } >"$units/containerd.service.d/$1"
}
up() {
  systemctl restart containerd.service
  wait_until 20 "containerd" kubelet_to "$usual" version
}
inode() { stat -c %i "$usual"; }
files() { find /etc/crivet "$units" -type f -exec md5sum {} + | sort -k 2; }
merged() { containerd --config "$1" config dump 2>/dev/null | grep -v -e ^imports -e '^ *address = ' || true; }

# refused EXIT COMMAND...: nothing has changed; what it said is in $said.
refused() {
  local expected=$1 status=0 before pid
  shift
  before=$(files; inode)
  pid=$(cat "$node_dir/pid/containerd")
  said=$("$@" 2>&1) || status=$?
  expect "$*" "$expected" "$status"
  expect "files and socket after $*" "$before" "$(files; inode)"
  expect "containerd after $*" "$pid" "$(cat "$node_dir/pid/containerd")"
  kubelet_to "$usual" version >/dev/null || fail "no answer after $*"
}

# taken NAME OWN: check, takeover, and back; OWN is the node's configuration, empty where it has none.
taken() {
  local before
  refused 0 crivet check
  [[ $said != *"is not compared"* ]] || fail "$1: $said"
  before=$(files)
  said=$(crivet takeover 2>&1) || fail "$1: $said"
  kubelet_to "$usual" version >/dev/null
  kubelet_to "$moved" version >/dev/null
  if [[ -n $2 ]]; then
    merged /etc/crivet/containerd.toml | grep -q own.example/pause:1 || fail "$1: runs without its configuration"
    expect "$1: the merged configuration" "$(merged "$2")" "$(merged /etc/crivet/containerd.toml)"
  fi
  said=$(crivet check 2>&1) || fail "$1, check in place: $said"
  [[ $said != *"is not compared"* && $said != *"has changed"* ]] || fail "$1, in place: $said"
  ${3:-true}
  said=$(crivet release 2>&1) || fail "$1, release: $said"
  expect "$1: files after release" "$before" "$(files)"
  say "$(printf '%3d s  %s' "$SECONDS" "$1")"
}

own_config <<<'' >"$own"

# In place: a file that the node's configuration picks up later.
later_files() {
  printf 'version = 2\n[grpc]\n  address = "%s"\n' "$usual" >/etc/containerd/conf.d/99-later.toml
  local status=0
  said=$(crivet check 2>&1) || status=$?
  expect "check, with a later address" 78 "$status"
  expect_like "check" "*containerd's configuration has changed since*conf.d/99-later.toml*would both listen on $usual*" "$said"
  rm /etc/containerd/conf.d/99-later.toml
}

own_config <<<'imports = ["conf.d/*.toml", "/etc/containerd/other.toml"]' >/etc/containerd/config.toml
# containerd 1.6 takes a pattern as it stands.
sed -i 's#"conf.d/#"/etc/containerd/conf.d/#' /etc/containerd/config.toml
printf 'version = 2\n[grpc]\n  address = "%s"\n  uid = 0\n  gid = 0\n' "$usual" >/etc/containerd/conf.d/10-socket.toml
printf 'version = 2\nimports = ["/etc/containerd/conf.d/10-socket.toml"]\n[debug]\n  level = "warn"\n' >/etc/containerd/other.toml
unit <<<$'ExecStart=/opt/bin/containerd'
taken "an imported address" /etc/containerd/config.toml later_files
rm /etc/containerd/conf.d/10-socket.toml /etc/containerd/other.toml /etc/containerd/config.toml

echo 'CONTAINERD_OPTS="--log-level info"' >/etc/containerd/environment
unit <<<$'EnvironmentFile=/etc/containerd/environment\nEnvironmentFile=-/etc/none\nExecStart=/opt/bin/containerd -c '"$own"$' "$CONTAINERD_OPTS"'
taken "kOps" "$own"

unit <<<"Environment=\"CONTAINERD_OPTS=--config $own\""$'\nExecStart=/opt/bin/containerd $CONTAINERD_OPTS'
taken "all options in a variable" "$own"

unit true <<<$'Environment=CONTAINERD_CONFIG=/usr/share/containerd/config.toml\nExecStart=/opt/bin/containerd --config ${CONTAINERD_CONFIG}'
drop_in override.conf <<<$'Environment=CONTAINERD_CONFIG='"$own"$'\nExecStart=\nExecStart=/usr/bin/env PATH=/opt/bin:${PATH} /usr/bin/nice -n 5 /opt/bin/containerd --config ${CONTAINERD_CONFIG}'
up
taken "Flatcar, with a drop-in that systemctl edit made" "$own"

unit <<<$'ExecStart=/opt/bin/containerd'
taken "Debian, no configuration" ""

if [[ $containerd_version == 2.* ]]; then
  own_config 3 <<<'' >"$own"
else
  own_config 1 <<<'' >"$own"
fi
unit <<<"ExecStart=/opt/bin/containerd --config=$own"
taken "another version of the configuration" "$own"
own_config <<<'' >"$own"

say "what cannot be told, or cannot win"
unit <<<"Environment=ADDRESS=$usual"$'\nExecStart=/opt/bin/containerd --address ${ADDRESS} -c '"$own"
refused 70 crivet takeover
expect_like "an address on the command line" "*fixes the socket with --address*" "$said"
printf '#!/bin/sh\nexec /opt/bin/containerd "$@"\n' >/opt/bin/start-containerd
chmod +x /opt/bin/start-containerd
unit <<<"ExecStart=/opt/bin/start-containerd -c $own"
refused 0 crivet check
refused 70 crivet takeover
expect_like "a script" "*by way of \`/opt/bin/start-containerd*" "$said"
echo 'CONTAINERD_OPTS=' >/etc/containerd/environment
unit <<<$'EnvironmentFile=/etc/containerd/environment\nExecStart=/opt/bin/containerd $CONTAINERD_OPTS'
drop_in 10-other.conf <<<$'ExecStart=\nExecStart=/opt/bin/containerd --config ${OTHER} $CONTAINERD_OPTS'
refused 70 crivet takeover
expect_like "a unit that has changed" "*the value of \${OTHER}*" "$said"
unit <<<"ExecStart=/opt/bin/containerd -c $own"
mv "$own" "$own.gone"
refused 70 crivet takeover
expect_like "a file that is gone" "*$own, which is not there any more*" "$said"
refused 0 crivet check
mv "$own.gone" "$own"

say "a program that is something else than it seems"
# containerd takes a word that it does not know for none, and starts: what has replaced it must be as harmless.
unit <<<"ExecStart=/opt/bin/containerd -c $own"
rm /opt/bin/containerd
cp "$(command -v containerd)" /opt/bin/containerd
up
ended=$SECONDS
cp /bin/sleep /opt/bin/next && mv /opt/bin/next /opt/bin/containerd
refused 70 crivet takeover
refused 0 crivet check
expect_like "check" "*where containerd listens is not compared: *" "$said"
[[ $((SECONDS - ended)) -lt 20 ]] || fail "that took $((SECONDS - ended)) s"
rm /opt/bin/containerd
ln -s "$(command -v containerd)" /opt/bin/containerd

say "a containerd without its CRI plugin answers, and that is said"
# As Docker's packages install it.
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >"$own"
unit true <<<"ExecStart=/opt/bin/containerd -c $own"
systemctl restart containerd.service
wait_until 20 "containerd" ctr --address "$usual" version >/dev/null
no_cri="*a runtime answers at $usual, but serves no CRI v1 (unknown service runtime.v1.RuntimeService): is the cri plugin disabled*"
said=$(crivet check 2>&1) || fail "check: $said"
expect_like "check" "$no_cri" "$said"
status=0
said=$(crivet takeover 2>&1) || status=$?
expect "takeover" 70 "$status"
expect_like "takeover" "$no_cri" "$said"
crivet_upstream=$usual write_crivet_config <<<$'[default]\naction = "allow"'
part_start crivet crivet serve --config "$node_dir/crivet.toml"
wait_until 20 "crivet" test -S "$crivet_sock"
said=$(crivet_here status 2>&1) || true
expect_like "status" "$no_cri" "$said"
expect_like "status" "*runtime:*answers with errors at $usual*" "$said"
[[ $said != *"does not answer"* ]] || fail "status: $said"

systemctl stop containerd.service
status=0
said=$(crivet takeover 2>&1) || status=$?
expect "takeover of what does not run" 70 "$status"
expect_like "takeover of what does not run" "*containerd.service does not run*" "$said"
rm "$units/containerd.service"
said=$(crivet takeover 2>&1) || status=$?
expect_like "k3s, RKE2" "*systemd knows no containerd.service (not-found)*" "$said"
say "$SECONDS s"
