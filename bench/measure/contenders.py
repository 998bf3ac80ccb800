# SPDX-License-Identifier: Apache-2.0
"""Who stands in the road: started side by side, each with one worker, on the same upstream."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

from . import process

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-release"
PEERS = ROOT / "bench" / "peers"

DIRECT, RELAY, ROAD, CRIVET = "direct", "byte relay", "road", "crivet"
HAPROXY, NGINX, GO = "HAProxy", "nginx", "Go proxy"


@dataclasses.dataclass
class Contender:
    """A socket to call, and the process behind it; 0 where nothing is in between."""
    name: str
    socket: pathlib.Path
    pid: int = 0

    @property
    def worker(self):
        """The process whose CPU time counts."""
        return process.with_children(self.pid)[-1] if self.pid else 0


def say(text):
    print(text, file=sys.stderr, flush=True)


def write_crivet_config(folder, upstream, cached):
    """A node's configuration; `cached` is its state folder. The Notary server is away."""
    file = folder / "crivet.toml"
    file.write_text(f"""
listen = "{folder}/crivet"
upstream = "{upstream}"
state_dir = "{cached}"
admin = "{folder}/admin"
[default]
action = "deny"
[trust.acme]
kind = "notary"
url = "http://127.0.0.1:1"
auth = "none"
[[rule]]
images = ["registry.acme.example/**"]
action = "verify"
trust = "acme"
root = {{ tofu = true }}
[log]
level = "warn"
audit = "{folder}/audit.log"
""")
    return file


def fill_in(template, target, **values):
    text = template.read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    target.write_text(text)
    return target


def build_go_proxy():
    """The Go proxy's program, or None where Debian's Go packages are not installed."""
    if not shutil.which("go"):
        return None
    program = BUILD / "bench" / "go_proxy"
    environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode")
    built = subprocess.run(["go", "build", "-o", program, "."], cwd=PEERS / "go_proxy",
                           env=environment, stdin=subprocess.DEVNULL, check=False)
    return program if built.returncode == 0 else None


def commands(folder, upstream):
    """What to run for each contender, and where it listens."""
    bench = BUILD / "bench"
    found = {RELAY: [bench / "byte_relay", folder / "relay", upstream],
             ROAD: [bench / "road_alone", folder / "road", upstream]}
    cached = folder / "cached"
    cached.mkdir()
    config = write_crivet_config(folder, upstream, cached)
    found[CRIVET] = [BUILD / "crivet", "serve", "--config", config]
    haproxy = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if haproxy:
        filled = fill_in(PEERS / "haproxy.cfg.in", folder / "haproxy.cfg",
                         LISTEN=folder / "haproxy", UPSTREAM=upstream)
        found[HAPROXY] = [haproxy, "-db", "-f", filled]
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx:
        filled = fill_in(PEERS / "nginx.conf.in", folder / "nginx.conf", DIR=folder,
                         LISTEN=folder / "nginx", UPSTREAM=upstream)
        found[NGINX] = [nginx, "-c", filled, "-p", folder, "-e", folder / "nginx.log"]
    go_proxy = BUILD / "bench" / "go_proxy"
    if go_proxy.exists():
        found[GO] = ["env", "GOMAXPROCS=1", go_proxy, folder / "go", upstream]
    for name in (HAPROXY, NGINX, GO):
        if name not in found:
            say(f"left out: {name} is not installed (tests/packages)")
    return found


SOCKETS = {RELAY: "relay", ROAD: "road", CRIVET: "crivet", HAPROXY: "haproxy", NGINX: "nginx",
           GO: "go"}


@contextlib.contextmanager
def standing(folder, upstream):
    """Starts everybody in front of `upstream`, with their files in the new folder; yields the
    contenders, direct first."""
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        found = [Contender(DIRECT, pathlib.Path(upstream))]
        for name, command in commands(folder, upstream).items():
            listen = folder / SOCKETS[name]
            started = stack.enter_context(
                process.running(command, folder / f"{SOCKETS[name]}.log"))
            process.wait_for_socket(listen, started)
            found.append(Contender(name, listen, started.pid))
        yield found


@contextlib.contextmanager
def echoing_runtime(folder):
    """The upstream that answers with what it was asked; yields its socket."""
    listen = folder / "upstream"
    with process.running([BUILD / "bench" / "road_echo", listen], folder / "echo.log") as echo:
        process.wait_for_socket(listen, echo)
        yield listen
