# SPDX-License-Identifier: Apache-2.0
"""Processes of a measurement: started, watched, and ended by pid. They die with this program."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def running(command, log, **options):
    """Runs a command in the background for the length of a `with`; yields the process."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            preexec_fn=_die_with_parent, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def output_of(command, timeout=300, **options):
    """What a command prints. Raises if it fails or hangs."""
    return subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        check=True, timeout=timeout, text=True, preexec_fn=_die_with_parent, **options).stdout


def wait_for_socket(path, process, seconds=20):
    """Returns once somebody accepts on a unix socket."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
                return
            except OSError:
                time.sleep(0.01)
    raise RuntimeError(f"{process.args[0]} does not listen on {path}")


def with_children(pid):
    """A process and its children: nginx answers in one."""
    pids = [pid]
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            pids += [int(child) for child in children.read().split()]
    return pids


def resident_kib(pid):
    """RSS, PSS and what is the process's alone, in KiB, with its children."""
    total = {"rss": 0, "pss": 0, "anonymous": 0}
    names = {"Rss": "rss", "Pss": "pss", "Anonymous": "anonymous"}
    for one in with_children(pid):
        with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                key, _, value = line.partition(":")
                if key in names:
                    total[names[key]] += int(value.split()[0])
    return total


def wake_ups(pid):
    """How often threads of a process and its children have gone to sleep so far."""
    count = 0
    for one in with_children(pid):
        for task in os.listdir(f"/proc/{one}/task"):
            with open(f"/proc/{one}/task/{task}/status", encoding="ascii") as status:
                count += sum(int(line.split()[1]) for line in status
                             if line.startswith("voluntary_ctxt_switches"))
    return count


def _cpu_ticks():
    """Ticks of all CPUs so far: spent on something, and all."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(word) for word in stat.readline().split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)


def others_share(seconds=0.06):
    """The share of the machine that others use while this program waits."""
    busy, total = _cpu_ticks()
    time.sleep(seconds)
    busy_after, total_after = _cpu_ticks()
    return (busy_after - busy) / max(1, total_after - total)
