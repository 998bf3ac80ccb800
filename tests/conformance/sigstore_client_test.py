#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The client that sigstore's conformance suite drives, asked what the suite asks: bundles of tests/data/sigstore under the
demand that the command line stands for, one log, one CT log, one time. Their verdict is sigstore-go's but where crivet is
stricter (trust/sigstore/COMPARISON.md). And what is the client's own: which options, files and statements it takes, of bundles
that are made here.

sigstore_client_test.py CLIENT INDEX.jsonl
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

STRICTER = {"keyless-eku-none", "keyless-checkpoint-size", "key-subject-upper-hex"}
IDENTITY = ["--certificate-identity", "https://git.test/a", "--certificate-oidc-issuer", "https://token.test"]
PAYLOAD_TYPE = "application/vnd.in-toto+json"
ARTIFACT = b"a file that somebody signed\n"


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


def accepts(client, bundle, who, what):
    done = subprocess.run([client, "verify-bundle", "--bundle", bundle, *who, what], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def base64_of(data):
    return base64.b64encode(data).decode()


def spki(key, encoding=serialization.Encoding.DER):
    return key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(key, data):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def statement(digests=None, **members):
    digests = digests or {"sha256": hashlib.sha256(ARTIFACT).hexdigest()}
    return {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "a", "digest": digests}],
            "predicateType": "https://predicate.test/v1", "predicate": {}, **members}


class Made:
    """A bundle by a key, in a log of the second kind with one entry; its trusted root and the key beside it."""

    def __init__(self, folder, signed, key=None):
        key = key or ec.generate_private_key(ec.SECP256R1())
        log = ec.generate_private_key(ec.SECP256R1())
        payload = ARTIFACT if signed is None else json.dumps(signed).encode()
        covered = payload if signed is None else (
            f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode() + payload)
        signature = sign(key, covered)
        details = "PKIX_RSA_PKCS1V15_2048_SHA256" if isinstance(key, rsa.RSAPrivateKey) else f"PKIX_ECDSA_P{key.key_size}_SHA_256"
        body = json.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
            "data": {"algorithm": "SHA2_256", "digest": base64_of(hashlib.sha256(covered).digest())},
            "signature": {"content": base64_of(signature),
                          "verifier": {"keyDetails": details, "publicKey": {"rawBytes": base64_of(spki(key))}}}}}}).encode()
        log_id = hashlib.sha256(spki(log)).digest()
        root = base64_of(hashlib.sha256(b"\0" + body).digest())
        note = f"log.test\n1\n{root}\n"
        checkpoint = f"{note}\n\u2014 log.test {base64_of(log_id[:4] + sign(log, note.encode()))}\n"
        bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {
            "publicKey": {"hint": "any"}, "tlogEntries": [{
                "logIndex": "0", "logId": {"keyId": base64_of(log_id)},
                "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"}, "canonicalizedBody": base64_of(body),
                "inclusionProof": {"logIndex": "0", "rootHash": root, "treeSize": "1", "hashes": [],
                                   "checkpoint": {"envelope": checkpoint}}}]}}
        if signed is None:
            bundle["messageSignature"] = {
                "messageDigest": {"algorithm": "SHA2_256", "digest": base64_of(hashlib.sha256(ARTIFACT).digest())},
                "signature": base64_of(signature)}
        else:
            bundle["dsseEnvelope"] = {"payload": base64_of(payload), "payloadType": PAYLOAD_TYPE,
                                      "signatures": [{"sig": base64_of(signature)}]}
        trusted = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": [{
            "baseUrl": "https://log.test", "logId": {"keyId": base64_of(log_id)},
            "publicKey": {"rawBytes": base64_of(spki(log)), "validFor": {"start": "2020-01-01T00:00:00Z"}}}]}
        self.bundle, self.artifact, self.other = folder / "bundle.json", folder / "artifact", folder / "other"
        self.bundle.write_text(json.dumps(bundle))
        self.artifact.write_bytes(ARTIFACT)
        self.other.write_bytes(b"another file\n")
        (folder / "root.json").write_text(json.dumps(trusted))
        (folder / "key.pub").write_bytes(spki(key, serialization.Encoding.PEM))
        self.root = ["--trusted-root", folder / "root.json"]
        self.who = ["--key", folder / "key.pub", *self.root]


def digest_of(path):
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def of_its_own(client, folder):
    """What is wrong, a line each."""
    asked = []

    def expect(wanted, what, made, who, artifact):
        got, why = accepts(client, made.bundle, who, artifact)
        asked.append("" if got == wanted else f"{what}: {'accepted' if got else why}")

    keys = {"P-256": ec.generate_private_key(ec.SECP256R1()), "P-384": ec.generate_private_key(ec.SECP384R1()),
            "RSA": rsa.generate_private_key(65537, 2048)}
    for name, key in keys.items():
        for signed in (statement(), None):
            made = Made(folder, signed, key)
            what = f"{name} over a {'file' if signed is None else 'statement'}"
            expect(True, f"{what}, its file", made, made.who, made.artifact)
            expect(True, f"{what}, its digest", made, made.who, digest_of(made.artifact))
            expect(False, f"{what}, another file", made, made.who, made.other)
            expect(False, f"{what}, another digest", made, made.who, digest_of(made.other))
            expect(False, f"{what}, a digest in capitals", made, made.who, "sha256:" + digest_of(made.artifact)[7:].upper())
            expect(False, f"{what}, a key and an identity", made, made.who + IDENTITY, made.artifact)
            expect(False, f"{what}, a key and a subject", made, made.who + IDENTITY[:2], made.artifact)
            expect(False, f"{what}, a key and an issuer", made, made.who + IDENTITY[2:], made.artifact)
            expect(False, f"{what}, an identity and no key", made, made.root + IDENTITY, made.artifact)
            expect(False, f"{what}, neither", made, made.root, made.artifact)
            (folder / "other.pub").write_bytes(spki(ec.generate_private_key(ec.SECP256R1()), serialization.Encoding.PEM))
            expect(False, f"{what}, another key", made, ["--key", folder / "other.pub", *made.root], made.artifact)
    for kind, wanted in {"https://in-toto.io/Statement/v1": True, "https://in-toto.io/Statement/v0.1": True,
                         "https://in-toto.io/Statement/v2": False, "https://in-toto.io/Statement": False, "": False,
                         None: False, 1: False}.items():
        made = Made(folder, statement(_type=kind))
        expect(wanted, f"a statement of type {kind}", made, made.who, made.artifact)
    untyped = statement()
    del untyped["_type"]
    made = Made(folder, untyped)
    expect(False, "a statement without a type", made, made.who, made.artifact)
    made = Made(folder, statement({"sha512": hashlib.sha512(ARTIFACT).hexdigest()}))
    expect(True, "a subject by SHA-512, its file", made, made.who, made.artifact)
    expect(False, "a subject by SHA-512, another file", made, made.who, made.other)
    expect(False, "a subject by SHA-512, a SHA-256", made, made.who, digest_of(made.artifact))
    return len(asked), [line for line in asked if line]


def main(client, index):
    data = pathlib.Path(index).parent
    cases = [case for case in map(json.loads, pathlib.Path(index).read_text().splitlines()) if is_what_the_suite_asks(case)]
    wrong = []
    for case in cases:
        wanted = "deny" if case["name"] in STRICTER else case["expected"]
        for what in (data / "image/manifest.json", case["image"]["digest"]):
            got, why = accepts(client, data / case["files"]["bundle"], arguments(case["policy"], data), what)
            if got != (wanted == "allow"):
                wrong.append(f"{case['name']}: wanted {wanted}; {why or 'accepted'}")
    other, _ = accepts(client, data / "bundles/keyless-good.json", arguments(cases[0]["policy"], data), __file__)
    with tempfile.TemporaryDirectory() as folder:
        count, own = of_its_own(client, pathlib.Path(folder))
    for line in wrong + own:
        print(line)
    print(f"{len(cases)} bundles, {len(wrong)} answers wrong; {count} questions of its own, {len(own)} answers wrong")
    return 1 if wrong or own or len(cases) < 30 or other else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
