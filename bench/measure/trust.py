# SPDX-License-Identifier: Apache-2.0
"""Deciding and loading, by Google Benchmark; what it says is kept as it is, but for its context."""

import json
import math

from . import contenders as who
from . import process

_KEPT = ("name", "iterations", "real_time", "cpu_time", "time_unit", "threads", "items_per_second",
         "tags/s", "bytes/tag", "bytes_each", "requests", "p50_ns", "p99_ns", "p999_ns")


def _benchmark(program, pattern, seconds):
    command = [who.BUILD / "bench" / program, f"--benchmark_filter={pattern}",
               f"--benchmark_min_time={seconds}", "--benchmark_format=json"]
    found = json.loads(process.output_of(command, timeout=240))["benchmarks"]
    return [{key: run[key] for key in run if key in _KEPT} for run in found]


def _slope(points):
    """The power of the number of tags that time grows with: 1 is linear."""
    xs, ys = zip(*((math.log(tags), math.log(ms)) for tags, ms in points))
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return (sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys))
            / sum((x - mean_x) ** 2 for x in xs))


def measure(_folder, quick):
    seconds = 0.1 if quick else 0.5
    decide = _benchmark("trust_decide_bench", "100000/|/100/" if not quick else "/100/", seconds)
    sizes = "100|10000|100000" if quick else "100|10000|100000|1000000"
    load = _benchmark("trust_load_bench", f"(FirstVerifiedLoad|SameBytesHashedTwice)/({sizes})$", seconds)
    floor = [run for run in load if run["name"].startswith("SameBytes")]
    load = [run for run in load if run not in floor]
    refresh = _benchmark("trust_load_bench", "RefreshWhenNothingChanged/100$", seconds)
    points = [(int(run["name"].split("/")[1]), run["real_time"]) for run in load]
    large = [point for point in points if point[0] >= 10_000]
    tuf = _benchmark("tuf_load_bench", ".", seconds)
    sigstore = _benchmark("sigstore_load_bench", ".", seconds)
    who.say("  trust: decided and loaded")
    return {"decide": decide, "load": load, "hashed twice": floor, "refresh": refresh, "tuf": tuf,
            "sigstore": sigstore,
            "slope from 10 000 tags": _slope(large)}
