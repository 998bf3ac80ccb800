# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Signs as cosign's users do: with a key, or keyless against services of the test's own. Call `need_cosign` before node_enter.

need_cosign() {
  # Without root, node_enter skips the test.
  [[ -n $node_dir || $(id -u) != 0 ]] || unpack_apart cosign
  PATH=$PATH:$parts_dir/cosign/usr/bin
}

cosigned() { COSIGN_PASSWORD='' cosign "$@" >>"$node_dir/log/cosign.log" 2>&1; }

# cosign_key NAME: $node_dir/NAME.key and NAME.pub.
cosign_key() { (cd "$node_dir" && cosigned generate-key-pair --output-key-prefix "$1"); }

# cosign_image KEY NAME BELOW-THE-REGISTRY [OPTION...]: signs the layout's digest, as a bundle unless told otherwise.
cosign_image() {
  local key=$1 name=$2 where=$3 none=$node_dir/no-services.json
  shift 3
  if [[ $# == 0 ]]; then
    [[ -e $none ]] || cosigned signing-config create --out "$none"
    set -- --signing-config "$none"
  fi
  cosigned sign --key "$node_dir/$key.key" --allow-http-registry -y "$@" "$registry/$where@$(image_digest "$name")"
}

# cosign_trusts: crivet_trust for cosign_rule; the registry is asked without TLS.
cosign_trusts() {
  mkdir -p "$node_dir/registries/$registry"
  echo "server = \"http://$registry\"" >"$node_dir/registries/$registry/hosts.toml"
  crivet_trust="[trust.cosign]
kind = \"sigstore\"
registry_config = [\"$node_dir/registries\"]"
}

# cosign_rule KEY: the lines of a rule that wants that key's signature.
cosign_rule() { printf 'trust = "cosign"\nkeys = ["%s"]' "$node_dir/$1.pub"; }

# start_sigstore NAME PORT: Fulcio, its CT log, a timestamp authority and a transparency log, for keyless signatures;
# $node_dir/NAME has their keys and trusted_root.json.
start_sigstore() {
  local name=$1 port=$2 dir=$node_dir/$1
  part_start "$name" python3 "$root/tests/support/node/sigstore_services.py" "$dir" "$port"
  part_ready "$name" listens "$port"
  echo "http://127.0.0.1:$port" >"$dir/url"
  signing_config "$name" "" --fulcio --oidc-provider --tsa --rekor
  trusted_root "$name" trusted_root
}

# What both files say of a service: since when it counts.
since_yesterday() { echo "start-time=$(date -u -d yesterday +%FT%TZ)"; }

# signing_config NAME ENDING SERVICE...: $node_dir/NAME/signing_configENDING.json, for `cosign sign` with these services.
signing_config() {
  local dir=$node_dir/$1 ending=$2 url service options=()
  shift 2
  url=$(cat "$dir/url")
  for service; do
    case $service in
      --tsa) options+=(--tsa "url=$url/api/v1/timestamp,api-version=1,$(since_yesterday),operator=acme" --tsa-config ANY) ;;
      --rekor) options+=(--rekor "url=$url,api-version=2,$(since_yesterday),operator=acme" --rekor-config ANY) ;;
      *) options+=("$service" "url=$url,api-version=1,$(since_yesterday),operator=acme") ;;
    esac
  done
  cosigned signing-config create "${options[@]}" --out "$dir/signing_config$ending.json"
}

# trusted_root NAME FILE [OTHER]: $node_dir/NAME/FILE.json, whom a verifier believes; of OTHER's Fulcio where that is given.
trusted_root() {
  local dir=$node_dir/$1 file=$2 fulcio=$node_dir/${3:-$1} url
  url=$(cat "$dir/url")
  cosigned trusted-root create --fulcio "url=$url,certificate-chain=$fulcio/fulcio.pem" \
    --ctfe "url=$url/ct,public-key=$dir/ctlog.pub,$(since_yesterday)" \
    --rekor "url=$url,public-key=$dir/rekor.pub,$(since_yesterday)" \
    --tsa "url=$url,certificate-chain=$dir/tsa.pem" --out "$dir/$file.json"
}

# token E-MAIL ISSUER: what an identity provider would give whoever has shown to be that; nobody looks at its signature.
token() {
  local claims
  claims=$(printf '{"iss":"%s","sub":"1","aud":"sigstore","email":"%s","email_verified":true,"exp":4000000000}' "$2" "$1")
  printf '%s.%s.c2ln' "$(base64url '{"alg":"RS256","typ":"JWT"}')" "$(base64url "$claims")"
}
base64url() { printf %s "$1" | base64 --wrap=0 | tr +/ -_ | tr -d =; }

# cosign_keyless SERVICES[ENDING] E-MAIL ISSUER NAME BELOW-THE-REGISTRY: as that identity, by signing_configENDING.
cosign_keyless() {
  local services=${1%%-*} ending=''
  [[ $1 != *-* ]] || ending=-${1#*-}
  cosigned sign --signing-config "$node_dir/$services/signing_config$ending.json" \
    --trusted-root "$node_dir/$services/trusted_root.json" --identity-token "$(token "$2" "$3")" \
    --allow-http-registry -y "$registry/$5@$(image_digest "$4")"
}
