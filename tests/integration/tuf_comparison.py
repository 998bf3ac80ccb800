#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks python-tuf, go-tuf and crivet the same of repositories of TUF 1.0, and holds the answers against the page.

tuf_comparison.py EDITIONS CRIVET TUF_CLIENT PAGE FOUND

EDITIONS writes what a server has in each case. Every client is asked for one image as a node that knows nothing, and, where
it matters, as one that has verified the edition before. PAGE is trust/tuf1/COMPARISON.md: a difference that is not in its
tables fails, as does one in them that is gone. FOUND is where the rows are left that it should have.
"""

import hashlib
import http.server
import json
import logging
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.ngclient import FetcherInterface, Updater

CONTENTS = ("old", "new", "evil")
BY_HASH = {hashlib.sha256(text.encode()).hexdigest(): text for text in CONTENTS}
NODES = ("new", "warm")
SHOWS = frozenset(CONTENTS)
HEAD = "| case | node | python-tuf | go-tuf | crivet | why |"


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *args):
        """A client that has seen enough of a file goes away."""


class Server:
    """One edition at a time, over HTTP and to callers in this process."""

    def __init__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                status, body = outer.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.edition = {"files": {}, "statuses": {}}
        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        _, kind, name = path.split("/", 2)
        if kind == "targets":
            # Without consistent snapshots a name has no hash before it.
            prefix, dot, _ = name.rsplit("/", 1)[-1].partition(".")
            text = BY_HASH.get(prefix.lower(), "new" if not dot or len(prefix) < 32 else None)
            return (200, text.encode()) if text else (404, b"")
        if name in self.edition["statuses"]:
            return self.edition["statuses"][name], b""
        text = self.edition["files"].get(name)
        return (404, b"") if text is None else (200, text.encode())


class InProcess(FetcherInterface):
    def __init__(self, server):
        self.server = server

    def _fetch(self, url):
        status, body = self.server.answer(url.removeprefix(self.server.url))
        if status != 200:
            raise DownloadHTTPError(f"status {status}", status)
        return iter([body])


def run(command, folder):
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


class PythonTuf:
    name = "python-tuf"

    def __init__(self, server, image, root):
        self.server, self.image, self.root = server, image, root

    def prepare(self, folder):
        (folder / "metadata").mkdir()
        (folder / "targets").mkdir()

    def start(self, folder):
        return folder

    def answer(self, folder):
        updater_of = lambda: Updater(str(folder / "metadata"), self.server.url + "/metadata", str(folder / "targets"),  # noqa: E731
                                     self.server.url + "/targets", InProcess(self.server), bootstrap=self.root.encode())
        try:
            updater = updater_of()
            updater.refresh()
            target = updater.get_targetinfo(self.image)
            if target is None:
                return "not there"
            return pathlib.Path(updater.download_target(target)).read_text(encoding="utf-8")
        except (RepositoryError, DownloadError, ValueError):
            return "refused"
        except Exception as what:  # what its interface does not promise
            return f"crash ({type(what).__name__})"


class GoTuf:
    name = "go-tuf"

    def __init__(self, server, image, root, binary):
        self.server, self.image, self.root, self.binary = server, image, root, binary

    def prepare(self, folder):
        (folder / "root.json").write_text(self.root, encoding="utf-8")
        made = run([self.binary, "init", "-u", self.server.url + "/metadata", "-f", "root.json"], folder)
        out, err = made.communicate(timeout=60)
        if made.returncode:
            raise RuntimeError(f"tuf-client init: {out}{err}")

    def start(self, folder):
        return folder, run([self.binary, "get", "-u", self.server.url + "/metadata", "-t", self.server.url + "/targets",
                            self.image], folder)

    def answer(self, started):
        folder, asked = started
        out, err = asked.communicate(timeout=60)
        if "goroutine " in out + err:
            return "crash"
        if asked.returncode == 0:
            for file in (folder / "tuf_download").rglob("*"):
                if file.is_file():
                    return file.read_text(encoding="utf-8")
        # It says so of whatever went wrong on the way, and then what that was.
        return "not there" if f"not found: target {self.image} not found" in err else "refused"


class Crivet:
    name = "crivet"

    def __init__(self, server, image, root, binary):
        self.server, self.image, self.root, self.binary = server, image, root, binary

    def prepare(self, folder):
        (folder / "state").mkdir()
        (folder / "root.json").write_text(self.root, encoding="utf-8")
        self.configure(folder)

    def configure(self, folder):
        (folder / "config.toml").write_text(f"""
state_dir = "{folder}/state"
[default]
action = "deny"
[trust.fleet]
kind = "tuf"
url = "{self.server.url}/metadata"
root = {{ root_file = "{folder}/root.json" }}
[[rule]]
images = ["registry.example/**"]
action = "verify"
trust = "fleet"
""", encoding="utf-8")

    def start(self, folder):
        self.configure(folder)
        return run([self.binary, "verify", "--json", "--config", str(folder / "config.toml"), self.image], folder)

    def answer(self, asked):
        out, err = asked.communicate(timeout=60)
        try:
            said = json.loads(out)
        except json.JSONDecodeError:
            return f"crash ({err.strip()[:60]})"
        if said["verdict"] != "allow":
            return f"refused ({said['reason']})"
        return BY_HASH.get(said["digest"].removeprefix("sha256:"), said["digest"])


def agree(answers):
    """Whether all show the same content, or all refuse without falling over."""
    if any(answer in SHOWS for answer in answers):
        return len(set(answers)) == 1
    return not any(answer.startswith("crash") for answer in answers)


def ask_all(clients, warm, editions, server, work):
    """(case, node) -> answers, in the order of the clients."""
    seen = {}
    for edition in editions:
        server.edition = edition
        started = {}
        nodes = NODES if edition["warm"] else NODES[:1]
        for node in nodes:
            for client in clients:
                folder = pathlib.Path(tempfile.mkdtemp(dir=work))
                if node == "warm":
                    shutil.copytree(warm[client.name], folder, dirs_exist_ok=True)
                else:
                    client.prepare(folder)
                started[node, client.name] = folder, client.start(folder)
        for node in nodes:
            key = (edition["name"], node)
            if key in seen:
                raise RuntimeError(f"asked twice: {key}")
            seen[key] = tuple(client.answer(started[node, client.name][1]) for client in clients)
        for folder, _ in started.values():
            shutil.rmtree(folder)
    return seen


def joined(names):
    """`expired targets` and `expired shop` as `expired {targets,shop}`."""
    kinds = {}
    for name in names:
        kind, _, last = name.rpartition(" ")
        kinds.setdefault(kind, []).append(last)
    return ", ".join(kind + " " + (lasts[0] if len(lasts) == 1 else "{" + ",".join(lasts) + "}") if kind else ", ".join(lasts)
                     for kind, lasts in kinds.items())


def expanded(cell):
    """The reverse. A comma within braces or backquotes separates nothing outside."""
    names, depth, quoted = [""], 0, False
    for c in cell:
        quoted ^= c == "`"
        depth += 0 if quoted else (c == "{") - (c == "}")
        if c == "," and not depth and not quoted:
            names.append("")
        else:
            names[-1] += c
    for name in (name.strip() for name in names):
        head, brace, rest = name.rpartition(" {")
        if brace and rest.endswith("}"):
            yield from (f"{head} {last}" for last in rest[:-1].split(","))
        else:
            yield name


def rows_of(seen):
    """The rows that the page should have: where they differ."""
    by_case = {}
    for (case, node), answers in seen.items():
        if not agree(answers):
            by_case.setdefault(case, {}).setdefault(answers, []).append(node)
    rows = {}
    for case, by_answers in by_case.items():
        for answers, nodes in by_answers.items():
            rows.setdefault((answers, ", ".join(nodes)), []).append(case)
    return [f"| {joined(cases)} | {nodes} | {' | '.join(answers)} | why |"
            for (answers, nodes), cases in sorted(rows.items(), key=lambda row: row[0])]


def claims_of(page):
    """(case, node) -> answers"""
    claims, in_table = {}, False
    for line in page.splitlines():
        if line == HEAD:
            in_table = True
        elif not line.startswith("|"):
            in_table = False
        elif in_table and not line.startswith("|---"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if len(cells) != 6 or cells[5] in ("", "why"):
                raise SystemExit(f"not a row with a reason: {line}")
            for case in expanded(cells[0]):
                for node in cells[1].split(", "):
                    if (case, node) in claims:
                        raise SystemExit(f"claimed twice: {case}, {node}")
                    claims[case, node] = tuple(cells[2:5])
    return claims


def main():
    logging.disable(logging.CRITICAL)
    editions_of, crivet, tuf_client, page, left = sys.argv[1:]
    said = json.loads(subprocess.run([editions_of], check=True, capture_output=True).stdout)
    image, root = said["image"], said["before"]["files"]["1.root.json"]
    server = Server()
    clients = [PythonTuf(server, image, root), GoTuf(server, image, root, tuf_client),
               Crivet(server, image, root, crivet)]
    with tempfile.TemporaryDirectory() as work:
        server.edition = said["before"]
        warm = {}
        for client in clients:
            folder = warm[client.name] = pathlib.Path(tempfile.mkdtemp(dir=work))
            client.prepare(folder)
            answer = client.answer(client.start(folder))
            if answer != "old":
                raise SystemExit(f"{client.name} does not take the first edition: {answer}")
            # What was downloaded is no part of the question; go-tuf wants the folder.
            for targets in (folder / "targets", folder / "tuf_download"):
                if targets.exists():
                    shutil.rmtree(targets)
                    targets.mkdir()
        seen = ask_all(clients, warm, said["cases"], server, work)

    pathlib.Path(left).write_text("\n".join(rows_of(seen)) + "\n", encoding="utf-8")
    claims = claims_of(pathlib.Path(page).read_text(encoding="utf-8"))
    differing = {key: answers for key, answers in seen.items() if not agree(answers)}
    for key in sorted({*claims, *differing}):
        if claims.get(key) != differing.get(key):
            print(f"{key}: found {differing.get(key, 'no difference')}, the page has {claims.get(key, 'nothing')}")
    print(f"{len(seen)} questions to each of {len(clients)} clients, {len(differing)} answered differently")
    return 0 if claims == differing else 1


if __name__ == "__main__":
    sys.exit(main())
