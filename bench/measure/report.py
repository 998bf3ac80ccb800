# SPDX-License-Identifier: Apache-2.0
"""The goals in bench/README.md, the figures in bench/results and the pictures, from what a run has kept."""

import datetime
import json
import os
import pathlib
import platform
import statistics
import textwrap

from . import contenders as who
from . import goals, pictures, process

BEGIN, END = "<!-- results: written by bench/run -->", "<!-- end of results -->"


def machine():
    """What the figures were taken on."""
    cpu = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    commit = process.output_of(["git", "-C", who.ROOT, "rev-parse", "--short", "HEAD"]).strip()
    changed = process.output_of(["git", "-C", who.ROOT, "status", "--porcelain", "-uno"]).strip()
    return {"commit": commit + (" with changes" if changed else ""),
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "cpu": cpu, "cpus": os.cpu_count(), "kernel": platform.release(),
            "load before": os.getloadavg()[0]}


def write_json(found, file):
    """Raw figures; one record a line, so that two runs can be compared with diff."""
    parts = []
    for key, value in found.items():
        if isinstance(value, dict) and "calls" in value:
            calls = ",\n  ".join(json.dumps(record) for record in value["calls"])
            rest = ", ".join(f"{json.dumps(name)}: {json.dumps(other)}"
                             for name, other in value.items() if name != "calls")
            parts.append(f"{json.dumps(key)}: {{{rest}, \"calls\": [\n  {calls}]}}")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    file.write_text("{" + ",\n".join(parts) + "}\n")


def _row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _rows(head, body):
    return "\n".join([_row(head), _row(["---"] * len(head)), *map(_row, body)])


def _names(records):
    order = (who.DIRECT, who.RELAY, who.ROAD, who.CRIVET, who.HAPROXY, who.NGINX, who.GO)
    present = {record["who"] for record in records}
    return [name for name in order if name in present]


def _number(value):
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _calls(records):
    """One row a case and contender-wise cells: p50 / p99 / p99.9, then rate and CPU."""
    names = _names(records)
    cases = list(dict.fromkeys(record["case"] for record in records))

    def median(case, name, field):
        values = [record[field] for record in records
                  if record["case"] == case and record["who"] == name]
        return statistics.median(values) if values else None

    latency = _rows(["p50 / p99 / p99.9, us", *names], [
        [case, *(" / ".join(_number(median(case, name, field))
                            for field in ("p50_us", "p99_us", "p999_us")) for name in names)]
        for case in cases])
    between = [name for name in names if name != who.DIRECT]
    work = _rows(["calls a second; CPU us a call in between", *names], [
        [case, *(f"{median(case, name, 'calls_per_second'):.0f}"
                 + (f"; {_number(median(case, name, 'cpu_us_per_call'))}"
                    if name in between and median(case, name, "cpu_us_per_call") else "")
                 for name in names)]
        for case in cases])
    return latency + "\n\n" + work


def _memory(memory):
    def cell(figures, when):
        one = figures.get(when)
        return f"{one['rss'] / 1024:.1f} ({one['anonymous'] / 1024:.1f})" if one else ""

    return _rows(
        ["resident MiB (of which its own)", "idle", "64 in flight", "after it",
         "after 4 x 16 MB at once", "idle, PSS", "wake-ups a second when idle"],
        [[name, *(cell(figures, when) for when in
                  ("idle", "under load", "after load", "after 4 x 16 MB")),
          f"{figures['idle']['pss'] / 1024:.1f}", f"{figures['wake_ups_per_second']:.1f}"]
         for name, figures in memory.items()])


def _daemon(daemon):
    return _rows(
        ["repositories of 100 tags cached", "start to first ImageFsInfo, ms", "idle RSS, MiB",
         "of which its own", "refused by a rule, p50 us", "refused: not signed, p50 us"],
        [[number, f"{figures['first answer ms median']:.1f}",
          f"{figures['idle']['rss'] / 1024:.1f}", f"{figures['idle']['anonymous'] / 1024:.1f}",
          f"{figures['refused by a rule']['p50_us']:.0f}",
          f"{figures['refused: not signed']['p50_us']:.0f}"]
         for number, figures in daemon.items() if number.isdigit()])


def _trust(trust):
    load = _rows(["first verified load, tags", "ms", "ms of CPU", "bytes a tag"], [
        [run["name"].split("/")[1], _number(run["real_time"]), _number(run["cpu_time"]),
         _number(run["bytes/tag"])]
        for run in trust["load"]])
    decide = _rows(["decision", "p50 ns", "p99 ns", "p99.9 ns", "decisions a second"], [
        [f"{run['name'].split('/')[1]}, {run['name'].split('/')[2]} tags, "
         f"{run.get('threads', 1)} threads", *(f"{run[key]:.0f}" for key in
                                               ("p50_ns", "p99_ns", "p999_ns")),
         f"{run['items_per_second']:.3g}"] for run in trust["decide"] if "p50_ns" in run])
    return f"{load}\n\nTime grows with the number of tags to the power of " \
           f"{trust['slope from 10 000 tags']:.2f} (1 is linear).\n\n{decide}"


def _node(node):
    body = [[name, len(values), _number(statistics.median(values)),
             _number(min(values)), _number(max(values))]
            for name, values in node.items()
            if name != "calls to containerd" and isinstance(values[0], (int, float))]
    text = _rows(["with real parts (times in ms)", "n", "median", "least", "most"], body)
    fleet = goals.fleet(node)
    if fleet:
        text += "\n\n" + textwrap.fill(fleet, 120)
    if "calls to containerd" in node:
        text += "\n\n" + _calls(node["calls to containerd"][0])
    return text


def _disturbance(found):
    """Whether somebody else was busy meanwhile, in words; empty on a quiet machine."""
    runs = (found.get("road") or {}).get("calls", [])
    disturbed = sum(run.get("others", 0) > 0.2 for run in runs)
    if found["machine"]["load before"] <= 1 and disturbed * 20 <= len(runs):
        return ""
    return " **The machine was not quiet: read the ratios, and not the tails.**"


def _where(found):
    machine = found["machine"]
    return textwrap.fill(
        f"Commit {machine['commit']}, {machine['time']}; {machine['cpus']} CPUs ({machine['cpu']}), "
        f"Linux {machine['kernel']}, load before {machine['load before']:.1f}"
        + (", quick run." if found["quick"] else ".") + _disturbance(found), 120)


def _goals(found):
    return _rows(["goal", "wanted", "reached", "", "HAProxy", "nginx", "Go proxy"], goals.rows(found))


def _figures(found):
    parts = []
    for name, render in (("road", lambda road: _calls(road["calls"]) + "\n\n"
                          + _memory(road["memory"])),
                         ("daemon", _daemon), ("trust", _trust), ("node", _node)):
        parts.append(render(found[name]) if found.get(name) else f"({name}: not measured)")
    return "\n\n".join(parts)


def table(found):
    return "\n\n".join((_where(found), _goals(found), _figures(found)))


def write_pages(found, folder):
    """The goals into README.md, all else into results/README.md."""
    for file, content in ((folder / "README.md", _goals(found)), (folder / "results" / "README.md", _figures(found))):
        before, _, rest = file.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        file.write_text(f"{before}{BEGIN}\n\n{_where(found)}\n\n{content}\n\n{END}{after}")


def draw(found, folder):
    pictures.draw(found, _names, folder)
