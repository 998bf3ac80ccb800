#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The second door: containerd's image-verifier plugin asks crivet about pulls that do not come through its CRI socket.
set -euo pipefail

export CRIVET_CONTAINERD=2.1  # the first whose CRI asks verifiers too
# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

mkdir -p /opt/containerd/image-verifier/bin /etc/crivet
ln -s "$build/crivet" /opt/containerd/image-verifier/bin/crivet-image-verifier
ln -s "$node_dir/crivet.toml" /etc/crivet/config.toml
start_registry
start_notary
push_pause
for image in web both moved unsigned; do make_image "$image" /bin/echo "$image"; done
for image in web both moved; do push_signed "$image" "shop/$image" 1.0; done
push unsigned shop/web:unsigned
push unsigned shop/moved:1.0  # another content than what is signed
usual_rules | write_crivet_config
start_containerd

# pull_by_ctr NAME: containerd's transfer service pulls, as it does for nerdctl and others.
pull_by_ctr() { ctr_client images pull --local=false --hosts-dir "$node_dir/mirrors" "$registry/shop/$1" 2>&1; }
audited() { grep -c "\"canonical\":\"$registry/shop/$1\"" "$node_dir/log/audit.log" || true; }

say "nobody to ask: refused, unless the configuration says otherwise"
verifier=/opt/containerd/image-verifier/bin/crivet-image-verifier
sed 's/^\[gate\]$/&\nimage_verifier_without_daemon = "allow"/' "$node_dir/crivet.toml" >"$node_dir/allow.toml"
# Both wait for a daemon as long as they wait: side by side, each with its own configuration.
unshare --mount sh -c "mount --bind '$node_dir/allow.toml' /etc/crivet/config.toml
  exec '$verifier' -name '$registry/shop/web:1.0' -digest '$(image_digest web)' </dev/null" >"$node_dir/allowed" &
if pull_by_ctr web:1.0 >"$node_dir/refused"; then fail "pulled without a daemon"; fi
expect_like "the reason" "*blocked pull*exit code 2*RegistryUnavailable: crivet's daemon does not answer*" "$(cat "$node_dir/refused")"
wait $! || fail "refused, although the configuration lets pulls be: $(cat "$node_dir/allowed")"
expect_like "the answer" "*allowed unverified*" "$(cat "$node_dir/allowed")"

start_crivet
say "ctr: what is signed is pulled, and nothing else"
pull_by_ctr web:1.0 >/dev/null || fail "$(pull_by_ctr web:1.0)"
expect "decisions about it" 1 "$(audited web:1.0)"
expect_like "a tag that is not signed" "*blocked pull*exit code 1*SignatureValidationFailed: $registry/shop/web:unsigned: *" \
  "$(pull_by_ctr web:unsigned || true)"
expect_like "a tag with other content" "*blocked pull*SignatureValidationFailed: *digest-mismatch]*" "$(pull_by_ctr moved:1.0 || true)"
not pull_by_ctr web:unsigned >/dev/null || fail "pulled what is not signed"

say "CRI at containerd's own socket: the same words"
expect_like "kubelet past crivet" "*SignatureValidationFailed: $registry/shop/web:unsigned: *" \
  "$(kubelet_to "$containerd_sock" pull "$registry/shop/web:unsigned" 2>&1 || true)"

say "both doors: judged once, told once"
before=$(wc -l <"$node_dir/log/audit.log")
kubelet run "$registry/shop/both:1.0" >/dev/null
expect "decisions about the pull" 1 "$(tail -n "+$((before + 1))" "$node_dir/log/audit.log" |
  grep "\"canonical\":\"$registry/shop/both" | grep -cE '"method":"(/runtime.v1.ImageService/PullImage|image-verifier)"')"
expect "questions at the second door about what the first let through" 0 "$(tail -n "+$((before + 1))" "$node_dir/log/audit.log" |
  grep '"method":"image-verifier"' | grep -c "shop/both" || true)"

say "arguments that are none, and a descriptor that nobody reads, have their answer"
status=0
head -c 1000000 /dev/zero | "$verifier" -name >"$node_dir/out" || status=$?
expect "the exit" 64 "$status"
status=0
"$verifier" -name "$registry/shop/web:1.0" -digest sha256:12 </dev/null >"$node_dir/out" || status=$?
expect "the exit" 2 "$status"
