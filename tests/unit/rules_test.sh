#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is cited is there: every anchor PAGE.md#heading in sources, scripts and pages leads to a heading, and every relative
# link of a page to a file. Nothing cites a page that is not in the repository, or names a
# test that is not. Pages are 120 columns wide at most.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bad=0
wrong() {
  echo "$*"
  bad=1
}

files() { git ls-files --cached --others --exclude-standard 2>/dev/null || find . -type f -not -path './build*' -not -path ./.git -not -path './.git/*' -printf '%P\n'; }

# headings PAGE: the anchors that its headings make, as the usual viewers of Markdown do.
headings() {
  sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^-a-z0-9_ ]//g; s/ /-/g'
}

count=0
while IFS=: read -r file citation; do
  page=${citation%%#*} anchor=${citation#*#}
  count=$((count + 1))
  if [[ ! -e $page ]]; then
    wrong "$file: $citation: there is no such page"
  elif ! headings "$page" | grep -qxF -- "$anchor"; then
    wrong "$file: $citation: that page has no such heading"
  fi
done < <(files | grep -E '\.(cc|h|sh|py|proto|txt|toml|scd|cmake)$|CMakeLists.txt$' |
  xargs grep -oE '(trust|proxy|bench|systemd|tests)[-a-z_/]*/[A-Z]+\.md#[-a-z0-9_]+' /dev/null)
[[ $count -ge 80 ]] || wrong "only $count citations found"

while IFS=: read -r file link; do
  target=${link#](}
  target=${target%)}
  case $target in http*|mailto:*|'#'*) continue ;; esac
  path=$(dirname "$file")/${target%%#*}
  if [[ ! -e $path ]]; then
    wrong "$file: $target: there is no such file"
  elif [[ $target == *'#'* ]] && ! headings "$path" | grep -qxF -- "${target#*#}"; then
    wrong "$file: $target: that page has no such heading"
  fi
done < <(files | grep -E '\.md$' | xargs grep -oE '\]\([^) ]+\)' /dev/null)

# Each alert leads to what it asks of people, and each panel of the dashboard says what it shows.
alerts=0
while read -r name; do
  alerts=$((alerts + 1))
  grep -qF "/operations.md#${name,,}\"" systemd/observability/alerts.yaml || wrong "alerts.yaml: $name has no runbook_url"
  headings systemd/README.md | grep -qxF "${name,,}" || wrong "systemd/README.md: no heading $name"
done < <(sed -n 's/^ *- alert: //p' systemd/observability/alerts.yaml)
[[ $alerts -ge 14 ]] || wrong "only $alerts alerts found"
python3 -c '
import json
panels = json.load(open("systemd/observability/dashboard.json"))["panels"]
bare = [p["title"] for p in panels if not p.get("description")]
# Its colours are crivet'"'"'s own, not those that Grafana deals out.
dealt = [p["title"] for p in panels if p["fieldConfig"]["defaults"]["color"]["mode"] not in ("thresholds", "shades")]
raise SystemExit(f"dashboard.json: panels without a description: {bare}, without a colour: {dealt}" if bare or dealt else 0)' ||
  bad=1

# A source that one of these pages names with its folder is there.
for page in proxy/README.md CONTRIBUTING.md; do
  while read -r source; do
    [[ -e $source || -e $(dirname "$page")/$source ]] || wrong "$page: $source: there is no such file"
  done < <(tr "\140" "\n" <"$page" | grep -xE "[a-z_0-9]+(/[a-z_0-9]+)+\.(cc|h|py|sh|txt|proto|toml)")
done

# Each test that a page names, as tables of attacks do, is there.
mapfile -t pages < <(files | grep -E '\.md$')
python3 - "${pages[@]}" <<'CHECK' || bad=1
import pathlib, re, sys
there, named, gone = set(), 0, []
for source in pathlib.Path("tests").rglob("*.cc"):
    there.update(re.findall(r"_TEST_CASE\(\s*(\w+)", source.read_text(encoding="utf-8")))
for page in sys.argv[1:]:
    text = pathlib.Path(page).read_text(encoding="utf-8")
    for name in sorted(set(re.findall(r"\b[A-Z][A-Z0-9]*[a-z][A-Za-z0-9]*(?:_[A-Z0-9][A-Za-z0-9]*)+\b", text))):
        named += 1
        if name not in there:
            gone.append(f"{page}: {name}: there is no such test")
if gone:
    print("\n".join(gone))
raise SystemExit(f"only {named} names of tests found" if named < 120 else bool(gone))
CHECK

# Every source says under which licence it is.
sources=0
while read -r source; do
  sources=$((sources + 1))
  head -n 3 "$source" | grep -qE '^(//|#) SPDX-License-Identifier: Apache-2\.0$' || wrong "$source: no SPDX line"
done < <(files | grep -vE '^tests/(data|fuzz/corpus)/' | while read -r file; do
  [[ -f $file ]] || continue
  case $file in
    *.cc | *.h | *.py | *.sh | *.proto | *.go | *.cmake | *CMakeLists.txt) echo "$file" ;;
    *) [[ $(head -c 2 "$file" | tr -d '\0') != '#!' ]] || echo "$file" ;;
  esac
done)
[[ $sources -ge 500 ]] || wrong "only $sources sources found"

# Pages that once lay beside the repository.
if files | grep -E '\.(cc|h|sh|py|proto|txt|toml|scd|md)$' | grep -vx tests/unit/rules_test.sh |
  xargs grep -nE '\b(DESIGN|NOTARY|FORWARDER|HOUSE|GATE|KINDS|NODE|LAYOUT|MODELS|SIGSTORE)(\.md)?,? [0-9A-H]([.,; )]|$)' /dev/null; then
  wrong "these cite a page that is not in the repository"
fi

# What people copy, a row of a table and a single word stay whole.
wide() {
  python3 -c '
import sys
for page in sys.argv[1:]:
    copied = False
    for number, line in enumerate(open(page, encoding="utf-8"), 1):
        line = line.strip("\n")
        copied ^= line.lstrip().startswith("```")
        if len(line) > 120 and not copied and not line.lstrip().startswith("|") and " " in line.strip():
            print(f"{page}:{number}: {len(line)} columns")' "$@"
}
mapfile -t pages < <(files | grep -E '\.md$')
[[ ${#pages[@]} -ge 15 ]] || wrong "only ${#pages[@]} pages found"
too_wide=$(wide "${pages[@]}")
[[ -z $too_wide ]] || wrong "wider than 120 columns: $too_wide"
exit $bad
