# SPDX-License-Identifier: Apache-2.0
"""What a call costs on the road: the same load through everybody in turn, round after round."""

import json
import subprocess
import time

from . import contenders as who
from . import process

MIB = 1024 * 1024

# name: arguments of road_load.
CALLS = {f"100 B, {n} in flight": ["--in-flight", n] for n in (1, 8, 64, 512)}
PAYLOADS = {f"{name}, 1 in flight": ["--bytes", size] for name, size in
            (("10 KB", 10_000), ("1 MB", MIB), ("8 MB", 8 * MIB), ("16 MB", 16 * MIB))}
STREAM = {"stream, 8 x 100 B": ["--stream", "--in-flight", 8]}
ALL = {**CALLS, **PAYLOADS, **STREAM}
QUICK = {name: ALL[name] for name in ("100 B, 1 in flight", "100 B, 8 in flight",
                                      "100 B, 64 in flight", "1 MB, 1 in flight",
                                      "stream, 8 x 100 B")}


def load(contender, arguments, seconds, warm_up=0.3):
    """One run of the load client; its figures. Raises if the calls fail or hang."""
    command = [who.BUILD / "bench" / "road_load", contender.socket, "--seconds", seconds,
               "--warm-up", warm_up, *arguments]
    if contender.pid:
        command += ["--cpu-of", contender.worker]
    return json.loads(process.output_of(command, timeout=20 + 3 * seconds))


def attempt(contender, arguments, seconds, warm_up=0.3):
    """As load, but None where the contender does not get through: some peers do not."""
    try:
        return load(contender, arguments, seconds, warm_up)
    except subprocess.SubprocessError:
        who.say(f"  {contender.name} did not finish: {' '.join(map(str, arguments))}")
        return None


def interleaved(standing, cases, rounds, seconds):
    """Every contender once a round and case, each round beginning with another one. Says of each
    run how much of the machine others used just before."""
    records = []
    for number in range(rounds):
        for case, arguments in cases.items():
            first = number % len(standing)
            for contender in standing[first:] + standing[:first]:
                others = round(process.others_share(), 2)
                figures = attempt(contender, arguments, seconds)
                if figures is None:
                    continue
                records.append({"round": number, "case": case, "who": contender.name,
                                "others": others, **figures})
        who.say(f"  road: round {number + 1} of {rounds}")
    return records


def memory(standing, quick):
    """Resident memory of everybody: idle, under load, after it; and wake-ups when idle."""
    time.sleep(4)  # crivet gives back what only its start needed
    seen = {one.name: {"idle": process.resident_kib(one.pid)} for one in standing if one.pid}
    before = {one.name: process.wake_ups(one.pid) for one in standing if one.pid}
    idle_seconds = 2 if quick else 10
    time.sleep(idle_seconds)
    for one in standing:
        if not one.pid:
            continue
        figures = seen[one.name]
        figures["wake_ups_per_second"] = (
            process.wake_ups(one.pid) - before[one.name]) / idle_seconds
        command = [who.BUILD / "bench" / "road_load", one.socket, "--seconds", 1.0,
                   "--in-flight", 64]
        with process.running(command, "/dev/null") as client:
            time.sleep(0.9)
            figures["under load"] = process.resident_kib(one.pid)
            client.wait(30)
        time.sleep(1)
        figures["after load"] = process.resident_kib(one.pid)
        if attempt(one, ["--in-flight", 4, "--bytes", 16 * MIB], 0.3, 0):
            time.sleep(1)
            figures["after 4 x 16 MB"] = process.resident_kib(one.pid)
    return seen


def measure(folder, quick):
    cases, rounds, seconds = (QUICK, 2, 0.4) if quick else (ALL, 5, 0.6)
    with who.echoing_runtime(folder) as upstream:
        with who.standing(folder / "memory", upstream) as standing:
            seen = memory(standing, quick)
        # Started anew: a peer may be stuck after what came last.
        with who.standing(folder / "calls", upstream) as standing:
            return {"memory": seen, "calls": interleaved(standing, cases, rounds, seconds)}
