# SPDX-License-Identifier: Apache-2.0
"""The pictures in bench/results: crivet in its colour, everybody else in grey, each line with its name at its end."""

import math
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
    """gnuplot's commands for names right of the lines' ends, a thin stroke from each to its own: (name, last value, colour)."""
    size = math.log(high / low)
    ends = [math.log(value / low) / size for _, value, _ in named]
    places = spread(ends, _LABEL_HEIGHT)
    return "".join(f"set label '{name}' at graph 1.05, graph {places[index]:.4f} tc rgb '{colour}'\n"
                   f"set arrow from graph 1.01, graph {ends[index]:.4f} to graph 1.045, graph {places[index]:.4f} nohead "
                   f"lc rgb '{colour}' lw 0.7\n"
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
set rmargin 25
set yrange [{low:g}:{high:g}]
set xtics ({ticks})
set xlabel 'percentile' tc rgb '#5f6368'
set ylabel 'microseconds' tc rgb '#5f6368'
{_labels(named, low, high)}plot {', '.join(lines)}
""")


def _shown(ms):
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms:.0f} ms"


def loads(kinds, path):
    """Time over tags, a panel a kind: {kind: {contender: [(tags, ms)]}}; crivet's lines are called crivet and something."""
    points = [point for lines in kinds.values() for line in lines.values() for point in line]
    least, most = min(tags for tags, _ in points), max(tags for tags, _ in points)
    low, high = min(ms for _, ms in points) / 1.5, max(ms for _, ms in points) * 2
    blocks, panels = [], []
    for kind, lines in kinds.items():
        # The command, which does what the peers do, in front of everybody.
        styles = {name: (1.5, GREY, DARK, 4 + 4 * index) for index, name in enumerate(lines)}
        styles |= {"crivet daemon": (2.5, CRIVET_LIGHT, CRIVET_LIGHT, 6),
                   "crivet verify": (4, CRIVET_COLOUR, CRIVET_COLOUR, 7)}
        drawn, named, inside = [], [], ""
        for name, line in sorted(lines.items(), key=lambda one: list(styles).index(one[0])):
            width, colour, words, point = styles[name]
            blocks.append(f"$d{len(blocks)} << EOD\n" + "\n".join(f"{tags} {ms:g}" for tags, ms in line) + "\nEOD")
            drawn.append(f"$d{len(blocks) - 1} with linespoints lw {width} pt {point} ps 0.6 lc rgb '{colour}'")
            tags, ms = line[-1]
            if tags == most:
                named.append((f"{name}  {_shown(ms)}", ms, words))
            else:
                inside += f"set label '{name}  {_shown(ms)}' at {tags}, {ms * 1.6:g} right tc rgb '{words}'\n"
        panels.append(f"set title '{kind}' tc rgb '#202124'\n{inside}{_labels(named, low, high)}"
                      f"plot {', '.join(drawn)}\nunset label\nunset arrow\n")
    _plot("\n".join(blocks) + f"""
{_HEAD}set terminal svg size 1000,470 font 'sans,12' background 'white'
set output '{path}'
set multiplot layout 1,{len(panels)} title 'A repository loaded, verified and asked for one tag: CPU time' tc rgb '#202124'
set lmargin 8
set rmargin 22
set xtics ('100' 100, '1 000' 1000, '10 000' 10000, '100 000' 100000)
set xrange [{least * 0.97:g}:{most}]
set yrange [{low:g}:{high:g}]
set ytics ('1 ms' 1, '10 ms' 10, '100 ms' 100, '1 s' 1000)
set xlabel 'tags' tc rgb '#5f6368'
""" + "".join(panels) + "unset multiplot\n")


def fleet(panels, average, path):
    """Requests a second over minutes: [(title, {who: [(minute, requests)]})], crivet's nodes and those without phases."""
    low, high = 0.05, 500
    blocks, drawn_panels = [], []
    for title, curves in panels:
        named, inside = [("average in use", average, DARK)], ""
        drawn = []
        for name, curve in sorted(curves.items(), key=lambda one: one[0] == who.CRIVET):
            width, colour = (2.5, CRIVET_COLOUR) if name == who.CRIVET else (1.5, GREY)
            blocks.append(f"$d{len(blocks)} << EOD\n" + "\n".join(f"{minute:g} {requests:g}" for minute, requests in curve)
                          + "\nEOD")
            drawn.append(f"$d{len(blocks) - 1} with steps lw {width} lc rgb '{colour}'")
            if name == who.CRIVET:
                named.append((name, curve[-1][1], CRIVET_COLOUR))
            else:
                # It ends at nothing; its peaks are what it is about.
                minute, most = max(curve, key=lambda point: point[1])
                inside = f"set label '{name}' at {minute:g}, {most * 1.7:g} center tc rgb '{DARK}'\n"
        drawn.append(f"{average:g} with lines lw 1.2 dt 2 lc rgb '{DARK}'")
        last = max(curve[-1][0] for curve in curves.values())
        drawn_panels.append(f"set title '{title}' tc rgb '#202124'\nset xrange [0:{last:g}]\n{inside}"
                            f"{_labels(named, low, high)}plot {', '.join(drawn)}\nunset label\nunset arrow\n")
    _plot("\n".join(blocks) + f"""
{_HEAD}unset logscale x
set terminal svg size 1000,440 font 'sans,12' background 'white'
set output '{path}'
set multiplot layout 1,{len(panels)} title 'Requests a second at Notary, per 1 000 nodes' tc rgb '#202124'
set lmargin 8
set rmargin 18
set yrange [{low}:{high}]
set xlabel 'minutes' tc rgb '#5f6368'
""" + "".join(drawn_panels) + "unset multiplot\n")


def draw(found, names_of, folder):
    """Without gnuplot the pictures stay as they are."""
    if not shutil.which("gnuplot"):
        who.say("no gnuplot: the pictures are not drawn")
        return
    if found.get("road"):
        records = [one for one in found["road"]["calls"] if one["case"] == "100 B, 8 in flight"]
        latency(records, names_of(records), folder / "latency.svg")
