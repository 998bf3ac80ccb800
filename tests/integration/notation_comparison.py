#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks notation and crivet about the same signed images in a docker-registry, and compares where they differ with a table.

notation_comparison.py FOLDER INDEX.jsonl TABLE.md FOUND.md

As cosign_comparison.py does it, for the cases of INDEX that notation can be asked about; those at its level `permissive`, which
crivet does not have, are left out. Exit: 0 where TABLE and FOUND are the same.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from answer_table import compare  # noqa: E402
from cosign_comparison import REGISTRY, INDEX_TYPE, MANIFEST_TYPE, Image, Repository, digest_of  # noqa: E402

SIGNATURE = "application/vnd.cncf.notary.signature"
STORES = {"ca": "ca", "signingAuthority": "signing_authority", "tsa": "tsa"}


class Case:
    def __init__(self, line, index):
        self.read, self.data = line, index.parent
        self.name, self.kind, self.policy = line["name"], line["kind"], line["policy"]
        self.repository = "notation/" + self.name
        self.image = f"{REGISTRY}/{self.repository}:1.0"
        self.level = self.policy["signature_verification"]

    def file(self, name):
        return (self.data / name).read_bytes()

    def put(self, folder, image):
        repository = Repository(folder, self.repository)
        image.put(repository)
        envelope, digest = self.file(self.read["files"]["envelope"]), self.read["image"]["digest"]
        repository.blob(b"{}")
        referrer = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": SIGNATURE, "digest": digest_of(b"{}"), "size": 2},
            "layers": [{"mediaType": self.read["format"], "digest": repository.blob(envelope), "size": len(envelope)}],
            "subject": {"mediaType": MANIFEST_TYPE, "digest": digest, "size": self.read["image"]["size"]}}).encode()
        repository.manifest(json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [{
            "mediaType": MANIFEST_TYPE, "digest": repository.manifest(referrer), "size": len(referrer),
            "artifactType": SIGNATURE}]}).encode(), digest.replace(":", "-"))

    def stores(self):
        """[(kind of store, file)]"""
        return [(name.partition(":")[0], self.data / file) for name, file in self.policy["trust_stores"].items()]


def ask_notation(case, folder):
    home = folder / "notation" / case.name
    policy = home / "notation"
    for kind, file in case.stores():
        store = policy / "truststore/x509" / kind / "acme"
        store.mkdir(parents=True)
        shutil.copy(file, store)
    (policy / "trustpolicy.json").write_text(json.dumps({"version": "1.0", "trustPolicies": [{
        "name": "all", "registryScopes": ["*"], "signatureVerification": case.level,
        "trustStores": [f"{kind}:acme" for kind, _ in case.stores()],
        "trustedIdentities": case.policy["trusted_identities"]}]}))
    done = subprocess.run(["notation", "verify", "--insecure-registry", f"{case.image.removesuffix(':1.0')}@{case.read['image']['digest']}"],
                          env={**os.environ, "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}, capture_output=True,
                          text=True, check=False)
    (home / "says").write_text(done.stdout + done.stderr)
    return "allowed" if done.returncode == 0 else "refused"


def configuration(case, own):
    stores = "".join(f'{STORES[kind]} = ["{file}"]\n' for kind, file in case.stores())
    if any(kind == "tsa" for kind, _ in case.stores()):
        after = case.level.get("verifyTimestamp") == "afterCertExpiry"
        stores += f'verify_timestamp = "{"after-cert-expiry" if after else "always"}"\n'
    identities = json.dumps(case.policy["trusted_identities"], ensure_ascii=False)
    return (f'listen = "{own}/listen"\nupstream = "{own}/none"\nadmin = "{own}/admin"\nstate_dir = "{own}/state"\n'
            f'[trust.case]\nkind = "notation"\nregistry_config = ["{own}/none"]\n{stores}'
            f'[default]\naction = "deny"\n[[rule]]\nimages = ["{REGISTRY}/notation/**"]\naction = "verify"\ntrust = "case"\n'
            f'identities = {identities}\n')


def ask_crivet(case, folder):
    own = folder / "crivet" / case.name
    (own / "state").mkdir(parents=True)
    (own / "config.toml").write_text(configuration(case, own))
    done = subprocess.run(["crivet", "verify", "--config", own / "config.toml", "--json", case.image], capture_output=True,
                          text=True, check=False)
    if not done.stdout:
        if "config.toml:" not in done.stderr:
            raise RuntimeError(f"crivet: {case.name}: {done.stderr}")
        return "refused (the file itself)"
    line = json.loads(done.stdout)
    return "allowed" if line["verdict"] == "allow" else f"refused ({line['reason']})"


def main(folder, index, table, found):
    folder, index = pathlib.Path(folder), pathlib.Path(index)
    lines = [json.loads(line) for line in index.read_text().splitlines()]
    cases = [Case(line, index) for line in lines if line["kind"] == "notation"]
    cases = [case for case in cases if case.level["level"] != "permissive"]
    kept = next(line for line in lines if line["kind"] == "registry" and line["image"]["reference"].startswith(f"{REGISTRY}/acme/web:"))
    image = Image(type("Kept", (), {"read": kept, "file": staticmethod(lambda name: (index.parent / name).read_bytes())}))

    def ask(case):
        case.put(folder, image)
        return case.name, (ask_notation(case, folder), ask_crivet(case, folder))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = dict(pool.map(ask, cases))
    return compare(answers, ["notation", "crivet"], table, found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
