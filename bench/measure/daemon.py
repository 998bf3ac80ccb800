# SPDX-License-Identifier: Apache-2.0
"""The whole daemon: its start and its memory with repositories cached, refusals from memory."""

import shutil
import socket
import statistics
import struct
import time

from . import contenders as who
from . import process, road

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS, _HEADERS, _DATA, _ACK, _END_STREAM, _END_HEADERS = 4, 1, 0, 1, 1, 4


def _frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _header(name, value):
    """A literal header field without indexing, both shorter than 127 bytes (RFC 7541, 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _image_fs_info():
    headers = b"".join(_header(*pair) for pair in (
        (":method", "POST"), (":scheme", "http"), (":authority", "localhost"),
        (":path", "/runtime.v1.ImageService/ImageFsInfo"), ("te", "trailers"),
        ("content-type", "application/grpc")))
    return (_PREFACE + _frame(_SETTINGS, 0, 0) + _frame(_HEADERS, _END_HEADERS, 1, headers)
            + _frame(_DATA, _END_STREAM, 1, b"\0\0\0\0\0"))


def _receive(connection, size):
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise RuntimeError("the connection ended before the answer")
        received += part
    return received


def first_answer(path, began, patience=20):
    """Milliseconds from `began` until ImageFsInfo is answered; tries until somebody listens."""
    while time.monotonic() - began < patience:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with connection:
            try:
                connection.connect(str(path))
            except OSError:
                time.sleep(0.0002)
                continue
            connection.settimeout(patience)
            connection.sendall(_image_fs_info())
            while True:
                head = _receive(connection, 9)
                _receive(connection, int.from_bytes(head[:3], "big"))
                if head[3] == _HEADERS:
                    return (time.monotonic() - began) * 1000
    raise RuntimeError("no answer")


def _cached(folder, repositories, tags):
    """A state folder that holds this many repositories, taken in as an operator would."""
    made, state = folder / "made", folder / "cached"
    state.mkdir()
    config = who.write_crivet_config(folder, folder / "upstream", state)
    if repositories:
        process.output_of([who.BUILD / "bench" / "signed_repositories", made, repositories, tags])
        process.output_of([who.BUILD / "crivet", "import", made, "--config", config],
                          stderr=open(folder / "import.log", "wb"))
        shutil.rmtree(made)
    return config


def _start(folder, config, upstream, repeats):
    """First answers of one start after the other; then memory and refusals of the last one."""
    figures = {"first answer ms": []}
    command = [who.BUILD / "crivet", "serve", "--config", config]
    for repeat in range(repeats):
        began = time.monotonic()
        with process.running(command, folder / "crivet.log") as crivet:
            figures["first answer ms"].append(first_answer(folder / "crivet", began))
            if repeat + 1 < repeats:
                continue
            time.sleep(5)
            figures["idle"] = process.resident_kib(crivet.pid)
            one = who.Contender(who.CRIVET, folder / "crivet", crivet.pid)
            figures["refused by a rule"] = road.load(
                one, ["--image", "docker.io/library/web:1.0"], 1)
            # The server is away: after the first try nobody asks it for a while.
            image = "registry.acme.example/shop/0:unsigned"
            road.load(one, ["--image", image], 0.1, 0)
            figures["refused: not signed"] = road.load(one, ["--image", image], 1)
            time.sleep(1)
            figures["after refusals"] = process.resident_kib(crivet.pid)
    figures["first answer ms median"] = statistics.median(figures["first answer ms"])
    return figures


def _instructions(folder, config):
    """Of a start until it serves, which no other work on the machine changes; nothing without valgrind."""
    if not shutil.which("valgrind"):
        return {}
    counted = folder / "callgrind"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counted}",
               "--dump-before=crivet::proxy::DaemonParts::Run()", who.BUILD / "crivet", "serve", "--config", config]
    until = time.monotonic() + 60
    with process.running(command, folder / "valgrind.log"):
        while time.monotonic() < until:
            for line in counted.with_name("callgrind.1").read_text().splitlines() \
                    if counted.with_name("callgrind.1").exists() else ():
                if line.startswith("totals:"):
                    return {"instructions of a start": int(line.split()[1])}
            time.sleep(0.2)
    raise RuntimeError("valgrind counted no start")


def measure(folder, quick):
    found = {}
    with who.echoing_runtime(folder) as upstream:
        for repositories in (0, 100) if quick else (0, 100, 1000):
            home = folder / f"with-{repositories}"
            home.mkdir()
            (home / "upstream").symlink_to(upstream)
            config = _cached(home, repositories, 100)
            found[str(repositories)] = _start(home, config, upstream, 3 if quick else 7)
            if repositories == 0:
                found |= _instructions(home, config)
            who.say(f"  daemon: {repositories} repositories")
    return found
