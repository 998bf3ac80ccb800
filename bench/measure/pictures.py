# SPDX-License-Identifier: Apache-2.0
"""The pictures in bench/results: crivet in its colour, everybody else in grey, each line with its name at its end."""

import math
import re
import shutil
import statistics
import subprocess

from . import contenders as who

# crivet's own, here and in systemd/observability/dashboard.json.
CRIVET_COLOUR, CRIVET_LIGHT = "#0f766e", "#5eaaa8"
GREY, DARK = "#9aa0a6", "#5f6368"

# width, colour, dashes, point
_STYLES = {
    who.CRIVET: (4, CRIVET_COLOUR, 1, 7), who.ROAD: (2.5, CRIVET_LIGHT, 1, 6),
    who.DIRECT: (1.5, DARK, 3, 0), who.RELAY: (1.5, DARK, 2, 0),
    who.HAPROXY: (1.5, GREY, 1, 4), who.NGINX: (1.5, GREY, 1, 8), who.GO: (1.5, GREY, 1, 12),
}
_HEAD = """set terminal svg size 800,500 font 'sans,13' background 'white'
set border 3 lc '#bdc1c6'
set tics nomirror textcolor '#5f6368'
set grid ytics lc '#e8eaed' dt 1
set logscale xy
unset key
"""
_LABEL_HEIGHT = 0.045  # of the plot


def _plot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True, timeout=60)


def spread(wanted, least):
    """Moves positions between 0 and 1 apart, as little as that takes, until each is `least` from the next."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = [wanted[index] for index in order]
    for _ in range(200):
        moved = False
        for below, above in zip(range(len(places)), range(1, len(places))):
            lacks = least - (places[above] - places[below])
            if lacks > 1e-9:
                places[below] -= lacks / 2
                places[above] += lacks / 2
                moved = True
        if not moved:
            break
    return dict(zip(order, places))


def _labels(named, low, high):
    """gnuplot's commands for names at the right ends of lines: (name, last value, colour)."""
    size = math.log(high / low)
    places = spread([math.log(value / low) / size for _, value, _ in named], _LABEL_HEIGHT)
    return "".join(f"set label '{name}' at graph 1.015, graph {places[index]:.4f} tc rgb '{colour}'\n"
                   for index, (name, _, colour) in enumerate(named))


def latency(records, names, path):
    """Latency by percentile."""
    parts = (("p10_us", 10), ("p25_us", 25), ("p50_us", 50), ("p75_us", 75), ("p90_us", 90),
             ("p95_us", 95), ("p99_us", 99), ("p999_us", 99.9), ("p9999_us", 99.99))
    blocks, lines, named, every = [], [], [], []
    # crivet is drawn last, over the others.
    for number, name in enumerate(sorted(names, key=lambda name: name in (who.ROAD, who.CRIVET))):
        width, colour, dashes, point = _STYLES[name]
        values = [statistics.median(one[key] for one in records if one["who"] == name) for key, _ in parts]
        rows = "\n".join(f"{1 / (1 - part / 100):g} {value:g}" for (_, part), value in zip(parts, values))
        blocks.append(f"$d{number} << EOD\n{rows}\nEOD")
        drawn = f"linespoints pt {point} ps 0.6" if point else "lines"
        lines.append(f"$d{number} with {drawn} lw {width} dt {dashes} lc rgb '{colour}'")
        shown = {who.CRIVET: "crivet", who.ROAD: "crivet, its road alone"}.get(name, name)
        named.append((shown, values[-1], CRIVET_COLOUR if name == who.CRIVET else colour if name == who.ROAD else DARK))
        every += values
    low, high = min(every) / 1.3, max(every) * 1.3
    ticks = ", ".join(f"'{part:g}' {1 / (1 - part / 100):g}" for _, part in parts if part not in (25, 95))
    _plot("\n".join(blocks) + f"""
{_HEAD}set output '{path}'
set title 'Latency of a 100-byte call, 8 in flight' tc rgb '#202124'
set rmargin 22
set yrange [{low:g}:{high:g}]
set xtics ({ticks})
set xlabel 'percentile' tc rgb '#5f6368'
set ylabel 'microseconds' tc rgb '#5f6368'
{_labels(named, low, high)}plot {', '.join(lines)}
""")


def of_tuf(page):
    """What a node that knows nothing waits for a name among 10 000 of a TUF repository, ms of CPU, by client."""
    if not page.exists():
        return {}
    row = re.search(r"^\| 10 000 names in one file \| cold \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", page.read_text(), re.M)
    return dict(zip(("python-tuf", "go-tuf", "crivet"), map(float, row.groups()))) if row else {}


def load(trust, node, tuf, path):
    """Time of a first load over the number of tags, and beside it what whole commands take for one of 10 000."""
    points = [(int(run["name"].split("/")[1]), run["real_time"]) for run in trust["load"]]
    rows = "\n".join(f"{tags} {time:g}" for tags, time in points)

    def of_node(what):
        return statistics.median(node[what]) if node and what in node else None

    commands = [("Notary v1: notary lookup", of_node("notary lookup, 10000 tags"), DARK),
                ("Notary v1: crivet verify", of_node("crivet verify, 10000 tags"), CRIVET_COLOUR),
                ("TUF: python-tuf", tuf.get("python-tuf"), DARK), ("TUF: go-tuf", tuf.get("go-tuf"), DARK),
                ("TUF: crivet verify", tuf.get("crivet"), CRIVET_COLOUR)]
    commands = [command for command in commands if command[1]]
    low, high, least, most = 0.5, 2000, 100, 1_000_000
    size = math.log(high / low)
    places = spread([math.log(value / low) / size for _, value, _ in commands], _LABEL_HEIGHT)
    # Left of the points: on the right is the line.
    at, beside = math.log(10_000 / (least * 0.97)) / math.log(most / (least * 0.97)), 0.025
    labels, marks = "", []
    for index, (name, value, colour) in enumerate(commands):
        exact = math.log(value / low) / size
        labels += (f"set label '{name}  {value:.0f} ms' at graph {at - beside:.4f}, graph {places[index]:.4f} right "
                   f"tc rgb '{colour}'\n"
                   f"set arrow from graph {at - beside + 0.005:.4f}, graph {places[index]:.4f} to graph {at - 0.006:.4f}, "
                   f"graph {exact:.4f} nohead lc rgb '{colour}' lw 0.8\n")
        marks.append(f"'+' using (10000):({value:g}) every ::0::0 with points pt {7 if colour == CRIVET_COLOUR else 6} "
                     f"ps 0.9 lc rgb '{colour}'")
    last = points[-1]
    ends = _labels([("crivet, in the daemon", last[1], CRIVET_COLOUR), ("goal", last[0] * 5 / 10000, DARK)], low, high)
    _plot(f"""$load << EOD
{rows}
EOD
{_HEAD}set output '{path}'
set title 'First verified load of a repository; circles: a whole command that asks for one of 10 000 tags' tc rgb '#202124'
set rmargin 21
set format x '%.0f'
set xtics ('100' 100, '1 000' 1000, '10 000' 10000, '100 000' 100000, '1 000 000' 1000000)
set xrange [{least * 0.97:g}:{most}]
set yrange [{low:g}:{high:g}]
set xlabel 'tags' tc rgb '#5f6368'
set ylabel 'milliseconds' tc rgb '#5f6368'
{ends}{labels}plot x * 5 / 10000 with lines lw 1.2 dt 2 lc rgb '{DARK}', $load with linespoints lw 4 pt 7 ps 0.7 lc rgb '{CRIVET_COLOUR}'{''.join(', ' + mark for mark in marks)}
""")


def draw(found, names_of, folder):
    """Without gnuplot the pictures stay as they are."""
    if not shutil.which("gnuplot"):
        who.say("no gnuplot: the pictures are not drawn")
        return
    if found.get("road"):
        records = [one for one in found["road"]["calls"] if one["case"] == "100 B, 8 in flight"]
        latency(records, names_of(records), folder / "latency.svg")
    if found.get("trust"):
        load(found["trust"], found.get("node"), of_tuf(folder / "tuf.md"), folder / "load.svg")
