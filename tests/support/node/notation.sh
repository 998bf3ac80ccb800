# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Signs and verifies as notation's users do: certificates by openssl, no service. Call `need_notation` before node_enter.

need_notation() {
  # Without root, node_enter skips the test.
  [[ -n $node_dir || $(id -u) != 0 ]] || unpack_apart notation
  PATH=$PATH:$parts_dir/notation/usr/bin
}

# An authority's folder is $node_dir/NAME: openssl's database, its certificate as ca.crt, and as chain.pem all that it hangs
# from, itself first.

# authority NAME SUBJECT [ISSUER]: the root of a chain, or what ISSUER has signed.
authority() {
  local name=$1 subject=$2 issuer=${3:-$1} dir=$node_dir/$1
  mkdir -p "$dir/new"
  : >"$dir/index.txt"
  echo 1000 >"$dir/serial"
  echo 1000 >"$dir/crlnumber"
  cat >"$dir/openssl.cnf" <<CNF
[ca]
default_ca = own
[own]
database = $dir/index.txt
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir/new
certificate = $dir/ca.crt
private_key = $dir/ca.key
default_md = sha256
default_crl_days = 30
default_days = 365
unique_subject = no
policy = any
[any]
countryName = supplied
stateOrProvinceName = supplied
organizationName = supplied
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
CNF
  certificate "$dir/ca" "$subject" "$issuer" authority
  { cat "$dir/ca.crt"; [[ $issuer == "$name" ]] || cat "$node_dir/$issuer/chain.pem"; } >"$dir/chain.pem"
}

# What `openssl req -newkey` makes; a key of 4096 bits takes seconds.
rsa_4096=(rsa:4096)
# shellcheck disable=SC2034  # for the scripts that source this
p_256=(ec -pkeyopt ec_paramgen_curve:prime256v1)
new_key=("${rsa_4096[@]}")

# certificate FILE SUBJECT ISSUER SECTION [END]: FILE.key and FILE.crt, valid until END, as date(1) reads it. An authority
# that issues its own is a root.
certificate() {
  local file=$1 subject=$2 dir=$node_dir/$3
  openssl req -new -newkey "${new_key[@]}" -nodes -keyout "$file.key" -out "$file.csr" -subj "$subject"
  local by=(-cert "$dir/ca.crt" -keyfile "$dir/ca.key")
  [[ $file != "$dir/ca" ]] || by=(-selfsign -keyfile "$file.key")
  [[ -z ${5:-} ]] || by+=(-enddate "$(date -u -d "$5" +%Y%m%d%H%M%SZ)")
  openssl ca -batch -notext -config "$dir/openssl.cnf" "${by[@]}" -extensions "$4" -in "$file.csr" -out "$file.crt"
} >>"$node_dir/log/openssl.log" 2>&1

# signer NAME SUBJECT ISSUER [END]: a key that `notation_image NAME` signs with.
signer() {
  local file=$node_dir/$1
  certificate "$file" "$2" "$3" signer "${4:-}"
  cat "$file.crt" "$node_dir/$3/chain.pem" >"$file.pem"
}

# revocation_list AUTHORITY FILE: as it is now.
revocation_list() {
  openssl ca -config "$node_dir/$1/openssl.cnf" -gencrl -out "$2" >>"$node_dir/log/openssl.log" 2>&1
}

revoke() { openssl ca -config "$node_dir/$1/openssl.cnf" -revoke "$node_dir/$2.crt" >>"$node_dir/log/openssl.log" 2>&1; }

# notation in a home of the test's own. `notation_keys NAME...` lists its signers there.
notation_here() { XDG_CONFIG_HOME=$node_dir/xdg XDG_CACHE_HOME=$node_dir/xdg notation "$@"; }
notation_keys() {
  local name keys=()
  mkdir -p "$node_dir/xdg/notation"
  for name in "$@"; do
    keys+=("{\"name\":\"$name\",\"keyPath\":\"$node_dir/$name.key\",\"certPath\":\"$node_dir/$name.pem\"}")
  done
  (IFS=,; echo "{\"keys\":[${keys[*]}]}") >"$node_dir/xdg/notation/signingkeys.json"
}

# notation_image SIGNER NAME BELOW-THE-REGISTRY [OPTION...]: signs the layout's digest.
notation_image() {
  local key=$1 name=$2 where=$3
  shift 3
  notation_here sign --insecure-registry --key "$key" "$@" "$registry/$where@$(image_digest "$name")" \
    >>"$node_dir/log/notation.log" 2>&1
}

# loose_signature BELOW-THE-REGISTRY DIGEST FOLDER ENDING: the envelope that the registry has of that image, and the image's
# manifest, each as a file by itself.
loose_signature() {
  python3 - "http://$registry/v2/$1" "$2" "$3/${2/:/-}" "$4" <<'PY'
import json, sys, urllib.request
base, digest, file, ending = sys.argv[1:]
accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
def get(path):
    return urllib.request.urlopen(urllib.request.Request(f"{base}/{path}", headers={"Accept": accept})).read()
index = json.loads(get("manifests/" + digest.replace(":", "-")))
layer = json.loads(get("manifests/" + index["manifests"][0]["digest"]))["layers"][0]
open(f"{file}.{ending}", "wb").write(get("blobs/" + layer["digest"]))
open(f"{file}.json", "wb").write(get("manifests/" + digest))
PY
}

# start_tsa NAME PORT: a timestamp authority, its root in $node_dir/NAME/tsa-root.crt; `notation_image ... "${timestamped[@]}"`
# asks it.
start_tsa() {
  part_start "$1" python3 "$root/tests/support/node/sigstore_services.py" "$node_dir/$1" "$2"
  part_ready "$1" listens "$2"
  # shellcheck disable=SC2034  # for the scripts that source this
  timestamped=(--timestamp-url "http://127.0.0.1:$2/timestamp" --timestamp-root-cert "$node_dir/$1/tsa-root.crt")
}

# notation_trusts CERTIFICATE IDENTITY [TSA BELOW-THE-REGISTRY]: what `notation verify` believes from now on; of that repository
# with timestamps of that authority alone.
notation_trusts() {
  rm -rf "$node_dir/xdg/notation/truststore"
  notation_here cert add --type ca --store acme "$1" >>"$node_dir/log/notation.log" 2>&1
  local believed="\"signatureVerification\": {\"level\": \"strict\"}, \"trustedIdentities\": [\"$2\"]" timed=
  if [[ -n ${3:-} ]]; then
    notation_here cert add --type tsa --store acme "$3" >>"$node_dir/log/notation.log" 2>&1
    timed=",{\"name\": \"timed\", \"registryScopes\": [\"$registry/$4\"], \"trustStores\": [\"ca:acme\", \"tsa:acme\"], $believed}"
  fi
  cat >"$node_dir/xdg/notation/trustpolicy.json" <<JSON
{"version": "1.0", "trustPolicies": [
 {"name": "all", "registryScopes": ["*"], "trustStores": ["ca:acme"], $believed}$timed]}
JSON
}

# notation_verifies IMAGE: whether notation does.
notation_verifies() { notation_here verify --insecure-registry "$1" >>"$node_dir/log/notation.log" 2>&1; }
