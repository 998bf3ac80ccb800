#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page and the picture of bench/fleet: fleet.py LINES NODES. Prints the table where there are fewer than 10000."""

import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from measure import pictures  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
MARKS = "<!-- figures: written by bench/fleet -->", "<!-- end of figures -->"
SERVERS = {"notary": "Notary", "tuf": "TUF 1.0", "registry": "registry"}


def per_thousand(line, key):
    return 1000 * line[key] / line["nodes"]


def find(lines, **wanted):
    for line in lines:
        if all(line[key] == value for key, value in wanted.items()):
            return line
    return None


def average_in_use(lines, server):
    busy = (find(lines, server=server, scenario="busy", interval=300)
            or find(lines, server=server, scenario="outage", stretch="before", phases="own"))
    return per_thousand(busy, "average") if busy else 1000 / (600 if server == "registry" else 285)


def number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def row(lines, line):
    peak = per_thousand(line, "peak_of_ten")
    interval = f", every {line['interval'] // 60} min" if line["scenario"] == "busy" and line["server"] != "registry" else ""
    pulls = line["allowed"] + line["refused"]
    return [SERVERS[line["server"]], line["scenario"] + interval + (", one phase" if line["phases"] == "one" else ""),
            line["stretch"], f"{line['nodes']:,}".replace(",", " "), number(per_thousand(line, "average")), number(peak),
            number(per_thousand(line, "peak")), f"{peak / average_in_use(lines, line['server']):.1f}",
            str(line["failed"]) if line["failed"] else "", f"{line['refused']} of {pulls}" if pulls else "",
            str(line["expired"]) if line["expired"] and "before" not in line["stretch"] else ""]


def table(lines):
    head = ["server", "state", "stretch", "nodes", "average", "peak, 10 s", "peak, 1 s", "peak / in use", "no answer",
            "pulls refused, so far", "expired at its end"]
    rows = [head, ["---"] * len(head)] + [row(lines, line) for line in lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def goals(lines):
    found = [["goal", "wanted", *SERVERS.values()], ["---"] * (2 + len(SERVERS))]

    def cells(name, wanted, value, met):
        values = [value(server) for server in SERVERS]
        found.append([name, wanted] + ["" if one is None else number(one) + ("" if met(one) else " **no**")
                                       for one in values])

    def idle(server):
        line = find(lines, server=server, scenario="idle")
        return line and per_thousand(line, "average")

    def ratio(stretch, **wanted):
        def of(server):
            line = find(lines, server=server, stretch=stretch, phases="own", **wanted)
            return line and per_thousand(line, "peak_of_ten") / average_in_use(lines, server)
        return of

    cells("idle, requests a second per 1 000 nodes", "< 1", idle, lambda one: one < 1)
    cells("peak after an outage of an hour, of the average in use", "< 5",
          ratio("after its end", scenario="outage"), lambda one: one < 5)
    cells("peak when all start at once, of the average in use", "",
          ratio("the first ten minutes", scenario="together"), lambda one: True)
    cells("peak after one expiry, in use, of the average in use", "",
          ratio("five minutes after", scenario="expiry in use"), lambda one: True)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in found)


def series(line):
    """(minute, requests a second per 1 000 nodes) where each ten seconds begin, and where the last ones end, which may be fewer."""
    points = []
    for index, count in enumerate(line["by_ten"]):
        seconds = min(10, line["seconds"] - 10 * index)
        points.append((index / 6, max(count * 1000 / line["nodes"] / seconds, 0.01)))
    return [*points, (line["seconds"] / 60, points[-1][1])]


def draw(lines, file):
    if not shutil.which("gnuplot"):
        print("no gnuplot: the picture is not drawn", file=sys.stderr)
        return
    panels = []
    for title, stretch, scenario in (("After an outage of an hour", "after its end", "outage"),
                                     ("After one expiry, in use", "five minutes after", "expiry in use")):
        found = {name: find(lines, server="notary", stretch=stretch, scenario=scenario, phases=phases)
                 for phases, name in (("one", "without phases"), ("own", "crivet"))}
        curves = {name: series(line) for name, line in found.items() if line}
        if curves:
            panels.append((title, curves))
    if panels:
        pictures.fleet(panels, average_in_use(lines, "notary"), file)


def main(lines_file, nodes):
    lines = [json.loads(line) for line in pathlib.Path(lines_file).read_text(encoding="utf-8").splitlines()]
    if int(nodes) < 10000:
        print(goals(lines) + "\n\n" + table(lines))
        return
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False).stdout.strip()
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes")
    took = sum(line["machine_seconds"] for line in lines)
    said = (f"Commit {commit}, {now}; {os.cpu_count()} CPUs, load before {os.environ.get('load_before', 'unknown')}; the "
            f"stretches took {took / 60:.0f} minutes.")
    page = RESULTS / "fleet.md"
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    page.write_text(f"{before}{MARKS[0]}\n\n{said}\n\n{goals(lines)}\n\n{table(lines)}\n\n{MARKS[1]}{after}",
                    encoding="utf-8")
    draw(lines, RESULTS / "fleet.svg")


if __name__ == "__main__":
    main(*sys.argv[1:])
