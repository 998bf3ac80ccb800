#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The client that sigstore's conformance suite drives, asked what the suite asks: bundles of tests/data/sigstore under the
demand that the command line stands for, one log, one CT log, one time. Their verdict is sigstore-go's but where crivet is
stricter (trust/sigstore/COMPARISON.md).

sigstore_client_test.py CLIENT INDEX.jsonl
"""

import json
import pathlib
import subprocess
import sys

STRICTER = {"keyless-eku-none", "keyless-checkpoint-size", "key-subject-upper-hex"}


def arguments(policy, data):
    who = (["--key", data / policy["key"]] if policy["method"] == "key" else
           ["--certificate-identity", policy["subject"], "--certificate-oidc-issuer", policy["issuer"]])
    return [*who, "--trusted-root", data / policy["trusted_root"]]


def is_what_the_suite_asks(case):
    if case["kind"] != "bundle":
        return False
    policy = case["policy"]
    one_time = policy["method"] == "key" or policy["timestamps"] in ("integrated", "any")
    return policy["tlog"] == 1 and one_time and "subject_regexp" not in policy


def main(client, index):
    data = pathlib.Path(index).parent
    cases = [case for case in map(json.loads, pathlib.Path(index).read_text().splitlines()) if is_what_the_suite_asks(case)]
    wrong = 0
    for case in cases:
        bundle = data / case["files"]["bundle"]
        wanted = "deny" if case["name"] in STRICTER else case["expected"]
        by_digest = "messageSignature" not in bundle.read_text()
        for what in [data / "image/manifest.json", case["image"]["digest"]][:1 + by_digest]:
            done = subprocess.run([client, "verify-bundle", "--bundle", bundle, *arguments(case["policy"], data), what],
                                  capture_output=True, text=True, check=False)
            if (done.returncode == 0) != (wanted == "allow"):
                wrong += 1
                print(f"{case['name']}: wanted {wanted}; {done.stderr or 'accepted'}")
    print(f"{len(cases)} bundles, {wrong} answers wrong")
    other = subprocess.run([client, "verify-bundle", "--bundle", data / "bundles/keyless-good.json",
                            *arguments(cases[0]["policy"], data), __file__], capture_output=True, check=False)
    return 1 if wrong or len(cases) < 30 or other.returncode == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
