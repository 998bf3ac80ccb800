#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keyless: what cosign signed for an identity runs; what another identity signed, or a certificate that the trusted root knows
# nothing of, or a signature that no log has, does not. Fulcio, logs and timestamp authority are the test's own.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
need_cosign
[[ -n $node_dir ]] || unpack_tuf
node_enter "$@"

readonly issuer=https://issuer.acme.example alice=alice@acme.example

# rules TRUSTED-ROOT [SECTION]: what alice signed runs.
rules() {
  local trusted_root=$1
  [[ $trusted_root == "{"* ]] || trusted_root="\"$node_dir/$1.json\""
  crivet_trust="[trust.cosign]
kind = \"sigstore\"
trusted_root = $trusted_root
registry_config = [\"$node_dir/mirrors\"]
[trust.platform]
kind = \"sigstore\"
trusted_root = \"$node_dir/acme/trusted_root.json\"
registry_config = [\"$node_dir/mirrors\"]
${2:-}" write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/team/**"]
action = "verify"
trust = "cosign"
identities = [{ issuer = "https://issuer.*.example", subject = "*@acme.example" }]
[[rule]]
images = ["$registry/timed/**"]
action = "verify"
trust = "cosign"
identities = [{ issuer = "$issuer", subject = "$alice" }]
log = "off"
signed_timestamps = 1
[[rule]]
images = ["$registry/ordered/**"]
action = "verify"
trust = "cosign"
identities = [{ issuer = "$issuer", subject = "$alice" }]
tag_order = "refuse"
[[rule]]
images = ["$registry/**"]
action = "verify"
trust = "cosign"
identities = [{ issuer = "$issuer", subject = "$alice" }]
[[rule]]
images = ["registry.k8s.io/pause"]
action = "verify"
trust = "platform"
identities = [{ issuer = "$issuer", subject = "$alice" }]
TOML
}

# One that writes down what it is asked.
registry_yml 127.0.0.1:80 | sed 's/level: error/level: info/; s/disabled: true/disabled: false/' >"$node_dir/registry.yml"
part_start registry docker-registry serve "$node_dir/registry.yml"
part_ready registry listens 80
push_pause
make_certificates
for name in one two; do make_image "$name" /bin/echo "$name"; done
start_sigstore acme 5057
start_sigstore others 5058
trusted_root acme without_its_ca others
signing_config acme -unlogged --fulcio --oidc-provider --tsa
cosign_keyless acme "$alice" "$issuer" pause pause
push one shop/web:1.0
cosign_keyless acme "$alice" "$issuer" one shop/web
push two shop/bob:1.0
cosign_keyless acme bob@acme.example "$issuer" two shop/bob
push two shop/issuer:1.0
cosign_keyless acme "$alice" https://issuer.other.example two shop/issuer
push two shop/services:1.0
cosign_keyless others "$alice" "$issuer" two shop/services
push one team/web:1.0
cosign_keyless acme bob@acme.example "$issuer" one team/web
push one shop/unlogged:1.0
cosign_keyless acme-unlogged "$alice" "$issuer" one shop/unlogged
push one timed/web:1.0
cosign_keyless acme-unlogged "$alice" "$issuer" one timed/web
# Signed a second apart, since that is how fine a timestamp is.
for repository in shop/ordered ordered/web; do
  push one "$repository:1.0"
  push two "$repository:2.0"
  cosign_keyless acme "$alice" "$issuer" one "$repository"
done
sleep 1
for repository in shop/ordered ordered/web; do cosign_keyless acme "$alice" "$issuer" two "$repository"; done
for services in acme others; do part_stop "$services"; done
start_containerd
rules acme/trusted_root
start_crivet

say "what that identity signed runs, and nobody but the registry is asked"
expect_output one "$registry/shop/web:1.0"
expect_output one "$registry/shop/web@$(image_digest one)"
expect_like "verify" "*$alice*ALLOWED: *" "$(crivet_here verify "$registry/shop/web:1.0" 2>&1)"

say "the sandbox image: asked for once, and not again for every pod"
asked_for_pause() { grep -c 'HEAD /v2/pause/manifests/3.9.*"crivet"' "$node_dir/log/registry.log"; }
expect "questions for the sandbox image" 1 "$(asked_for_pause)"

say "check says which hosts are asked without TLS"
expect_like "check" "*$node_dir/mirrors/_default: $registry is asked without TLS*" "$(crivet_here check 2>&1)"

say "another identity, another issuer, other services: refused, and why"
expect_denied identity "$registry/shop/bob:1.0"
expect_denied identity "$registry/shop/issuer:1.0"
expect_denied transparency-log "$registry/shop/services:1.0"

say "a pattern covers the whole identity"
expect_output one "$registry/team/web:1.0"

say "in no log: refused, unless the rule wants none"
expect_denied transparency-log "$registry/shop/unlogged:1.0"
expect_output one "$registry/timed/web:1.0"

say "a tag that goes back to what was signed earlier: told, or refused, and its digest by itself is not"
for repository in shop/ordered ordered/web; do
  expect_output one "$registry/$repository:1.0"
  push two "$repository:1.0"
  expect_output two --policy Always "$registry/$repository:1.0"
  push one "$repository:1.0"
done
expect_output one --policy Always "$registry/shop/ordered:1.0"
expect_like "audit" '*"tag_went_back":"20*' "$(grep -F PullImage "$node_dir/log/audit.log" | tail -1)"
expect_denied rollback "$registry/ordered/web:1.0" --policy Always
expect_output one --policy Always "$registry/ordered/web@$(image_digest one)"
expect_like "forget" "forgotten: that $registry/ordered/web:1.0 has been what was signed at 20*" \
  "$(crivet_here forget --yes "$registry/ordered/web:1.0")"
expect_output one --policy Always "$registry/ordered/web:1.0"

say "a trusted root without that authority takes its images with it; put back, they start, and nobody is asked"
rules acme/without_its_ca
crivet_here reload
expect_denied untrusted-root "$registry/shop/web:1.0" --policy Always
expect_shown "ErrImageNeverPull: *" run --policy Never "$registry/shop/web:1.0"
expect "questions for the sandbox image" 1 "$(asked_for_pause)"
part_stop registry
rules acme/trusted_root
crivet_here reload
expect_output one --policy Never "$registry/shop/web:1.0"
expect_output one "$registry/shop/web@$(image_digest one)"

say "a trusted root that a TUF repository brings, imported with it"
publish_tuf "$node_dir/roots" "trusted_root.json=$node_dir/acme/trusted_root.json"
cp "$node_dir/roots/metadata/1.root.json" "$node_dir/roots.root.json"
rules '{ tuf = "roots" }' "[trust.roots]
kind = \"tuf\"
url = \"file://$node_dir/roots/metadata\"
root = { root_file = \"$node_dir/roots.root.json\" }
refresh_interval = \"1s\""
crivet_here check >/dev/null
cp -r "$node_dir/roots" "$node_dir/usb"
crivet_here import "$node_dir/usb" >/dev/null
crivet_here reload
part_start registry docker-registry serve "$node_dir/registry.yml"
part_ready registry listens 80
expect_output one "$registry/timed/web:1.0" --policy Always
expect_output one --policy Never "$registry/shop/web:1.0"
expect_like "status" "*trusted files: *trusted_root.json of *roots? for *cosign?: sha256 $(
  sha256sum <"$node_dir/acme/trusted_root.json" | cut -c 1-40)*ends in*" "$(crivet_here status 2>&1 || true)"

say "a newer one acts at once; one that is none is refused, and the one before stays"
publish_tuf "$node_dir/roots" "trusted_root.json=$node_dir/acme/without_its_ca.json"
sleep 1.5
expect_denied untrusted-root "$registry/shop/web:1.0" --policy Always
publish_tuf "$node_dir/roots" "trusted_root.json=$node_dir/acme/trusted_root.json"
sleep 1.5
expect_output one --policy Always "$registry/shop/web:1.0"
publish_tuf "$node_dir/roots" "trusted_root.json=$node_dir/roots.root.json"
sleep 1.5
expect_like "status" "*DEGRADED*trusted_root.json*" "$(crivet_here status 2>&1 || true)"
expect_output one --policy Always "$registry/team/web:1.0"

say "a restart without the repository: the stored one answers"
rm -r "$node_dir/roots"
part_stop crivet
start_crivet
expect_output one --policy Always "$registry/shop/web:1.0"
