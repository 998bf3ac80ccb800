#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The operations page's first hour, command by command as it stands there, by somebody who has just installed the package on a
# machine that has just booted: from what the package brought to enforcing. And what people are told there of daemons and
# runtimes that are away.
#
# CRIVET_MACHINE=trixie|sid boots that Debian instead of 12, CRIVET_FROM=tarball installs from that. tests/first_hours does
# all of them.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"

machine_package
node_enter "$@"

usual=/run/containerd/containerd.sock
beside=/run/crivet/crivet.sock
web=$registry/shop/web:1.0
unsigned=$registry/shop/web:unsigned
stray=docker.io/library/stray:1

step() { say "$(printf '%3d s  %s' "$SECONDS" "$*")"; }

# page_says TEXT: the commands of the first block after that text in the operations page, for this node's Notary, which has a
# port of its own.
page_says() {
  local commands
  commands=$(awk -v text="$1" 'index($0, text) { found = 1 } found && /^ *```$/ { if (++fences == 2) exit; next } fences == 1' \
    "$root/systemd/README.md")
  [[ -n $commands ]] || fail "the page has no commands after: $1"
  echo "${commands//https:\/\/notary.acme.example/$notary_url}"
}
# follow EXIT TEXT: as root types them. Both outputs are in $said.
follow() { ends "$1" sh -ec "cd /root; $(page_says "$2")"; }

# expect_narrow EXIT COMMAND: on a terminal it says what fits a screen, but for words that are longer than one.
expect_narrow() {
  local wide
  ends "$1" script --quiet --return --command "$2" /dev/null
  said=${said//$'\r'/}
  wide=$(grep -E '^.{81,}' <<<"$said" | grep -vE '^ *[^ ]+$' || true)
  [[ -z $wide ]] || fail "wider than a screen: $wide"
}

start_registry
start_notary
push_pause
make_image web /bin/echo hello
make_image other /bin/echo other
make_image stray /bin/echo stray
push_signed web shop/web 1.0
push other shop/web:unsigned
push stray library/stray:1

machine_prepare
machine_containerd
case ${CRIVET_FROM:-deb} in
  deb) downloaded=$(echo "$(package_folder)"/crivet_*.deb) installed_by="On Debian" ;;
  tarball) downloaded=$(echo "$(package_folder)"/crivet-*.tar.gz) installed_by="other distributions" ;;
  *) fail "CRIVET_FROM=$CRIVET_FROM: deb or tarball" ;;
esac
cp "$downloaded" "$machine_root/root/"
mkdir -p "$machine_root/etc/acme"
cp "$node_dir/tls/ca.crt" "$machine_root/etc/acme/notary-ca.crt"
machine_boot
kubelet_at "$usual" --deadline 20000 status --ready >/dev/null
for image in "$web" "$unsigned" "$stray"; do kubelet_at "$usual" run "$image" >/dev/null; done
step "booted, with images from before crivet: $(in_machine sed -n 's/^PRETTY_NAME=//p' /etc/os-release), ${downloaded##*/}"
follow 0 "$installed_by"

step "1. how it is: well, and said so on one screen"
follow 0 "How it is"
expect_like "status" "*all well*mode: *audit: nothing is refused*place: *beside the runtime's socket, serving $beside*" "$said"
expect_like "status" "*runtime: *containerd *$usual, [0-9]* images*" "$said"
expect_like "check" "*warning: the rules refuse 3 images (of 4 on this node) in every pod*$stray*refused by the default*good: 1 rules, *" "$said"
if [[ $containerd_version == 2.* ]]; then
  expect_like "the sandbox image" "*set ?gate? sandbox_image*" "$said"
  printf '[gate]\nsandbox_image = "%s"\n' "$pause_image" >"$node_dir/gate"
  in_machine sed -i "s,^# sandbox_image = .*,sandbox_image = \"$pause_image\"," /etc/crivet/config.toml
  ends 0 systemctl reload crivet
else
  expect_like "the sandbox image" "*sandbox image: *$pause_image (from the runtime): allowed*" "$said"
fi
expect_narrow 0 "crivet status"

step "what is on the node and has no rule, with a total and rules to paste"
ends 1 crivet status --would-refuse
expect_like "would-refuse" "*enforcing would refuse 3 images (of 4 on this node) and 0 of 0 running*containers; the sandbox image may run*" "$said"
expect_like "would-refuse" "*name   = \"docker.io\"*\"docker.io/library/stray\",*" "$said"
expect_narrow 1 "crivet status --would-refuse"

step "2. whom to believe: pin without a section, compare, paste"
follow 0 "Where signatures come from"
expect_like "pin" "*Nobody has vouched for it yet*" "$said"
expect_like "what was printed" "*$(root_key_id)*" "$(cat "$machine_root/root/acme.toml")"
follow 0 "Nobody has vouched for what it shows"
expect_like "verify" "*pinned *$(root_key_id)*ALLOWED: $registry/shop/web@$(image_digest web)*" "$said"
ends 1 crivet verify "$unsigned"

step "3. the rules that would-refuse prints, pasted"
ends 1 sh -c "crivet status --would-refuse 2>/dev/null | sed -n '/^..rule/,\$p' >/root/more.toml; test ! -s /root/more.toml"
ends 0 sh -c "cat /root/more.toml >>/etc/crivet/config.toml && crivet check && systemctl reload crivet"
ends 1 crivet status --would-refuse
expect_like "what is left" "*$unsigned*tag-not-signed*enforcing would refuse 1 image (*" "$said"

step "4. in the road, still in audit mode"
for image in "$web" "$unsigned" "$stray"; do kubelet_at "$beside" --uid "uid-$image" run "$image" >/dev/null; done
journal -t crivet-audit >"$node_dir/log/audit"
"$root/tests/support/matches_schema.py" "$root/systemd/schema/audit.json" "$node_dir/log/audit" >&2 || fail "not as schema/audit.json says"
expect_like "a first line" '*"repeat":0*' "$(grep -F "uid-$unsigned" "$node_dir/log/audit" | head -n 1)"

step "5. nothing would be refused any more"
kubelet_at "$usual" rmi "$unsigned" >/dev/null
follow 0 "When it ends with 0"

step "6. enforce: pods start, for the pause image has its rule"
follow 0 "Enforce:"
expect_like "status" "*all well*mode: *enforce*" "$said"
expect "a signed image" hello "$(kubelet_at "$beside" run "$web")"
expect "an allowed image" stray "$(kubelet_at "$beside" run "$stray")"
if kubelet_at "$beside" run "$unsigned" 2>/dev/null; then fail "an unsigned image ran"; fi
ends 0 crivet status --json
"$root/tests/support/matches_schema.py" "$root/systemd/schema/status.json" <<<"$said" >&2 || fail "not as schema/status.json says"

step "what is away is named: the daemon, the right to ask it, the runtime"
ends 2 runuser --user nobody -- crivet status
expect_like "somebody else" "*the daemon does not answer at /run/crivet/admin.sock: Permission denied*ask as root*" "$said"
ends 0 systemctl stop containerd
ends 1 crivet status
expect_like "without a runtime" "*DEGRADED: the runtime does not answer at $usual*runtime: *does not answer at $usual*" "$said"
ends 2 crivet status --would-refuse
expect_like "without a runtime" "*crivet: the runtime does not answer at $usual*" "$said"
ends 0 crivet check
expect_like "check without a runtime" "*warning: no runtime is at $usual*" "$said"
ends 0 systemctl start containerd
ends 0 systemctl stop crivet.service crivet.socket
ends 2 crivet status
expect_like "without a daemon" "*the daemon does not answer at /run/crivet/admin.sock*systemctl status crivet*" "$said"

step "the documents came with it"
for file in README.md operations.md trust.md schema/status.json kubernetes/base/daemonset.yaml; do
  in_machine test -s "/usr/share/doc/crivet/$file" || fail "$file is not there"
done
