#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What people read about the configuration and the commands is what the program takes: crivet.toml(5) and the file that the
# package brings name every key of the parser and no other, and each command has a page with all its options.
#
#   manual_test.sh PROGRAM
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

crivet=$1
page=systemd/man/crivet.toml.5.scd
shipped=systemd/config.toml
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
bad=0

wrong() {
  echo "$*"
  bad=1
}
# same WHAT FILE FILE
same() { diff "$2" "$3" >"$folder/diff" || wrong "$1: $(cat "$folder/diff")"; }

# The page's keys, as SECTION.KEY: its heads, and the bold words before each explanation. `root` has keys of its own.
awk '
  /^# TOP LEVEL/ { section = "top"; next }
  /^# \[/ { section = $2; gsub(/[][]/, "", section); sub(/\.NAME/, "", section); next }
  /^# / { section = "" }
  section != "" && /^\*[a-z_]+\*/ {
    line = $0; sub(/ = .*/, "", line); gsub(/[*,]/, "", line)
    count = split(line, keys, " ")
    for (i = 1; i <= count; ++i) print section "." keys[i]
    root = section == "rule" && keys[1] == "root"
    next
  }
  root && /^\t/ {
    line = $0
    while (match(line, /\*[a-z_]+\*/)) {
      print "root." substr(line, RSTART + 1, RLENGTH - 2)
      line = substr(line, RSTART + RLENGTH)
    }
  }' "$page" | grep -vE '^root\.(upstream|mode)$' | sort -u >"$folder/page"
[[ $(wc -l <"$folder/page") -ge 45 ]] || wrong "only $(wc -l <"$folder/page") keys found in $page"

# The file's, with what is commented out.
uncomment() { sed -E 's/^# ?([a-z_]+ *= |\[)/\1/'; }
uncomment <"$shipped" | awk '
  /^\[/ { section = $1; gsub(/[][]/, "", section); sub(/\..*/, "", section); next }
  /^[a-z_]+ *=/ {
    print (section == "" ? "top" : section) "." $1
    if ($1 == "root") {
      line = $0; sub(/^[^{]*[{]/, "", line)
      while (match(line, /[a-z_]+ = /)) { print "root." substr(line, RSTART, RLENGTH - 3); line = substr(line, RSTART + RLENGTH) }
    }
  }' | sort -u >"$folder/shipped"
# What `root` can hold stands in the text around it, and [default] has one key and a rule's others.
grep -vE '^root\.|^default\.' "$folder/page" >"$folder/page-plain"
grep -vE '^root\.|^default\.' "$folder/shipped" >"$folder/shipped-plain"
same "$page (<) and $shipped (>) name different keys" "$folder/page-plain" "$folder/shipped-plain"
while read -r key; do
  grep -qw "$key" "$shipped" || wrong "$shipped does not name $key"
done < <(sed -n 's/^root\.//p' "$folder/page")

# Every plain word in the parser is a key of the page, a value that it quotes, or a name of a section.
grep -ohE '"[a-z][a-z_-]*"' proxy/config/config.cc proxy/config/config_rule.cc proxy/config/config_rules.cc proxy/config/config_servers.cc \
  trust/notary/read_demand.h trust/notary/read_demand.cc trust/tuf/read_grace.cc trust/tuf/read_gun.h trust/tuf/read_root_keys.cc trust/tuf1/read_demand.h trust/tuf1/read_demand.cc trust/sigstore/read_demand.h trust/sigstore/read_demand.cc \
  trust/notation/read_demand.cc trust/registry_bound/annotations.h trust/registry_bound/tag_time.h \
  trust/registry_bound/tag_time.cc |
  tr -d '"' | sort -u >"$folder/words"
[[ $(wc -l <"$folder/words") -ge 60 ]] || wrong "only $(wc -l <"$folder/words") words found in the parser"
sed 's/.*\.//' "$folder/page" | sort -u >"$folder/keys"
{
  cat "$folder/keys"
  grep -oE '"[a-z_-]+"' "$page" | tr -d '"'
  grep -oE '^# \[+[a-z]+' "$page" | tr -d '#[ '
  echo rules  # of a message
} | sort -u >"$folder/explained"
comm -23 "$folder/words" "$folder/explained" >"$folder/diff"
[[ ! -s $folder/diff ]] || wrong "$page does not explain: $(paste -sd ' ' "$folder/diff")"
comm -13 "$folder/words" "$folder/keys" >"$folder/diff"
[[ ! -s $folder/diff ]] || wrong "the parser does not know: $(paste -sd ' ' "$folder/diff")"

# The parser itself: no key of the file is unknown to it, once nothing is commented out any more.
uncomment <"$shipped" >"$folder/config.toml"
"$crivet" check --config "$folder/config.toml" >"$folder/out" 2>&1 || true
if grep -E 'unknown key|expected|duplicate' "$folder/out"; then wrong "$shipped has keys that crivet does not know"; fi
grep -q "$folder/config.toml" "$folder/out" || wrong "crivet said nothing of $shipped without comments"

# The schema of the configuration has the same keys, takes that file with and without its comments, and not everything.
schema=systemd/schema/config.json
schema_says() { tests/support/config_schema.py "$1" "$schema" "${@:2}" || bad=1; }
schema_says keys >"$folder/schema"
same "$page (<) and $schema (>) have different keys" "$folder/page" "$folder/schema"
schema_says fits "$shipped" "$folder/config.toml"
count=0
while read -r line; do
  count=$((count + 1))
  printf 'default = { action = "deny" }\n%s\n' "$line" >"$folder/wrong-$count.toml"
done <<'TOML'
mode = "off"
modus = "audit"
drain = "5 s"
log = { level = 3 }
trust.acme = { kind = "notary", uri = "https://notary.example" }
rule = [{ images = ["a/**"], action = "verify", root = {} }]
rule = [{ images = [], action = "allow" }]
rule = [{ images = ["a/**"], action = "verify", any_of = [{ trust = "acme" }] }]
TOML
schema_says wrong "$folder"/wrong-*.toml

# Commands.
"$crivet" --help | sed -n '/^Subcommands:/,/^$/p' | grep -oE '^  [a-z]+ ' | tr -d ' ' >"$folder/commands"
[[ $(wc -l <"$folder/commands") -ge 12 ]] || wrong "only $(wc -l <"$folder/commands") commands found"
while read -r command; do
  manual=systemd/man/crivet-$command.8.scd
  [[ -e $manual ]] || { wrong "no page for crivet $command" && continue; }
  grep -q "crivet-$command" systemd/man/crivet.8.scd || [[ $command == version ]] || wrong "crivet(8) does not name crivet $command"
  while read -r option; do
    grep -q -- "^\*$option\*" "$manual" || wrong "$manual does not explain $option"
  done < <("$crivet" "$command" --help | grep -oE -- '--[a-z-]+' | sort -u | grep -vxE -- '--(help|config)')
done <"$folder/commands"

exit $bad
