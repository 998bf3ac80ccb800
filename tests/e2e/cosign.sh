#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What cosign signs, with a key, is what runs: by tag and by digest, with a pod's own secret, after a restart without a
# registry; and nothing else does, whatever the registry says of tags.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
need_cosign
node_enter "$@"

older_form=(--use-signing-config=false --tlog-upload=false --new-bundle-format=false)

# rules KEY [cosign-first | cosign-alone]: what that key signed runs. What moves from Notary to cosign may have gone on.
rules() {
  local notary moving
  notary="{ trust = \"acme\", root = { key_ids = [\"$(root_key_id)\"] } }"
  local cosign="{ trust = \"cosign\", keys = [\"$node_dir/$1.pub\"] }"
  case ${2:-} in
    '') moving="any_of = [$notary, $cosign]" ;;
    cosign-first) moving="any_of = [$cosign, $notary]" ;;
    cosign-alone) moving="trust = \"cosign\"
keys = [\"$node_dir/$1.pub\"]" ;;
  esac
  crivet_trust="[trust.cosign]
kind = \"sigstore\"
bundles = \"$node_dir/bundles\"" write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/shop/**", "private.acme.example/**"]
action = "verify"
trust = "cosign"
keys = ["$node_dir/$1.pub"]
[[rule]]
images = ["$registry/tagged/**"]
action = "verify"
trust = "cosign"
keys = ["$node_dir/$1.pub"]
annotations = { tag = "\$tag" }
[[rule]]
images = ["$registry/elsewhere/**"]
action = "verify"
trust = "cosign"
keys = ["$node_dir/$1.pub"]
source = "$registry/signatures"
[[rule]]
images = ["$registry/mirrored/**"]
action = "verify"
trust = "cosign"
keys = ["$node_dir/$1.pub"]
signed_as = "$registry/shop/**"
[[rule]]
images = ["$registry/both/**"]
action = "verify"
all_of = [$cosign, $notary]
[[rule]]
images = ["$registry/moving/**"]
action = "verify"
$moving
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
}

# asks FOLDER HOST PORT: where whoever reads that folder asks for the images of a host. containerd passes over a file
# without a host until 2.1.
asks() {
  mkdir -p "$node_dir/$1/$2"
  printf 'server = "http://127.0.0.1:%s"\n[host."http://127.0.0.1:%s"]\n' "$3" "$3" >"$node_dir/$1/$2/hosts.toml"
}

# second_registry NAME PORT [MORE-YML]: over a copy of what the first one has.
second_registry() {
  cp -a "$node_dir/registry" "$node_dir/$1"
  sed "s,$node_dir/registry,$node_dir/$1,; s,127.0.0.1:80,127.0.0.1:$2," "$node_dir/registry.yml" >"$node_dir/$1.yml"
  printf '%s\n' "${@:3}" >>"$node_dir/$1.yml"
  part_start "$1" docker-registry serve "$node_dir/$1.yml"
  part_ready "$1" listens "$2"
}

start_registry
start_notary
push_pause
for name in one two three; do make_image "$name" /bin/echo "$name"; done
for key in release stranger; do cosign_key "$key"; done

push one shop/web:1.0
cosign_image release one shop/web
push two shop/older:1.0
cosign_image release two shop/older "${older_form[@]}"
push three shop/web:unsigned
push two shop/strange:1.0
cosign_image stranger two shop/strange
# The signature of another image of the same repository, laid where this one's belongs.
push one shop/copied:other
push two shop/copied:1.0
cosign_image release one shop/copied "${older_form[@]}"
copied=$(image_digest one) onto=$(image_digest two)
skopeo --insecure-policy copy --quiet --src-tls-verify=false --dest-tls-verify=false \
  "docker://$registry/shop/copied:${copied/:/-}.sig" "docker://$registry/shop/copied:${onto/:/-}.sig"
push one tagged/web:1.0
push one tagged/web:2.0
cosign_image release one tagged/web --signing-config "$node_dir/no-services.json" -a tag=1.0
push two tagged/web:3.0
cosign_image release two tagged/web
# cosign asks that repository in plain only where its name is of the loopback.
push one elsewhere/web:1.0
COSIGN_REPOSITORY=127.0.0.1:80/signatures cosign_image release one elsewhere/web
push two elsewhere/older:1.0
COSIGN_REPOSITORY=127.0.0.1:80/signatures cosign_image release two elsewhere/older "${older_form[@]}"
push three elsewhere/beside:1.0
cosign_image release three elsewhere/beside
# As a mirror has them: with the signatures that they have at home.
for where in older copied; do
  push two "mirrored/$where:1.0"
  skopeo --insecure-policy copy --quiet --src-tls-verify=false --dest-tls-verify=false \
    "docker://$registry/shop/older:${onto/:/-}.sig" "docker://$registry/mirrored/$where:${onto/:/-}.sig"
done
push_signed one both/web 1.0
cosign_image release one both/web
push_signed one moving/old 1.0
push two moving/new:1.0
cosign_image release two moving/new
push_signed three moving/both 1.0
cosign_image release three moving/both
push three moving/nobody:1.0
asks crivet-mirrors "$registry" 80
# Where crivet learns of its folder. The containerd of this test has a file of its own, with another one.
mkdir -p /etc/containerd
printf 'imports = ["conf.d/*.toml"]\nversion = 2\n' >/etc/containerd/config.toml
mkdir -p /etc/containerd/conf.d
printf '[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "%s"\n' "$node_dir/crivet-mirrors" \
  >/etc/containerd/conf.d/registries.toml
start_containerd
rules release
start_crivet

say "registries are asked by the folder that containerd's configuration names"
expect_like "status" "*registries: *trust.cosign? by hosts.toml in $node_dir/crivet-mirrors: *registries.toml says so*" \
  "$(crivet_here status 2>&1 || true)"

say "what the key signed runs, in both forms, by tag and by digest, pinned"
expect_output one "$registry/shop/web:1.0"
expect_output two "$registry/shop/older:1.0"
expect_output one "$registry/shop/web@$(image_digest one)"
pulled=$(grep -F PullImage "$node_dir/log/audit.log" | grep -m 1 -F shop/web:1.0)
expect_like "audit" "*\"binding\":\"registry\"*" "$pulled"
expect_like "audit" "*\"digest\":\"$(image_digest one)\"*" "$pulled"
expect_like "verify" "*is the registry's word: signed is the digest*ALLOWED: $registry/shop/web@$(image_digest one)*" \
  "$(crivet_here verify "$registry/shop/web:1.0" 2>&1)"

say "signatures in a repository of their own; a mirror's, under the name that they bear"
expect_output one "$registry/elsewhere/web:1.0"
expect_output two "$registry/elsewhere/older:1.0"
expect_denied unsigned "$registry/elsewhere/beside:1.0"
expect_output two "$registry/mirrored/older:1.0"
expect_denied identity "$registry/mirrored/copied:1.0"

say "unsigned, by a stranger's key, with another image's signature: refused, and why"
expect_denied unsigned "$registry/shop/web:unsigned"
expect_denied unsigned "$registry/shop/web@$(image_digest three)"
expect_denied signature "$registry/shop/strange:1.0"
expect_denied digest-mismatch "$registry/shop/copied:1.0"

say "a tag that was signed with the digest: under no other tag, and not without one"
expect_denied identity "$registry/tagged/web:2.0"
expect_output one "$registry/tagged/web:1.0"
expect_denied identity "$registry/tagged/web:2.0"
expect_output one "$registry/tagged/web@$(image_digest one)"
expect_denied identity "$registry/tagged/web@$(image_digest two)"

say "a registry with two faces: crivet decides by one, the runtime is shown another, and runs what was signed"
push one shop/faces:1.0
cosign_image release one shop/faces
second_registry faces 82
push three shop/moved:1.0
mv "$node_dir/registry/docker/registry/v2/repositories/shop/moved" "$node_dir/faces/docker/registry/v2/repositories/shop/"
cp -a "$node_dir/registry/docker/registry/v2/blobs/." "$node_dir/faces/docker/registry/v2/blobs/"
printf '%s' "$(image_digest three)" \
  >"$node_dir/faces/docker/registry/v2/repositories/shop/faces/_manifests/tags/1.0/current/link"
asks mirrors "$registry" 82
expect_output one --policy Always "$registry/shop/faces:1.0"
rm -r "$node_dir/mirrors/$registry"

say "preloaded, past crivet: judged by its digest where nobody ever pulled it"
push two shop/preloaded:1.0
cosign_image release two shop/preloaded
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

say "signatures in a folder: what the registry lost of them is verified, and nothing else is"
# Images of their own: the folder is for every repository.
for name in four five six; do
  make_image "$name" /bin/echo "$name"
  push "$name" "shop/brought:$name"
done
for name in four six; do cosign_image release "$name" shop/brought; done
cosign_image release five shop/brought "${older_form[@]}"
lost="$node_dir/registry/docker/registry/v2/repositories/shop/brought/_manifests/tags"
four=$(image_digest four) five=$(image_digest five) six=$(image_digest six)
mkdir "$node_dir/later"
for tag in "${four/:/-}" "${five/:/-}.sig"; do
  skopeo --insecure-policy copy --quiet --all --src-tls-verify=false "docker://$registry/shop/brought:$tag" \
    "oci:$node_dir/later/shop:$tag" >>"$node_dir/log/skopeo.log" 2>&1
  rm -r "${lost:?}/$tag"
done
rm -r "${lost:?}/${six/:/-}"
mv "$node_dir/later" "$node_dir/bundles"
expect_denied unsigned "$registry/shop/brought:six"
expect_output four "$registry/shop/brought:four"
expect_output five "$registry/shop/brought:five"

say "a folder that does not stay: what was imported of it goes on counting"
mv "$node_dir/bundles" "$node_dir/gone"
crivet_here forget --yes --evidence "$registry/shop/brought" >/dev/null
expect_like "import" "*@$four: taken*" "$(crivet_here import --image "$registry/shop/brought" "$node_dir/gone" 2>&1)"
rm -r "$node_dir/gone"
expect_output four --policy Always "$registry/shop/brought@$four"
expect_output five --policy Always "$registry/shop/brought@$five"

say "a private registry: the pod's own secret opens it, once"
python3 -c 'import crypt; print("alice:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' \
  >"$node_dir/htpasswd" 2>/dev/null
second_registry locked 83 "auth: {htpasswd: {realm: private, path: $node_dir/htpasswd}}"
for folder in mirrors crivet-mirrors; do asks "$folder" private.acme.example 83; done
private=private.acme.example/shop/faces:1.0
expect_shown "RegistryUnavailable: *[(]credentials-refused)*unreachable]" run "$private"
expect_shown "RegistryUnavailable: *[(]credentials-refused)*unreachable]" run --username alice --password wrong "$private"
# kubelet tries the secrets that it has in turn and shows the last answer: whose it was must not change the event.
shown() { kubelet "$@" 2>&1 || true; }
expect "what another wrong secret is told" "$(shown run --username alice --password wrong "$private")" \
  "$(shown run --username bob --password other "$private")"
expect_output one --username alice --password secret "$private"

say "all_of with Notary: both have to say this very digest"
expect_output one "$registry/both/web:1.0"
# The registry, and cosign's key with it, has come to another image than Notary names.
push two both/web:1.0
cosign_image release two both/web
expect_output one --policy Always "$registry/both/web:1.0"
push_signed three both/web 2.0
expect_denied unsigned "$registry/both/web:2.0"

say "from Docker Content Trust to cosign: both signers, then Notary is gone"
trusts_of() { grep -F PullImage "$node_dir/log/audit.log" | grep -F "$1" | tail -1; }
expect_output one "$registry/moving/old:1.0"
expect_output two "$registry/moving/new:1.0"
expect_like "audit" '*"trusts":\["acme"\]*' "$(trusts_of moving/old:1.0)"
expect_like "audit" '*"trusts":\["cosign"\]*' "$(trusts_of moving/new:1.0)"
expect_output three "$registry/moving/both:1.0"
expect_like "audit" '*"trusts":\["acme"\]*' "$(trusts_of moving/both:1.0)"
expect_shown "RegistryUnavailable: *acme: *[(]no-trust-data); cosign: *[(]unsigned)*" run "$registry/moving/nobody:1.0"
rules release cosign-first
crivet_here reload
expect_output three --policy Always "$registry/moving/both:1.0"
expect_like "audit" '*"trusts":\["cosign"\]*' "$(trusts_of moving/both:1.0)"
expect_output one --policy Always "$registry/moving/old:1.0"
expect_like "audit" '*"trusts":\["acme"\]*' "$(trusts_of moving/old:1.0)"
part_stop notary-server
push two moving/later:1.0
cosign_image release two moving/later
expect_output two "$registry/moving/later:1.0"
expect_output one "$registry/moving/old:1.0"
push three moving/later:unsigned
expect_shown "RegistryUnavailable: *cosign: *[(]unsigned); acme: *[(]unreachable*" run "$registry/moving/later:unsigned"

say "the registries and Notary are away, crivet and containerd restart: what was verified starts, and nothing new"
for part in registry locked crivet containerd; do part_stop "$part"; done
start_containerd
start_crivet
for image in "$registry/shop/web:1.0" "$registry/shop/web@$(image_digest one)" "$registry/both/web:1.0"; do
  expect_output one "$image"
  expect_output one --policy Never "$image"
done
expect_output one --policy Never "$private"
expect_output one --policy Never "$registry/moving/old:1.0"
expect_output two --policy Never "$registry/moving/new:1.0"
expect_unavailable unreachable "$registry/shop/web:1.0" --policy Always
expect_shown "RegistryUnavailable: *cosign: *[(]unreachable*); acme: *[(]unreachable*" \
  run --policy Always "$registry/moving/later:1.0"

say "a key taken out takes its images with it; put back, they start, and nobody was asked"
rules stranger
crivet_here reload
expect_shown "ErrImageNeverPull: *" run --policy Never "$registry/shop/web:1.0"
rules release
crivet_here reload
expect_output one --policy Never "$registry/shop/web:1.0"

say "the rule names cosign alone: what only Notary signed is refused"
rules release cosign-alone
crivet_here reload
expect_output two --policy Never "$registry/moving/new:1.0"
expect_shown "ErrImageNeverPull: *" run --policy Never "$registry/moving/old:1.0"

say "and both signers are gone: what runs runs on, by what is kept of its signatures, and nothing new comes"
part_stop crivet
start_crivet
for image in new later; do expect_output two --policy Never "$registry/moving/$image:1.0"; done
expect_output three --policy Never "$registry/moving/both:1.0"
for image in new nobody; do expect_unavailable unreachable "$registry/moving/$image:1.0" --policy Always; done

say "forgotten, nothing of it counts any more"
crivet_here forget --yes "$registry/shop/web:1.0" >/dev/null
expect_output one --policy Never "$registry/shop/web:1.0"
expect_like "forget --evidence" "forgotten: evidence of $registry/shop/web: images [1-9]*, records [1-9]*" \
  "$(crivet_here forget --yes --evidence "$registry/shop/web:1.0")"
expect_like "audit" "*\"event\":\"forget\"*\"evidence\":true*" "$(grep -F '"evidence":true' "$node_dir/log/audit.log" || true)"
expect_shown "ErrImageNeverPull: *" run --policy Never "$registry/shop/web:1.0"
