#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Publishes many names in bins with the reference library.

publish_bins.py FOLDER COUNT BITS NAME=DIGEST...

FOLDER is what a server has then: COUNT names of one registry and those that are given, in 2^BITS bins; with 0 BITS `targets`
lists all of them. What name i stands for are the digits of i. Keys are thrown away.
"""

import datetime
import hashlib
import pathlib
import sys

from securesystemslib.signer import CryptoSigner
from tuf.api import metadata as tuf
from tuf.api.serialization.json import JSONSerializer

EXPIRES = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=30)


def name_of(i):
    return f"registry.example/team{i % 100}/app{i // 100}:1.0"


def main(folder, count, bits, *given):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    signer, online = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
    serializer = JSONSerializer(compact=True)

    def write(name, signed, by):
        signed.expires = EXPIRES
        metadata = tuf.Metadata(signed)
        metadata.sign(by)
        (folder / name).write_bytes(metadata.to_bytes(serializer))

    root = tuf.Root(consistent_snapshot=True)
    for role, by in (("root", signer), ("targets", signer), ("snapshot", online), ("timestamp", online)):
        root.add_key(by.public_key, role)
    targets, content = tuf.Targets(), {}
    if bits != "0":
        bins = tuf.SuccinctRoles([], 1, int(bits), "bin")
        targets.delegations = tuf.Delegations({}, succinct_roles=bins)
        targets.add_key(online.public_key)
        content = {role: {} for role in bins.get_roles()}

    names = {name_of(i): (len(str(i)), hashlib.sha256(str(i).encode()).hexdigest()) for i in range(int(count))}
    names.update((name, (0, sha256)) for name, sha256 in (one.split("=sha256:") for one in given))
    for name, (length, sha256) in names.items():
        listed = content[bins.get_role_for_target(name)] if content else targets.targets
        listed[name] = tuf.TargetFile(length, {"sha256": sha256}, name)
    meta = {"targets.json": tuf.MetaFile(1)}
    for role, listed in content.items():
        write(f"1.{role}.json", tuf.Targets(targets=listed), online)
        meta[f"{role}.json"] = tuf.MetaFile(1)
    write("1.root.json", root, signer)
    write("1.targets.json", targets, signer)
    write("1.snapshot.json", tuf.Snapshot(meta=meta), online)
    write("timestamp.json", tuf.Timestamp(snapshot_meta=tuf.MetaFile(1)), online)


if __name__ == "__main__":
    main(*sys.argv[1:])
