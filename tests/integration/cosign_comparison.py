#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks cosign, skopeo and crivet about the same signed images in a docker-registry, and compares where they differ with a table.

cosign_comparison.py FOLDER INDEX.jsonl TABLE.md FOUND.md

FOLDER is what the registry at 127.0.0.1:5055 keeps below registry/, and where everything else is left. Every case of INDEX that
cosign can be asked about (tests/data/sigstore/README.md) is put there as its signer would have left it. skopeo is asked about
keys without a log, and about what a signer left behind. Rows of TABLE: cases, what each says, and why. FOUND.md is the table as it should be.
Exit: 0 where both are the same.
"""

import base64
import collections
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from answer_table import compare  # noqa: E402

REGISTRY = "127.0.0.1:5055"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest(), "size": 2}
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Repository:
    """Written as docker-registry keeps it: pushing would change nothing, and it takes no manifest whose layers it lacks."""

    def __init__(self, folder, name):
        self.blobs = folder / "registry/docker/registry/v2/blobs/sha256"
        self.folder = folder / "registry/docker/registry/v2/repositories" / name
        shutil.rmtree(self.folder, ignore_errors=True)

    def link(self, place, digest):
        path = self.folder / place / "link"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(digest)

    def keep(self, content):
        digest = digest_of(content)
        path = self.blobs / digest[7:9] / digest[7:] / "data"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return digest

    def blob(self, content):
        digest = self.keep(content)
        self.link(f"_layers/sha256/{digest[7:]}", digest)
        return digest

    def manifest(self, content, *tags):
        digest = self.keep(content)
        self.link(f"_manifests/revisions/sha256/{digest[7:]}", digest)
        for tag in tags:
            self.link(f"_manifests/tags/{tag}/current", digest)
            self.link(f"_manifests/tags/{tag}/index/sha256/{digest[7:]}", digest)
        return digest


class Case:
    def __init__(self, line, index):
        self.read, self.data = line, index.parent
        self.name, self.kind, self.policy = line["name"], line["kind"], line["policy"]
        tag = line["image"]["reference"].rpartition(":")[2]
        self.repository = line["image"]["reference"][len(REGISTRY) + 1:-len(tag) - 1]
        if self.kind == "bundle":  # it names no repository: each has its own
            self.repository = "bundle/" + self.name
        self.image = f"{REGISTRY}/{self.repository}:{tag}"
        self.root = self.policy.get("trusted_root")
        self.by_key = self.policy["method"] == "key"

    def file(self, name):
        return (self.data / name).read_bytes()

    def put(self, folder, image):
        repository = Repository(folder, self.repository)
        files, digest = self.read["files"], self.read["image"]["digest"]
        if self.kind == "registry":
            kept = json.loads(self.file(files["registry"]))
            for content in kept["blobs"].values():
                repository.blob(base64.b64decode(content))
            for one in kept["manifests"].values():
                repository.manifest(base64.b64decode(one["content"]), *one["tags"])
            return
        image.put(repository)
        if self.kind == "simple-signing":
            for payload in files["payloads"]:
                repository.blob(self.file(payload))
            repository.manifest(self.file(files["manifest"]), digest.replace(":", "-") + ".sig")
            return
        bundle = self.file(files["bundle"])
        repository.blob(b"{}")
        referrer = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "artifactType": BUNDLE, "config": EMPTY,
            "layers": [{"mediaType": BUNDLE, "digest": repository.blob(bundle), "size": len(bundle)}],
            "subject": {"mediaType": MANIFEST_TYPE, "digest": digest, "size": self.read["image"]["size"]}}).encode()
        repository.manifest(json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [{
            "mediaType": MANIFEST_TYPE, "digest": repository.manifest(referrer), "size": len(referrer),
            "artifactType": BUNDLE}]}).encode(), digest.replace(":", "-"))


class Image:
    """The one that all cases but those of kind registry are about; its content is in a dump of that kind."""

    def __init__(self, case):
        kept = json.loads(case.file(case.read["files"]["registry"]))
        self.manifest = base64.b64decode(kept["manifests"][case.read["image"]["digest"]]["content"])
        named = json.loads(self.manifest)
        self.blobs = [base64.b64decode(kept["blobs"][one["digest"]]) for one in [named["config"], *named["layers"]]]

    def put(self, repository):
        for content in self.blobs:
            repository.blob(content)
        repository.manifest(self.manifest, "1.0")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def ask_cosign(case, _folder):
    options = []
    if case.by_key:
        options += ["--key", case.data / case.policy["key"]]
    else:
        subject = (["--certificate-identity", case.policy["subject"]] if "subject" in case.policy else
                   ["--certificate-identity-regexp", case.policy["subject_regexp"]])
        options += ["--certificate-oidc-issuer", case.policy["issuer"], *subject]
        if not case.policy.get("sct"):
            options += ["--insecure-ignore-sct"]
        if case.policy["timestamps"] == "signed":
            options += ["--use-signed-timestamps"]
    if case.root:
        options += ["--trusted-root", case.data / case.root]
    if not case.policy["tlog"]:
        options += ["--insecure-ignore-tlog"]
    return "allowed" if run("cosign", "verify", *options, case.image).returncode == 0 else "refused"


def ask_skopeo(case, folder):
    if not case.by_key or case.policy["tlog"] or case.kind == "bundle":
        return "-"
    own = folder / "skopeo" / case.name
    (own / "registries.d").mkdir(parents=True)
    (own / "registries.d/all.yaml").write_text("default-docker: {use-sigstore-attachments: true}\n")
    # Its default wants the tag in what was signed, where cosign never puts it.
    wanted = {"type": "sigstoreSigned", "keyPath": str(case.data / case.policy["key"]), "signedIdentity": {"type": "matchRepository"}}
    (own / "policy.json").write_text(json.dumps({"default": [{"type": "reject"}], "transports": {"docker": {"": [wanted]}}}))
    done = run("skopeo", "--policy", own / "policy.json", "--registries.d", own / "registries.d", "copy", "--quiet",
               "--remove-signatures", "--src-tls-verify=false", f"docker://{case.image}", f"dir:{own}/copy")
    if done.returncode != 0 and "Source image rejected" not in done.stderr:
        raise RuntimeError(f"{case.name}: skopeo: {done.stderr}")
    return "allowed" if done.returncode == 0 else "refused"


def pattern_of(policy):
    """crivet has no expressions: one that says "begins with this" becomes that pattern, any other stands for itself."""
    if "subject" in policy:
        return policy["subject"]
    text = policy["subject_regexp"]
    if begins := re.fullmatch(r"\^(.*)\.\*\$", text):
        return begins[1].replace("\\", "") + "**"
    return text.replace("*", "**")


def rule_of(case):
    lines = [f'images = ["{case.image.rpartition(":")[0]}"]', 'action = "verify"', f'trust = "{trust_of(case)}"']
    if case.by_key:
        lines.append(f'keys = ["{case.data / case.policy["key"]}"]')
    else:
        lines.append(f'identities = [{{ issuer = "{case.policy["issuer"]}", subject = {json.dumps(pattern_of(case.policy))} }}]')
        lines.append(f'scts = {case.policy.get("sct", 0)}')
        lines.append(f'signed_timestamps = {1 if case.policy["timestamps"] == "signed" else 0}')
    lines.append('log = "require"' if case.policy["tlog"] else 'log = "off"')
    return "[[rule]]\n" + "\n".join(lines) + "\n"


def trust_of(case):
    return pathlib.Path(case.root).stem if case.root else "no_root"


def configuration(cases, own):
    """The file's text, and the line at which each case's rule begins."""
    text = f'listen = "{own}/listen"\nupstream = "{own}/none"\nadmin = "{own}/admin"\nstate_dir = "{own}/state"\n'
    for name, root in sorted({(trust_of(case), case.root) for case in cases}, key=str):
        text += f'[trust.{name}]\nkind = "sigstore"\nregistry_config = ["{own}/none"]\n'
        text += f'trusted_root = "{cases[0].data / root}"\n' if root else ""
    text += '[default]\naction = "deny"\n'
    begins = {}
    for case in cases:
        begins[case.name] = text.count("\n") + 1
        text += rule_of(case)
    return text, begins


def ask_crivet(cases, folder):
    """One run for all: {name: answer}. A rule that is no rule is an answer too."""
    own = folder / "crivet" / cases[0].name
    (own / "state").mkdir(parents=True, exist_ok=True)
    text, begins = configuration(cases, own)
    (own / "config.toml").write_text(text)
    done = run("crivet", "verify", "--config", own / "config.toml", "--json", *[case.image for case in cases])
    if at := re.search(r"config\.toml:(\d+):", done.stderr):
        wrong = max((case for case in cases if begins[case.name] <= int(at[1])), key=lambda case: begins[case.name])
        rest = [case for case in cases if case is not wrong]
        return {wrong.name: "refused (the rule itself)", **(ask_crivet(rest, folder) if rest else {})}
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if [line["image"] for line in lines] != [case.image for case in cases]:
        raise RuntimeError(f"crivet: {done.stderr or done.stdout}")
    return {case.name: "allowed" if line["verdict"] == "allow" else f"refused ({line['reason']})" for case, line in zip(cases, lines)}


def ask_all(cases, folder, image):
    """Cases of one repository, one after the other: [(name, cosign, skopeo, crivet)]."""
    answers = []
    for case in cases:
        case.put(folder, image)
        crivet = ask_crivet([case], folder)[case.name] if case.kind != "bundle" else None
        answers.append((case.name, ask_cosign(case, folder), ask_skopeo(case, folder), crivet))
    return answers


def main(folder, index, table, found):
    folder, index = pathlib.Path(folder), pathlib.Path(index)
    cases = [Case(json.loads(line), index) for line in index.read_text().splitlines()
             if "cosign" in json.loads(line).get("peers", {}) or json.loads(line)["name"] == "reg-unsigned"]
    image = Image(next(case for case in cases if case.kind == "registry" and case.repository == "acme/web"))
    groups = collections.defaultdict(list)
    for case in cases:
        groups[case.repository].append(case)
    answers = {}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda group: ask_all(group, folder, image), groups.values()):
            answers.update({name: row for name, *row in rows})
    bundles = ask_crivet([case for case in cases if case.kind == "bundle"], folder)
    rows = {name: tuple(bundles.get(name, answer) if answer is None else answer for answer in row) for name, row in answers.items()}
    return compare(rows, ["cosign", "skopeo", "crivet"], table, found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
