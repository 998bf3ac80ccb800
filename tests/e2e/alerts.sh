#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The alert rules in a real Prometheus that scrapes a real crivet: each finds its series and the labels that its texts name,
# none fires on a node that is well, and those that can be brought about fire for their reason.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
[[ -n $node_dir ]] || unpack_tuf
node_enter "$@"

rules=$root/systemd/observability/alerts.yaml
rules_now=$node_dir/alerts.yaml
crivet_trust_url=$fault_proxy_url

start_prometheus() {
  cat >"$node_dir/prometheus.yml" <<YML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$rules_now]
scrape_configs:
  - job_name: crivet
    static_configs: [{targets: ["127.0.0.1:9477"]}]
YML
  part_start prometheus prometheus --config.file="$node_dir/prometheus.yml" --storage.tsdb.path="$node_dir/prometheus" \
    --web.listen-address=127.0.0.1:9090 --log.level=warn
  part_ready prometheus listens 9090
}

# later SECONDS: so much later for crivet and for the rules; Prometheus itself keeps the true time.
later() {
  crivet_clock "$1"
  sed "s/time()/(time() + $1)/" "$rules" >"$rules_now"
  kill -HUP "$(part_pid prometheus)"
}

# alert NAME STATE [LABEL=VALUE]: Prometheus shows that alert so.
alert() {
  python3 - "$@" <<'PY'
import json, sys, urllib.request
name, state, *label = sys.argv[1:]
alerts = json.load(urllib.request.urlopen("http://127.0.0.1:9090/api/v1/alerts"))["data"]["alerts"]
found = [a for a in alerts if a["labels"]["alertname"] == name and a["state"] == state]
for one in label:
    key, value = one.split("=")
    found = [a for a in found if a["labels"].get(key) == value]
sys.exit(not found)
PY
}
becomes() { wait_until 20 "alert $*" alert "$@"; }

# Each rule is evaluated without an error; each selector in it, also every word that a pattern of it lists, finds series;
# without its comparison it gives the labels that its texts name.
rules_fit() {
  python3 - <<'PY'
import json, re, urllib.parse, urllib.request

def api(path, **arguments):
    url = f"http://127.0.0.1:9090/api/v1/{path}?" + urllib.parse.urlencode(arguments)
    return json.load(urllib.request.urlopen(url))["data"]

def series(query):
    return [one["metric"] for one in api("query", query=query)["result"]]

rules = [rule for group in api("rules")["groups"] for rule in group["rules"]]
assert len(rules) >= 14, len(rules)
for rule in rules:
    assert rule["health"] == "ok", rule
    for metric, labels in re.findall(r"(crivet_\w+)(\{[^}]*\})?", rule["query"]):
        exact = [labels]
        for pattern in re.findall(r'=~"([^"]*)"', labels):
            exact = [labels.replace(f'=~"{pattern}"', f'="{word}"') for word in pattern.split("|")]
        for each in exact:
            assert series(metric + each), f"{rule['name']}: no series {metric}{each}"
    bare = re.sub(r" (?:and|unless) .*|\s*[<>=]=?\s*[-\d* ]+$", "",
                  re.sub(r"\s*[<>=]=?\s*[-\d* ]+(?= (?:and|unless) )", "", rule["query"]))
    have = series(bare)
    assert have, f"{rule['name']}: {bare} gives nothing"
    used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    assert used and used <= set(have[0]) | {"instance"}, f"{rule['name']}: {used} of {have[0]}"
print(f"  {len(rules)} rules")
PY
}

# fires_in_time ALERT METRIC BEFORE: the alert that a time comes, for the series that this crivet has of that metric: none
# while more than BEFORE seconds are left, firing an hour or two after that. Nobody waits so long: promtool plays it.
fires_in_time() {
  python3 - "$@" "$rules" "$node_dir/fires.yaml" <<'PY'
import sys, urllib.request
alert, metric, before, rules, file = sys.argv[1:]
text = urllib.request.urlopen("http://127.0.0.1:9477/metrics").read().decode()
series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if line.startswith(metric + "{")]
assert len(series) == 1, series
firing = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
def at(minutes, samples):
    return f"      - {{expr: '{firing}', eval_time: {minutes}m, exp_samples: [{samples}]}}\n"
day = 24 * 60
open(file, "w").write(f"""rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series: [{{series: '{series[0]}', values: '{int(before) + 86400}x{2 * day}'}}]
    promql_expr_test:
""" + at(day - 1, "") + at(day + 30, "") + at(day + 120, "{labels: '{}', value: 1}"))
PY
  promtool test rules "$node_dir/fires.yaml" >"$node_dir/log/promtool.log" 2>&1 || fail "$1: $(cat "$node_dir/log/promtool.log")"
}
has_seen() {
  python3 -c "
import json, urllib.request
result = json.load(urllib.request.urlopen('http://127.0.0.1:9090/api/v1/query?query=count_over_time(crivet_build_info[1m])'))
raise SystemExit(not int(result['data']['result'][0]['value'][1]) >= $1)"
}

say "promtool accepts them"
promtool check rules "$rules" >"$node_dir/log/promtool.log" || fail "$(cat "$node_dir/log/promtool.log")"

start_registry
start_notary
start_fault_proxy
push_pause
make_image web /bin/echo hello
push_signed web shop/web 1.0
push_signed web shop/api 1.0
push web shop/web:unsigned
start_containerd
push web notation/web:1.0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$node_dir/ca.key" -out "$node_dir/ca.crt" \
  -days 40 -subj /C=CH/ST=ZH/O=Acme/CN=root >>"$node_dir/log/openssl.log" 2>&1
publish_tuf "$node_dir/roots" "trusted_root.json=$root/tests/data/sigstore/trust/trusted_root.json"
crivet_trust="refresh_interval = \"1s\"
[trust.cosign]
kind = \"sigstore\"
trusted_root = { tuf = \"roots\" }
registry_config = [\"$node_dir/mirrors\"]
[trust.roots]
kind = \"tuf\"
url = \"file://$node_dir/roots/metadata\"
root = { root_file = \"$node_dir/roots/metadata/1.root.json\" }
refresh_interval = \"1s\"
[trust.notation]
kind = \"notation\"
ca = [\"$node_dir/ca.crt\"]
registry_config = [\"$node_dir/mirrors\"]" write_crivet_config < <(echo "$metrics_section" && usual_rules && cat <<TOML
[[rule]]
images = ["$registry/notation/**"]
action = "verify"
trust = "notation"
identities = ["*"]
[[rule]]
images = ["$registry/keyless/**"]
action = "verify"
trust = "cosign"
identities = [{ issuer = "https://issuer.acme.example", subject = "alice@acme.example" }]
TOML
)
crivet_clock 0
start_crivet
expect_output hello "$registry/shop/web:1.0"
cp "$rules" "$rules_now"
start_prometheus
wait_until 20 "a few scrapes" has_seen 3

say "a node that is well raises none"
expect "alerts" '[]' "$(python3 -c "import json,urllib.request as u; print(json.load(u.urlopen('http://127.0.0.1:9090/api/v1/alerts'))['data']['alerts'])")"

say "refusals, by their reason"
expect_shown "SignatureValidationFailed: *, tag-not-signed]" pull "$registry/shop/web:unsigned"
expect_shown "SignatureValidationFailed: *, unsigned]" pull "$registry/notation/web:1.0"
becomes CrivetRefusesImages firing reason=tag-not-signed
becomes CrivetRefusesImages firing reason=unsigned

say "each finds what it asks for"
rules_fit

say "a certificate that ends in a month raises its alert before, and stays"
fires_in_time CrivetCertificateEnds crivet_trust_certificate_expiry_timestamp_seconds $((30 * one_day))

say "metadata that does not verify"
fault "altered targets"
expect_shown "*, hash]" pull "$registry/shop/api:1.0"
becomes CrivetRefreshDoesNotVerify firing outcome=hash

say "a server that is away, and metadata that comes to its end"
part_stop fault-proxy
expect_shown "RegistryUnavailable: *" pull "$registry/shop/elsewhere:1.0"
becomes CrivetCannotTell firing
later $((12 * one_day))
becomes CrivetMetadataExpiresSoon pending "gun=$registry/shop/web"
becomes CrivetCertificateEnds pending trust=notation
becomes CrivetTrustFileEndsSoon pending trust=cosign
becomes CrivetTrustFileEnded pending from=roots
if alert CrivetPublisherMustSign pending; then fail "years are left of what the publisher signed"; fi
later $((15 * one_day))
becomes CrivetMetadataExpired pending "gun=$registry/shop/web"
later $((3 * 365 * one_day - 5 * one_day))
becomes CrivetPublisherMustSign pending "gun=$registry/shop/web"

say "a runtime that is away"
later 0
part_stop containerd
if kubelet version 2>/dev/null; then fail "containerd is gone, and answers"; fi
becomes CrivetRuntimeDown pending
