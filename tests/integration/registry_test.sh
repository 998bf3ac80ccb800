#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# crivet and the real containerd find their way to an image by the same hosts.toml files: what each registry was asked is
# compared, request by request. Then what no containerd does: referrers, their fallback, and where nobody may be sent.
set -euo pipefail

# 1.6 goes its own ways to a registry on loopback.
[[ ${CRIVET_CONTAINERD:-1.6} != 1.6 ]] || export CRIVET_CONTAINERD=1.7
# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

certs=$node_dir/mirrors
probed=$certs  # what crivet's part of a comparison reads
log=$node_dir/log/requests
# A host that is not on this machine, as far as addresses can tell.
ip address add 203.0.113.7/32 dev lo
printf '127.0.0.1 localhost registry.acme.example\n203.0.113.7 public.acme.example\n' >/etc/hosts
make_certificates
(
  cd "$node_dir/tls"
  openssl req -x509 -CA ca.crt -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout reg.key \
    -out reg.crt -days 9 -subj /CN=reg -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth \
    -addext subjectAltName=DNS:registry.acme.example,DNS:public.acme.example,DNS:localhost,IP:127.0.0.1
) 2>>"$node_dir/log/tls.log"
tls=tls=$node_dir/tls/reg.crt:$node_dir/tls/reg.key

part_start registries python3 "$root/tests/support/node/image_registry.py" "$log" \
  made_up@127.0.0.1:80 made_up@127.0.0.1:5001 none@127.0.0.1:5002 down@127.0.0.1:5003 "made_up@127.0.0.1:443,$tls" \
  "made_up@127.0.0.1:5005,$tls,client=$node_dir/tls/ca.crt" full@127.0.0.1:5010 old@127.0.0.1:5011 \
  stripped@127.0.0.1:5012 cache@127.0.0.1:5013 busy@127.0.0.1:5014 \
  "sends:https://169.254.169.254/latest@203.0.113.7:5020,$tls" "sends:https://localhost/v2/@203.0.113.7:5021,$tls" \
  "sends:https://registry.acme.example/v2/@203.0.113.7:5023,$tls" \
  "sends:http://public.acme.example/@203.0.113.7:5022,$tls"
part_ready registries listens 5014
start_containerd
rm -r "$certs/_default"

# asked FILE: which host was asked for manifests, how, in what order; up to the first that answered a digest.
asked() {
  python3 - "$1" <<'PY'
import json, sys
for line in open(sys.argv[1]):
    one = json.loads(line)
    if "/manifests/" not in one["target"]:
        continue
    headers = one["headers"]
    print(one["port"], one["method"], one["target"], "x-key=" + headers.get("x-key", ""),
          "accept=" + headers["accept"] if one["method"] == "HEAD" else "")
    if one["method"] == "GET" and one["port"] not in (5002, 5003):
        break
PY
}

# hosts FOLDER: stdin is the one hosts.toml that there is; none where it is empty.
hosts() {
  rm -rf "${certs:?}"/*
  mkdir -p "$certs/$1"
  cat >"$certs/$1/hosts.toml"
  [[ -s $certs/$1/hosts.toml ]] || rm -r "${certs:?}/$1"
}

# both IMAGE: what containerd, and then crivet, asks for it.
both() {
  : >"$log"
  kubelet_to "$containerd_sock" pull "$1" >>"$node_dir/log/pulls" 2>&1 || true
  asked "$log" >"$node_dir/containerd.asked"
  : >"$log"
  registry_probe "$probed" "$1" >>"$node_dir/log/probe" 2>&1 || true
  asked "$log" >"$node_dir/crivet.asked"
}

# alike NAME REPOSITORY: with the files that are there.
alike() {
  both "$2:$1"
  [[ -s $node_dir/containerd.asked ]] || fail "$1: containerd asked nobody"
  diff -u "$node_dir/containerd.asked" "$node_dir/crivet.asked" >&2 || fail "$1: crivet asks otherwise than containerd"
  say "  $1: $(wc -l <"$node_dir/crivet.asked") requests alike"
}

# same NAME REPOSITORY [FOLDER]: stdin is hosts.toml for the image's registry, or for FOLDER.
same() {
  hosts "${3:-${2%%/*}}"
  alike "$1" "$2"
}

# differs NAME REPOSITORY CONTAINERD CRIVET: the table of differences says why; CONTAINERD and CRIVET are the ports that each asks.
differs() {
  grep -q "^| \`$1\` " "$root/trust/io/registry/CONTAINERD.md" || fail "$1: no row in CONTAINERD.md"
  both "$2:$1"
  expect "$1: containerd's ports" "$3" "$(cut -d ' ' -f 1 "$node_dir/containerd.asked" | uniq | xargs)"
  expect "$1: crivet's ports" "$4" "$(cut -d ' ' -f 1 "$node_dir/crivet.asked" | uniq | xargs)"
  say "  $1: differs, as the table says"
}
image=registry.acme.example/shop/web
plain() { printf '[host."http://127.0.0.1:%s"]\n' "$@"; }
upstream='server = "http://registry.acme.example"'

say "the same hosts.toml, containerd $containerd_version and crivet"
same order "$image" <<<"$upstream
$(plain 5002 5003 5001)"
same falls_through "$image" <<<"$upstream
$(plain 5002)"
same pulls_only "$image" <<<"$upstream
$(plain 5001)
capabilities = [\"pull\"]"
same resolves_only "$image" <<<"$upstream
$(plain 5001)
capabilities = [\"resolve\"]"
same path "$image" <<<"$upstream
[host.\"http://127.0.0.1:5001/sub/path\"]"
same own_v2 "$image" <<<"$upstream
[host.\"http://127.0.0.1:5001/sub/v2\"]
override_path = true"
same header "$image" <<<"$upstream
$(plain 5002)
header = { x-key = \"one\" }
$(plain 5001)
[host.\"http://127.0.0.1:5001\".header]
x-key = \"two\""
same other_server "$image" <<<"server = \"http://127.0.0.1:5001\"
$(plain 5002)"
same authority "$image" <<<"$upstream
[host.\"https://localhost\"]
ca = \"$node_dir/tls/ca.crt\""
same client "$image" <<<"$upstream
[host.\"https://127.0.0.1:5005\"]
ca = [\"$node_dir/tls/ca.crt\"]
client = [[\"$node_dir/tls/reg.crt\", \"$node_dir/tls/reg.key\"]]"
same any_peer "$image" <<<"$upstream
[host.\"https://localhost\"]
skip_verify = true"
same no_server "$image" <<<"ca = \"$node_dir/tls/ca.crt\"
$(plain 5002)"
same default "$image" _default <<<"$upstream
$(plain 5002)"
same port "registry.acme.example:5001/shop/web" registry.acme.example_5001_ <<<"server = \"http://registry.acme.example:5001\"
$(plain 5002)"
same docker_io docker.io/library/web docker.io <<<"server = \"http://127.0.0.1:5001\""$'\n'"$(plain 5002)"

same plain_with_tls "$image" <<<"$upstream
$(plain 5001)
skip_verify = true"
same loopback 127.0.0.1:5001/shop/web </dev/null
same loopback_tls localhost/shop/web </dev/null
same header_list "$image" <<<"$upstream
$(plain 5001)
[host.\"http://127.0.0.1:5001\".header]
x-key = [\"one\", \"two\"]"
same no_pull "$image" <<<"$upstream
$(plain 5001)
capabilities = [\"push\"]"
same no_capabilities "$image" <<<"$upstream
$(plain 5002)
capabilities = []"
same server_path "$image" <<<"server = \"http://127.0.0.1:5001/sub\"
$(plain 5002)"
same server_options "$image" <<<"server = \"http://127.0.0.1:5001/sub/v2\"
override_path = true
$(plain 5002)
[header]
x-key = \"top\""
same port_folder "registry.acme.example:5001/shop/web" registry.acme.example:5001 <<<"server = \"http://registry.acme.example:5001\"
$(plain 5002)"
same unknown_keys "$image" <<<"$upstream
colour = \"red\"
$(plain 5001)
dial_timeout = \"2s\"
shape = 3"

hosts registry.acme.example <<<"$upstream
[host.\"https://localhost\"]
ca = [\"ca.crt\", \"$node_dir/tls/ca.crt\"]"
cp "$node_dir/tls/ca.crt" "$certs/registry.acme.example/"
alike relative_authority "$image"
hosts registry.acme.example <<<"$upstream
[host.\"https://127.0.0.1:5005\"]
ca = \"$node_dir/tls/ca.crt\"
client = \"both.pem\""
cat "$node_dir/tls/reg.crt" "$node_dir/tls/reg.key" >"$certs/registry.acme.example/both.pem"
alike client_of_one_file "$image"
hosts registry.acme.example:5005 </dev/null
mkdir "$certs/registry.acme.example:5005"
cp "$node_dir/tls/ca.crt" "$certs/registry.acme.example:5005/acme.crt"
cp "$node_dir/tls/reg.crt" "$certs/registry.acme.example:5005/acme.cert"
cp "$node_dir/tls/reg.key" "$certs/registry.acme.example:5005/acme.key"
alike dockers_certificates registry.acme.example:5005/shop/web

say "where crivet goes its own way, or containerd's versions do"
hosts registry.acme.example <<<"$upstream"
if [[ $containerd_version == 2.* ]]; then
  alike server_only "$image"
else
  differs server_only "$image" "" 80
fi
hosts 127.0.0.1:5001 <<<"server ="
differs broken_file 127.0.0.1:5001/shop/web 5001 ""
hosts 127.0.0.1:5001 <<<"$(plain 5002)
ca = \"gone.crt\""
differs broken_host 127.0.0.1:5001/shop/web "" 5001
hosts registry.acme.example <<<"$upstream
$(plain 5001)"
part_stop containerd
sed -i "s,config_path = \"$certs\",config_path = \"$node_dir/no-such-folder:$certs\"," "$node_dir/containerd.toml"
part_start containerd containerd --config "$node_dir/containerd.toml"
part_ready containerd kubelet_client --endpoint "$containerd_sock" status --ready
probed=$node_dir/no-such-folder:$certs
if [[ $containerd_version == 2.* ]]; then
  differs folders "$image" "" 5001
else
  alike folders "$image"
fi
probed=$certs

say "referrers and their fallback"
python3 - <<'PY'
import hashlib, json, urllib.request
def put(port, which, manifest):
    body = json.dumps(manifest).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v2/shop/app/manifests/{which or 'sha256:' + hashlib.sha256(body).hexdigest()}",
                                     body, {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}, method="PUT")
    urllib.request.urlopen(request)
    return "sha256:" + hashlib.sha256(body).hexdigest()
image = put(5010, "1.0", {"schemaVersion": 2, "config": {"mediaType": "c"}, "layers": []})
for n in range(5):
    put(5010, "", {"schemaVersion": 2, "config": {"mediaType": "c"}, "layers": [], "annotations": {"n": str(n)}, "subject": {"digest": image}})
put(5010, image.replace(":", "-"), {"schemaVersion": 2, "manifests": []})
PY
# said HOST...: what the probe says with these hosts, the last of them upstream.
said() {
  local host last=${*: -1}
  rm -rf "${certs:?}"/*
  mkdir -p "$certs/registry.acme.example"
  {
    [[ $last == http:* ]] || echo "ca = \"$node_dir/tls/ca.crt\""
    echo "server = \"$last\""
    for host in "${@:1:$#-1}"; do printf '[host."%s"]\n' "$host"; done
  } >"$certs/registry.acme.example/hosts.toml"
  registry_probe "$certs" registry.acme.example/shop/app:1.0 || true
}
at() { echo "http://127.0.0.1:$1"; }
expect "pages of referrers" 3 "$(said "$(at 5010)" | grep -c '^referrers: 127.0.0.1:5010 application/vnd.oci.image.index')"
expect_like "the fallback tag" '*fallback tag: 127.0.0.1:5010 *, the last*' "$(said "$(at 5010)")"
expect_like "no API" '*referrers: none *status 404*fallback tag: 127.0.0.1:5011 *' "$(said "$(at 5011)")"
expect_like "a mirror that strips signatures" '*referrers: 127.0.0.1:5010 *fallback tag: 127.0.0.1:5010 *' "$(said "$(at 5012)" "$(at 5010)")"
expect_like "a cache is not the last word" '*referrers: 127.0.0.1:5013 *-* bytes*' "$(said "$(at 5013)" "$(at 5010)")"
expect_like "too many requests" '*failed *status 429, too many requests; it asks for a pause of 120 s*' "$(said "$(at 5014)")"

say "nobody is sent to this machine, nor to what is near it"
public=https://public.acme.example
expect_like "a cloud's credentials" '*169.254.169.254 is where the registry sends on to, which is not followed*' "$(said $public:5020)"
expect_like "this machine, by its name" '*localhost is where the registry sends on to, which is not followed*' "$(said $public:5021)"
expect_like "this machine, by another name" '*registry.acme.example is where the registry sends on to, which is not followed: its address may not*' "$(said $public:5023)"
expect_like "plain http" '*is where the registry sends on to, which is not followed: it is plain http*' "$(said $public:5022)"

say "docker-registry, with tags and the fallback tag alone"
rm -rf "${certs:?}"/*
registry_yml 127.0.0.1:5030 >"$node_dir/registry.yml"
part_start registry docker-registry serve "$node_dir/registry.yml"
part_ready registry listens 5030
make_image web /bin/echo hello
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$node_dir/oci/web" docker://127.0.0.1:5030/shop/web:1.0
digest=$(image_digest web)
expect_like "an unsigned image" "*tag: 127.0.0.1:5030 *$digest*manifest: *$digest*referrers: none*fallback tag: none*signature tag: none*" \
  "$(registry_probe "$certs" 127.0.0.1:5030/shop/web:1.0)"
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$node_dir/oci/web" "docker://127.0.0.1:5030/shop/web:${digest/:/-}.sig"
expect_like "its signature's tag" "*signature tag: 127.0.0.1:5030 *$digest*, the last*" "$(registry_probe "$certs" 127.0.0.1:5030/shop/web:1.0)"
say "passed"
