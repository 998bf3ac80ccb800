#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What notation signs, in JWS and COSE, with certificates of an authority, is what runs; and nothing else does, for as long as
# it holds and a while longer. `notation verify` is asked the same beside it.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
need_notation
node_enter "$@"

# rules [notation-first | notation-alone]: what moves from Notary to notation may have gone on. With `authorities`,
# `identity` and `revocation` as they stand.
rules() {
  local notary moving notation
  notary="{ trust = \"acme\", root = { key_ids = [\"$(root_key_id)\"] } }"
  notation="{ trust = \"notation\", identities = [\"$identity\"] }"
  case ${1:-} in
    '') moving="any_of = [$notary, $notation]" ;;
    notation-first) moving="any_of = [$notation, $notary]" ;;
    notation-alone) moving="trust = \"notation\"
identities = [\"$identity\"]" ;;
  esac
  crivet_trust="[trust.notation]
kind = \"notation\"
ca = [\"$authorities\"]
$revocation
bundles = \"$node_dir/bundles\"
registry_config = [\"$node_dir/mirrors\"]
[trust.timed]
kind = \"notation\"
ca = [\"$node_dir/acme/ca.crt\"]
tsa = [\"$node_dir/tsa/tsa-root.crt\"]
registry_config = [\"$node_dir/mirrors\"]" write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/shop/**"]
action = "verify"
trust = "notation"
identities = ["$identity"]
[[rule]]
images = ["$registry/both/**"]
action = "verify"
all_of = [$notation, $notary]
[[rule]]
images = ["$registry/timed/**"]
action = "verify"
trust = "timed"
identities = ["$release"]
[[rule]]
images = ["$registry/moving/**"]
action = "verify"
$moving
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
}

# refused REASON IMAGE: by crivet, with that reason, and by notation.
refused() {
  expect_denied "$1" "$registry/$2"
  ! notation_verifies "$registry/$2" || fail "notation verifies $2"
}

# runs TEXT IMAGE: crivet lets it run, and notation verifies it.
runs() {
  expect_output "$1" "$registry/$2"
  notation_verifies "$registry/$2" || fail "notation does not verify $2"
}

subject=/C=CH/ST=ZH/O=Acme
readonly release="x509.subject: C=CH, ST=ZH, O=Acme, CN=release"
(authority acme "$subject/CN=Acme Root" && authority signing "$subject/CN=Acme Signing CA" acme &&
  signer release "$subject/CN=release" signing) &
chain=$!
start_registry
start_notary
start_tsa tsa 5057
push_pause
for name in one two three; do make_image "$name" /bin/echo "$name"; done
start_containerd
wait "$chain"
# As signing services make them: RSA of 4096 bits down to a leaf that ends soon.
brief_ends=$(($(date +%s) + 30))
signer brief "$subject/CN=release" signing "@$brief_ends"
new_key=("${p_256[@]}")
signer other "$subject/CN=other" signing
authority evil "$subject/CN=Acme Root"
signer thief "$subject/CN=release" evil
notation_keys release other thief brief

push one timed/web:1.0
notation_image brief one timed/web "${timestamped[@]}"
push two timed/web:untimed
notation_image brief two timed/web

push one shop/web:1.0
notation_image release one shop/web
push two shop/cose:1.0
notation_image release two shop/cose --signature-format cose
push three shop/web:unsigned
push two shop/other:1.0
notation_image other two shop/other
push two shop/thief:1.0
notation_image thief two shop/thief --signature-format cose
push one shop/brief:1.0
notation_image release one shop/brief --expiry 24h
push two shop/brief:2.0
notation_image release two shop/brief --expiry 24h
push_signed one both/web 1.0
notation_image release one both/web
push_signed one moving/old 1.0
push two moving/new:1.0
notation_image release two moving/new
push_signed three moving/both 1.0
notation_image release three moving/both
push three moving/nobody:1.0
authorities=$node_dir/acme/ca.crt identity=$release revocation=
notation_trusts "$authorities" "$identity" "$node_dir/tsa/tsa-root.crt" timed/web
rules
crivet_clock 0
start_crivet

say "what notation signed runs, in both forms, by tag and by digest, pinned"
runs one shop/web:1.0
runs two shop/cose:1.0
expect_output one "$registry/shop/web@$(image_digest one)"
pulled=$(grep -F PullImage "$node_dir/log/audit.log" | grep -m 1 -F shop/web:1.0)
expect_like "audit" "*\"binding\":\"registry\"*" "$pulled"
expect_like "audit" "*\"digest\":\"$(image_digest one)\"*" "$pulled"
expect_like "verify" "*CN=release*ALLOWED: $registry/shop/web@$(image_digest one)*" \
  "$(crivet_here verify "$registry/shop/web:1.0" 2>&1)"

say "pin: whose certificates these are, and a rule that works as it is pasted"
pinned=$(crivet_here pin "$registry/shop/web:1.0" 2>"$node_dir/log/pin.log")
expect_like "pin" "*identities = *CN=release*" "$pinned"
expect_like "pin" "*signer *CN=release*root *SHA-256 $(openssl x509 -in "$authorities" -outform DER | sha256sum | cut -d' ' -f1)*NOBODY HAS VERIFIED*" \
  "$(cat "$node_dir/log/pin.log")"

say "unsigned, by another subject of the same authority, by an authority of the same name: refused, and why"
refused unsigned shop/web:unsigned
refused identity shop/other:1.0
refused untrusted-root shop/thief:1.0

say "preloaded, past crivet: judged by its digest where nobody ever pulled it"
push two shop/preloaded:1.0
notation_image release two shop/preloaded
push three shop/preloaded:unsigned
for tag in 1.0 unsigned; do
  ctr_client images pull --hosts-dir "$node_dir/mirrors" "$registry/shop/preloaded:$tag" >>"$node_dir/log/ctr.log" 2>&1
done
expect_output two --policy Never "$registry/shop/preloaded:1.0"
expect_shown "ErrImageNeverPull*" run --policy Never "$registry/shop/preloaded:unsigned"

say "a tag that moves to what nobody signed: no pull takes it, and what is here goes on"
push three shop/web:1.0
expect_denied unsigned "$registry/shop/web:1.0" --policy Always
expect_output one "$registry/shop/web:1.0"

say "all_of with Notary: both have to say this very digest"
expect_output one "$registry/both/web:1.0"
push_signed three both/web 2.0
expect_denied unsigned "$registry/both/web:2.0"

say "from Docker Content Trust to notation: both signers, then Notary is gone"
trusts_of() { grep -F PullImage "$node_dir/log/audit.log" | grep -F "$1" | tail -1; }
expect_output one "$registry/moving/old:1.0"
expect_output two "$registry/moving/new:1.0"
expect_like "audit" '*"trusts":\["acme"\]*' "$(trusts_of moving/old:1.0)"
expect_like "audit" '*"trusts":\["notation"\]*' "$(trusts_of moving/new:1.0)"
expect_output three "$registry/moving/both:1.0"
expect_like "audit" '*"trusts":\["acme"\]*' "$(trusts_of moving/both:1.0)"
expect_shown "RegistryUnavailable: *acme: *[(]no-trust-data); notation: *[(]unsigned)*" run "$registry/moving/nobody:1.0"
rules notation-first
crivet_here reload
expect_output three --policy Always "$registry/moving/both:1.0"
expect_like "audit" '*"trusts":\["notation"\]*' "$(trusts_of moving/both:1.0)"
part_stop notary-server
expect_output two --policy Always "$registry/moving/new:1.0"
expect_output one "$registry/moving/old:1.0"
rules notation-alone
crivet_here reload
expect_output two --policy Never "$registry/moving/new:1.0"
expect_shown "ErrImageNeverPull: *" run --policy Never "$registry/moving/old:1.0"

say "a signature that expired: refused where it is new, and what runs goes on for a while"
expect_output one "$registry/shop/brief:1.0"
crivet_clock "$((2 * one_day))"
expect_output one "$registry/shop/brief:1.0"
expect_denied signature-expired "$registry/shop/brief:2.0"
crivet_clock "$((32 * one_day))"
expect_shown "ErrImageNeverPull: *" run --policy Never "$registry/shop/brief:1.0"
expect_output one --policy Never "$registry/shop/web@$(image_digest one)"
crivet_clock 0

say "RSA of 4096 bits, the signer's certificate ended since: what was timestamped runs, what was not does not"
sleep "$((brief_ends >= $(date +%s) ? brief_ends + 1 - $(date +%s) : 0))"
runs one timed/web:1.0
refused timestamp timed/web:untimed

say "the registry is away, crivet and containerd restart: what was verified starts, and nothing new"
for part in registry crivet containerd; do part_stop "$part"; done
start_containerd
start_crivet
expect_output two "$registry/shop/cose:1.0"
expect_output one --policy Never "$registry/shop/web@$(image_digest one)"
expect_output two --policy Never "$registry/moving/new:1.0"
expect_unavailable unreachable "$registry/shop/cose:1.0" --policy Always

say "an authority, an identity taken out takes its images with it; put back, they start, and nobody was asked"
never() { expect_shown "ErrImageNeverPull: *" run --policy Never "$registry/shop/cose:1.0"; }
authorities=$node_dir/evil/ca.crt
rules && crivet_here reload
never
authorities=$node_dir/signing/ca.crt
rules && crivet_here reload
expect_output two --policy Never "$registry/shop/cose:1.0"
identity=${release/release/another}
rules && crivet_here reload
never
identity=$release
for name in acme signing; do revocation_list "$name" "$node_dir/$name.crl"; done
revocation="revocation = \"crl\"
crl_files = [\"$node_dir/acme.crl\", \"$node_dir/signing.crl\"]"
rules && crivet_here reload
expect_output two --policy Never "$registry/shop/cose:1.0"

say "a certificate that is revoked takes its images with it, without a reload; a list that is broken changes nothing"
echo "<html>502</html>" >"$node_dir/signing.crl"
expect_unavailable unreachable "$registry/shop/web:unsigned"
expect_like "status" "*signing.crl*" "$(crivet_here status 2>&1 || true)"
expect_output two --policy Never "$registry/shop/cose:1.0"
revoke signing release
revocation_list signing "$node_dir/signing.crl"
sleep 1 # more often nobody looks
expect_unavailable unreachable "$registry/shop/web:unsigned"
never
start_registry
expect_like "verify" "*CN=Acme Signing CA* has revoked *CN=release*" "$(crivet_here verify "$registry/shop/cose:1.0" 2>&1 || true)"

say "a list that is broken when crivet starts: what hangs from it is refused, all else goes on, and it heals by itself"
part_stop crivet
cp "$node_dir/acme.crl" "$node_dir/good.crl"
echo "<html>502</html>" >"$node_dir/acme.crl"
if crivet_here check >"$node_dir/log/check.log" 2>&1; then fail "check takes a broken list"; fi
expect_like "check" "*acme.crl*" "$(cat "$node_dir/log/check.log")"
start_crivet
expect_unavailable state "$registry/shop/other:1.0"
expect_shown "*acme.crl is not used: *" pull "$registry/shop/other:1.0"
expect_output one --policy Always "$registry/timed/web:1.0"
expect_like "status" "*acme.crl*" "$(crivet_here status 2>&1 || true)"
mv "$node_dir/good.crl" "$node_dir/acme.crl"
sleep 1 # more often nobody looks
refused identity shop/other:1.0
if crivet_here status 2>&1 | grep -F acme.crl; then fail "status tells of a list that is mended"; fi

say "signatures that lie in a folder by themselves, without a registry; and imported, when the folder goes"
authorities=$node_dir/acme/ca.crt revocation=
signer last "$subject/CN=release" signing
notation_keys last
rules && crivet_here reload
mkdir "$node_dir/later"
for name in four five; do
  make_image "$name" /bin/echo "$name"
  push "$name" "shop/loose:$name"
  form=jws
  [[ $name == four ]] || form=cose
  notation_image last "$name" shop/loose --signature-format "$form"
  loose_signature shop/loose "$(image_digest "$name")" "$node_dir/later" "$form"
  ctr_client images pull --hosts-dir "$node_dir/mirrors" "$registry/shop/loose:$name" >>"$node_dir/log/ctr.log" 2>&1
done
part_stop registry
mv "$node_dir/later" "$node_dir/bundles"
for name in four five; do expect_output "$name" --policy Never "$registry/shop/loose:$name"; done
mv "$node_dir/bundles" "$node_dir/gone"
crivet_here forget --yes --evidence "$registry/shop/loose" >/dev/null
expect_like "import" "*taken*taken*" "$(crivet_here import --image "$registry/shop/loose" "$node_dir/gone" 2>&1)"
rm -r "$node_dir/gone"
for name in four five; do expect_output "$name" --policy Never "$registry/shop/loose:$name"; done
