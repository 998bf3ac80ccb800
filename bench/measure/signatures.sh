#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What it costs to verify an image that cosign or notation signed, in a registry on loopback: `crivet verify`, cold each
# time and once more with what that left, beside `cosign verify`, `notation verify`, and `skopeo copy` under a policy, which
# brings the image along. Prints lines `name<TAB>CPU ms<TAB>wall ms<TAB>requests`, the
# median of the rounds; CPU is the figure on a machine that is not quiet.
#
#   bench/measure/signatures.sh [rounds, 15]
set -euo pipefail

export CRIVET_BUILD=${CRIVET_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../../build-release" && pwd)}
# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../tests/support/node.sh"
need_cosign
need_notation
[[ -n $node_dir ]] || unpack_peer
node_enter "$@"
rounds=${1:-15}
readonly oidc_issuer=https://issuer.acme.example alice=alice@acme.example

# median FIELD <FILE: of a column.
median() { sort -n -k "$1,$1" | awk -v field="$1" '{ all[NR] = $field } END { print all[int((NR + 1) / 2)] }'; }

# [with_state=1] measured NAME COMMAND...
measured() {
  local name=$1 samples=$node_dir/tmp/samples i asked
  shift
  : >"$samples"
  asked=$(wc -l <"$requests")
  for ((i = 0; i < rounds; ++i)); do
    [[ -n ${with_state:-} ]] || rm -rf "$node_dir/crivet-state"
    mkdir -p "$node_dir/crivet-state"
    python3 - "$@" >>"$samples" <<'PY'
import resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run(sys.argv[1:], capture_output=True, check=False)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if done.returncode != 0:
    sys.exit(f"{sys.argv[1:]}: {done.stderr.decode()}{done.stdout.decode()}")
print(f"{(used.ru_utime + used.ru_stime) * 1000:.1f} {(time.monotonic() - began) * 1000:.1f}")
PY
  done
  asked=$((($(wc -l <"$requests") - asked) / rounds))
  printf '%s\t%s\t%s\t%s\n' "$name" "$(median 1 <"$samples")" "$(median 2 <"$samples")" "$asked"
}

# A registry that writes down what it is asked.
requests=$node_dir/log/requests
part_start registry python3 "$root/tests/support/node/image_registry.py" "$requests" old@127.0.0.1:80
part_ready registry listens 80
start_sigstore acme 5057
mkdir -p "$node_dir/registries/_default"
echo "server = \"http://$registry\"" >"$node_dir/registries/_default/hosts.toml"
make_image one /bin/echo one
cosign_key release
for where in key/bundle key/older keyless/bundle notation/p256 notation/rsa; do push one "$where:1.0"; done
cosign_image release one key/bundle
cosign_image release one key/older --use-signing-config=false --tlog-upload=false --new-bundle-format=false
cosign_keyless acme "$alice" "$oidc_issuer" one keyless/bundle
subject=/C=CH/ST=ZH/O=Acme
for kind in p256 rsa; do
  new_key=("${rsa_4096[@]}")
  [[ $kind == rsa ]] || new_key=("${p_256[@]}")
  authority "$kind-root" "$subject/CN=$kind root"
  authority "$kind-ca" "$subject/CN=$kind CA" "$kind-root"
  signer "$kind" "$subject/CN=release" "$kind-ca"
done
notation_keys p256 rsa
for kind in p256 rsa; do notation_image "$kind" one "notation/$kind"; done
cat "$node_dir/p256-root/ca.crt" "$node_dir/rsa-root/ca.crt" >"$node_dir/roots.pem"
notation_trusts "$node_dir/roots.pem" "x509.subject: C=CH, ST=ZH, O=Acme"
make_certificates
crivet_trust="[trust.cosign]
kind = \"sigstore\"
trusted_root = \"$node_dir/acme/trusted_root.json\"
registry_config = [\"$node_dir/registries\"]
[trust.notation]
kind = \"notation\"
ca = [\"$node_dir/roots.pem\"]
registry_config = [\"$node_dir/registries\"]" write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/key/**"]
action = "verify"
trust = "cosign"
keys = ["$node_dir/release.pub"]
[[rule]]
images = ["$registry/notation/**"]
action = "verify"
trust = "notation"
identities = ["x509.subject: C=CH, ST=ZH, O=Acme"]
[[rule]]
images = ["$registry/keyless/**"]
action = "verify"
trust = "cosign"
identities = [{ issuer = "$oidc_issuer", subject = "$alice" }]
TOML

verify=(cosign verify --allow-http-registry)
by_key=(--key "$node_dir/release.pub" --insecure-ignore-tlog)
keyless=(--trusted-root "$node_dir/acme/trusted_root.json" --certificate-identity "$alice" --certificate-oidc-issuer "$oidc_issuer"
  --use-signed-timestamps)
# By a path of its own: the one in the path is Debian 12's, where sigstore is switched off.
peer=$parts_dir/peer/usr
mkdir "$node_dir/registries.d"
echo 'default-docker: {use-sigstore-attachments: true}' >"$node_dir/registries.d/all.yaml"
cat >"$node_dir/policy.json" <<JSON
{"default": [{"type": "reject"}], "transports": {"docker": {"": [{"type": "sigstoreSigned",
  "keyPath": "$node_dir/release.pub", "signedIdentity": {"type": "matchRepository"}}]}}}
JSON
skopeo_sid=("$peer/lib64/ld-linux-x86-64.so.2" --library-path "$peer/lib/x86_64-linux-gnu" "$peer/bin/skopeo")
copy=("${skopeo_sid[@]}" --policy "$node_dir/policy.json" --registries.d "$node_dir/registries.d" copy --quiet
  --remove-signatures --src-tls-verify=false)

measured "cosign version" cosign version
measured "skopeo version" "${skopeo_sid[@]}" --version
measured "crivet version" crivet version
measured "cosign, key, bundle" "${verify[@]}" "${by_key[@]}" "$registry/key/bundle:1.0"
measured "crivet, key, bundle" crivet verify --config "$node_dir/crivet.toml" "$registry/key/bundle:1.0"
with_state=1 measured "crivet, key, bundle, known" crivet verify --config "$node_dir/crivet.toml" "$registry/key/bundle:1.0"
measured "cosign, key, older form" "${verify[@]}" "${by_key[@]}" "$registry/key/older:1.0"
measured "crivet, key, older form" crivet verify --config "$node_dir/crivet.toml" "$registry/key/older:1.0"
measured "skopeo, key, older form" "${copy[@]}" "docker://$registry/key/older:1.0" "dir:$node_dir/tmp/copied"
measured "cosign, keyless" "${verify[@]}" "${keyless[@]}" "$registry/keyless/bundle:1.0"
measured "crivet, keyless" crivet verify --config "$node_dir/crivet.toml" "$registry/keyless/bundle:1.0"
with_state=1 measured "crivet, keyless, known" crivet verify --config "$node_dir/crivet.toml" "$registry/keyless/bundle:1.0"

notation=(env "XDG_CONFIG_HOME=$node_dir/xdg" "XDG_CACHE_HOME=$node_dir/xdg" notation)
measured "notation version" "${notation[@]}" version
for kind in p256 rsa; do
  measured "notation, $kind" "${notation[@]}" verify --insecure-registry "$registry/notation/$kind:1.0"
  measured "crivet, notation, $kind" crivet verify --config "$node_dir/crivet.toml" "$registry/notation/$kind:1.0"
done
