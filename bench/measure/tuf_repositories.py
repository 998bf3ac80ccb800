#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""By hand: what repositories of TUF 1.0 cost python-tuf, go-tuf and crivet, in one run.

PYTHONPATH=tests/support/tuf:build/parts/tuf-sid/usr/lib/python3/dist-packages:build/parts/python3-urllib3/usr/lib/python3/dist-packages
bench/measure/tuf_repositories.py CRIVET TUF_CLIENT [ROUNDS]

Three questions: a node that knows nothing asks for a name, asks again, asks for another name. CPU ms of each process, those
of its start (`version`, `help`, the imports) left out; medians. python-tuf and crivet look the name up, tuf-client also
fetches the few bytes that it stands for. The parts are those of tests/integration/tuf_comparison_test.sh.
"""

import functools
import hashlib
import http.server
import logging
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import publish_bins

# Beyond 5 MB in one file python-tuf and go-tuf refuse.
REPOSITORIES = (("10 000 names in one file", 10000, "0"), ("100 000 names in 2^10 bins", 100000, "10"))
QUESTIONS = ("cold", "again", "another name")


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    contents = {hashlib.sha256(str(i).encode()).hexdigest(): str(i).encode() for i in range(1000)}

    def do_GET(self):  # noqa: N802
        if not self.path.startswith("/targets/"):
            super().do_GET()
            return
        body = self.contents[self.path.rsplit("/", 1)[-1].split(".")[0]]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def cpu_of(command, folder, wanted=0):
    """CPU seconds of one process."""
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != wanted:
        raise SystemExit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime


def python_tuf(url, root, names, folder):
    from tuf.ngclient import FetcherInterface, Updater

    class Plain(FetcherInterface):
        def _fetch(self, url):
            try:
                with urllib.request.urlopen(url) as answer:
                    return iter([answer.read()])
            except urllib.error.HTTPError as refused:
                from tuf.api.exceptions import DownloadHTTPError
                raise DownloadHTTPError(str(refused), refused.code) from refused

    (folder / "metadata").mkdir()
    for name in names:
        began = time.process_time()
        updater = Updater(str(folder / "metadata"), url + "/metadata", fetcher=Plain(), bootstrap=root)
        if updater.get_targetinfo(name) is None:
            raise SystemExit("python-tuf does not find " + name)
        yield time.process_time() - began


def go_tuf(binary, url, root, names, folder):
    (folder / "root.json").write_bytes(root)
    cpu_of([binary, "init", "-u", url + "/metadata", "-f", "root.json"], folder)
    start = statistics.median(cpu_of([binary, "help"], folder) for _ in range(5))
    for name in names:
        yield cpu_of([binary, "get", "-u", url + "/metadata", "-t", url + "/targets", name], folder) - start


def crivet(binary, url, root, names, folder):
    (folder / "root.json").write_bytes(root)
    (folder / "state").mkdir()
    config = folder / "config.toml"
    config.write_text(f"""state_dir = "{folder}/state"
[default]
action = "deny"
[trust.fleet]
kind = "tuf"
url = "{url}/metadata"
root = {{ root_file = "{folder}/root.json" }}
[[rule]]
images = ["registry.example/**"]
action = "verify"
trust = "fleet"
""", encoding="utf-8")
    verify = [binary, "verify", "--config", config]
    # Without a rule for it: everything but the repository.
    start = statistics.median(cpu_of([*verify, "other.example/web:1.0"], folder, 1) for _ in range(5))
    for name in names:
        yield cpu_of([*verify, name], folder) - start


def measure(work, count, bits, clients, rounds):
    folder = work / f"{count}-{bits}"
    publish_bins.main(folder / "metadata", count, bits)
    server = subprocess.Popen([sys.executable, __file__, "serve", folder], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        root = (folder / "metadata/1.root.json").read_bytes()
        names = [publish_bins.name_of(i) for i in (7, 7, 8)]
        seen = {name: [] for name in clients}
        for number in range(rounds):
            order = list(clients)
            for name in order[number % len(order):] + order[:number % len(order)]:
                node = pathlib.Path(tempfile.mkdtemp(dir=work))
                seen[name].append([1000 * cpu for cpu in clients[name](url, root, names, node)])
                shutil.rmtree(node)
    finally:
        server.kill()
        server.wait()
    return {name: [statistics.median(column) for column in zip(*rows)] for name, rows in seen.items()}


def serve(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    print(server.server_address[1], flush=True)
    server.serve_forever()


def main(crivet_binary, tuf_client, rounds="5"):
    logging.disable(logging.CRITICAL)
    clients = {"python-tuf": python_tuf, "go-tuf": functools.partial(go_tuf, tuf_client),
               "crivet": functools.partial(crivet, crivet_binary)}
    version = statistics.median(1000 * cpu_of([crivet_binary, "version"], None) for _ in range(15))
    print(f"load before {os.getloadavg()[0]:.1f}, {rounds} rounds; `crivet version` {version:.1f} ms\n")
    print("| repository | question | python-tuf | go-tuf | crivet | python-tuf / crivet | go-tuf / crivet |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        for title, count, bits in REPOSITORIES:
            figures = measure(pathlib.Path(work), count, bits, clients, int(rounds))
            for i, question in enumerate(QUESTIONS):
                mine = figures["crivet"][i]
                ratios = [f"{figures[name][i] / mine:.1f}" if mine > 0.5 else "-" for name in ("python-tuf", "go-tuf")]
                row = [f"{figures[name][i]:.1f}" for name in clients]
                print(f"| {title} | {question} | {' | '.join(row + ratios)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        main(*sys.argv[1:])
