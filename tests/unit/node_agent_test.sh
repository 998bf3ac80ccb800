#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What node-agent makes of a ConfigMap that kubelet changes while it is read.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOST=$work/host RULES=$work/rules VANISHES=$work/vanishes
etc=$HOST/etc/crivet
mkdir -p "$etc/conf.d" "$RULES" "$work/bin"

fail() {
  echo "$*" >&2
  exit 1
}

# The node: paths of its configuration are below HOST. Where $VANISHES says so, kubelet takes the old state away as the
# agent begins to write.
cat >"$work/bin/nsenter" <<'SH'
#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
for argument; do
  shift
  case $argument in /etc/*) argument=$HOST$argument ;; esac
  set -- "$@" "$argument"
done
[ "$1" != mkdir ] || [ ! -e "$VANISHES" ] || rm -rf "$(cat "$VANISHES")"
exec "$@"
SH
for tool in crivet systemctl chgrp; do printf '#!/bin/sh\n' >"$work/bin/$tool"; done
chmod +x "$work"/bin/*

# config_map NAME: the files of that folder are the ConfigMap's now.
config_map() { ln -sfn "$1" "$RULES/..data"; }
agent() { PATH=$work/bin:$PATH sh "$root/systemd/kubernetes/node-agent" once; }
on_node() { (cd "$etc" && grep -r . config.toml conf.d | sort); }

echo 'the node' >"$etc/config.toml"
for state in first second third; do
  mkdir "$RULES/..$state"
  echo "deny, $state" >"$RULES/..$state/deny.toml"
  echo "allow, $state" >"$RULES/..$state/allow.toml"
done
config_map ..first
agent
first=$'conf.d/cluster-allow.toml:allow, first\nconf.d/cluster-deny.toml:deny, first\nconfig.toml:the node'
[[ $(on_node) == "$first" ]] || fail "the first state: $(on_node)"

config_map ..second
echo "$RULES/..second" >"$VANISHES"
agent
[[ $(on_node) == "$first" ]] || fail "a state that went while it was read: $(on_node)"
rm "$VANISHES"

config_map ..third
agent
[[ $(on_node) == "${first//first/third}" ]] || fail "the state after it: $(on_node)"
