# SPDX-License-Identifier: Apache-2.0
"""What bench/measure/loads.sh measures, and its page.

A node has a repository on its disk and is asked for one tag; nothing is new, and no server answers but go-tuf's, which wants
one. Everybody reads the files and verifies them anew. CPU ms of each process, that of its start left out.
"""

import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from measure import contenders as who  # noqa: E402
from measure import pictures, process, report  # noqa: E402

SIZES = (100, 1_000, 10_000, 100_000)
# Beyond 5 MB in one file go-tuf refuses. python-tuf would; it can be told otherwise.
GO_TUF_TAKES = 5_000_000
GUN = "registry.acme.example/shop/0"
# Asked for instead, it shows what a command costs that decides without a repository.
FREE = "free.example/web:1.0"
FREE_RULE = """
[[rule]]
images = ["free.example/**"]
action = "allow"
"""
DAEMON, VERIFY = "crivet daemon", "crivet verify"
NOTARY, PYTHON_TUF, GO_TUF = "notary lookup", "python-tuf", "go-tuf"
KINDS = {"Notary v1": (NOTARY, VERIFY, DAEMON), "TUF 1.0": (PYTHON_TUF, GO_TUF, VERIFY, DAEMON)}
RESULTS = who.ROOT / "bench" / "results"
MARKS = "<!-- figures: written by bench/measure/loads.sh -->", "<!-- end of figures -->"


def cpu_of(command, folder=None):
    """CPU ms of one process."""
    from tuf_repositories import cpu_of as seconds
    return 1000 * seconds([str(word) for word in command], folder)


def of_notary(folder, notary, tags):
    """By contender, what measures it on one repository of Notary's, as Docker keeps it on the disk."""
    folder.mkdir()
    made, state = folder / "made", folder / "state"
    state.mkdir()
    config = who.write_crivet_config(folder, folder / "upstream", state)
    config.write_text(config.read_text(encoding="utf-8") + FREE_RULE, encoding="utf-8")
    process.output_of([who.BUILD / "bench" / "signed_repositories", made, 1, tags])
    process.output_of([who.BUILD / "crivet", "import", made, "--config", config], stderr=subprocess.DEVNULL)
    client = [notary, "--server", "https://127.0.0.1:1", "--trustDir", made]
    verify = [who.BUILD / "crivet", "verify", "--offline", "--config", config]
    return {NOTARY: lambda: cpu_of([*client, "lookup", GUN, "release-42"]) - cpu_of([*client, "status", GUN]),
            VERIFY: lambda: cpu_of([*verify, f"{GUN}:release-42"]) - cpu_of([*verify, FREE])}


def of_tuf(folder, tuf_client, tags, stack):
    """The same on a repository of TUF 1.0 with all names in one file, each client having asked once before."""
    import publish_bins
    folder.mkdir()
    served = folder / "served"
    publish_bins.main(served / "metadata", tags, "0")
    name = publish_bins.name_of(42)
    root = served / "metadata" / "1.root.json"
    server = subprocess.Popen([sys.executable, who.ROOT / "bench/measure/tuf_repositories.py", "serve", served],
                              stdout=subprocess.PIPE, text=True)
    stack.append(server)
    url = f"http://127.0.0.1:{int(server.stdout.readline())}"

    (folder / "state").mkdir()
    config = folder / "config.toml"
    config.write_text(f"""state_dir = "{folder}/state"
[default]
action = "deny"
[trust.fleet]
kind = "tuf"
url = "{url}/metadata"
root = {{ root_file = "{root}" }}
[[rule]]
images = ["registry.example/**"]
action = "verify"
trust = "fleet"
""" + FREE_RULE, encoding="utf-8")
    verify = [who.BUILD / "crivet", "verify", "--config", config]
    cpu_of([*verify, name])
    verify.insert(2, "--offline")
    (folder / "python-tuf").mkdir()
    python = [sys.executable, __file__, PYTHON_TUF, folder / "python-tuf", served / "metadata", name]
    process.output_of(python)
    found = {PYTHON_TUF: lambda: float(process.output_of(python)),
             VERIFY: lambda: cpu_of([*verify, name]) - cpu_of([*verify, FREE])}
    if (served / "metadata" / "1.targets.json").stat().st_size < GO_TUF_TAKES:
        home = folder / "go-tuf"
        home.mkdir()
        shutil.copy(root, home / "root.json")
        get = [tuf_client, "get", "-u", f"{url}/metadata", "-t", f"{url}/targets", name]
        cpu_of([tuf_client, "init", "-u", f"{url}/metadata", "-f", "root.json"], home)
        cpu_of(get, home)
        found[GO_TUF] = lambda: cpu_of(get, home) - cpu_of([tuf_client, "help"], home)
    return found


def python_tuf(folder, metadata, name):
    """One question to python-tuf, in a process of its own: prints its CPU ms.

    Asked before without being measured, so that neither imports nor what is loaded at the first signature counts.
    """
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

    class FromDisk(FetcherInterface):
        def _fetch(self, url):
            file = pathlib.Path(metadata, url.rsplit("/", 1)[-1])
            if not file.exists():
                raise DownloadHTTPError("not found", 404)
            return iter([file.read_bytes()])

    root = pathlib.Path(metadata, "1.root.json").read_bytes()
    for _ in range(2):
        began = time.process_time()
        updater = Updater(folder, "file:///", fetcher=FromDisk(), bootstrap=root,
                          config=UpdaterConfig(targets_max_length=1 << 27))
        if updater.get_targetinfo(name) is None:
            raise SystemExit("python-tuf does not find " + name)
        spent = time.process_time() - began
        del updater
    print(1000 * spent)


def in_the_daemon(program, pattern):
    """CPU ms by number of tags, of files that are in memory already."""
    found = json.loads(process.output_of([
        who.BUILD / "bench" / program, f"--benchmark_filter={pattern}", "--benchmark_min_time=0.1",
        "--benchmark_format=json"], stderr=subprocess.DEVNULL))["benchmarks"]
    return {int(run["name"].split("/")[1]): run["cpu_time"] for run in found}


def measure(notary, tuf_client, rounds):
    seen = {(kind, name, tags): [] for kind, names in KINDS.items() for tags in SIZES for name in names}
    sizes = "|".join(map(str, SIZES))
    servers = []
    with tempfile.TemporaryDirectory(prefix="crivet-bench.", dir="/tmp") as folder:
        folder = pathlib.Path(folder)
        try:
            asked = []
            for tags in SIZES:
                asked += [(("Notary v1", name, tags), ask)
                          for name, ask in of_notary(folder / f"notary-{tags}", notary, tags).items()]
                asked += [(("TUF 1.0", name, tags), ask)
                          for name, ask in of_tuf(folder / f"tuf-{tags}", tuf_client, tags, servers).items()]
            who.say("  made, and asked for once")
            for number in range(rounds):
                at = number % len(asked)
                for key, ask in asked[at:] + asked[:at]:
                    seen[key].append(ask())
                for kind, program, pattern in (("Notary v1", "trust_load_bench", f"FirstVerifiedLoad/({sizes})$"),
                                               ("TUF 1.0", "tuf_load_bench", f"LoadFromTheStore/({sizes})/0$")):
                    for tags, ms in in_the_daemon(program, pattern).items():
                        seen[kind, DAEMON, tags].append(ms)
                who.say(f"  round {number + 1} of {rounds}")
        finally:
            for server in servers:
                server.kill()
                server.wait()
    return [{"kind": kind, "who": name, "tags": tags, "cpu_ms": [round(one, 3) for one in values]}
            for (kind, name, tags), values in seen.items() if values]


def lines_of(figures):
    """By kind and contender: [(tags, median ms)]."""
    return {kind: {name: [(one["tags"], statistics.median(one["cpu_ms"])) for one in figures
                          if (one["kind"], one["who"]) == (kind, name)] for name in names}
            for kind, names in KINDS.items()}


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def tables(figures):
    parts = []
    for kind, lines in lines_of(figures).items():
        peers = [name for name in lines if name not in (VERIFY, DAEMON)]
        head = [f"{kind}, tags", *lines, *(f"{name} / {VERIFY}" for name in peers)]
        rows = [head, ["---"] * len(head)]
        for tags in SIZES:
            at = {name: dict(points).get(tags) for name, points in lines.items()}
            cells = [""] * len(lines)
            for index, name in enumerate(lines):
                values = next((one["cpu_ms"] for one in figures
                               if (one["kind"], one["who"], one["tags"]) == (kind, name, tags)), None)
                if values:
                    cells[index] = f"{number(at[name])} ({number(min(values))}, {number(max(values))})"
            rows.append([f"{tags:,}".replace(",", " "), *cells,
                         *(f"{at[name] / at[VERIFY]:.1f}" if at[name] else "" for name in peers)])
        parts.append("\n".join("| " + " | ".join(row) + " |" for row in rows))
    return "\n\n".join(parts)


def write_page(found):
    page = RESULTS / "load.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    machine = found["machine"]
    said = textwrap.fill(
        f"Commit {machine['commit']}, {machine['time']}; {machine['cpus']} CPUs ({machine['cpu']}), load before "
        f"{machine['load before']:.1f}; {found['rounds']} rounds."
        + (" **The machine was not quiet: read the ratios.**" if machine["load before"] > 1 else ""), 120)
    page.write_text(f"{before}{MARKS[0]}\n\n{said}\n\n{tables(found['figures'])}\n\n{MARKS[1]}{after}", encoding="utf-8")
    pictures.loads(lines_of(found["figures"]), RESULTS / "load.svg")


def main(*words):
    kept = RESULTS / "load.json"
    if words[0] == PYTHON_TUF:
        python_tuf(*words[1:])
        return
    if words[0] != "report":
        notary, tuf_client, rounds = words
        found = {"machine": report.machine(), "rounds": int(rounds)}
        began = time.monotonic()
        found["figures"] = measure(notary, tuf_client, int(rounds))
        who.say(f"{time.monotonic() - began:.0f} s")
        if int(rounds) < 5:
            print(tables(found["figures"]))
            return
        head = json.dumps({key: found[key] for key in ("machine", "rounds")})[:-1]
        kept.write_text(head + ', "figures": [\n' + ",\n".join(map(json.dumps, found["figures"])) + "]}\n",
                        encoding="utf-8")
    write_page(json.loads(kept.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(*sys.argv[1:])
