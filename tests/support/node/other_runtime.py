#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves what stands behind SOCKET at another path, as a runtime of another name: other_runtime.py PATH SOCKET

The bytes pass as they are, but for the name in the answer to Version: its length is the same.
"""

import os
import socket
import sys
import threading

path, behind = sys.argv[1:3]
CONTAINERD = b"\x12\x0acontainerd"  # the field runtime_name
OTHER = b"\x12\x0acri-o-like"


def pump(source, target, bend):
    try:
        while data := source.recv(65536):
            target.sendall(bend(data))
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client):
    server = socket.socket(socket.AF_UNIX)
    try:
        server.connect(behind)
    except OSError:
        client.close()
        return
    threading.Thread(target=pump, args=(client, server, lambda data: data), daemon=True).start()
    pump(server, client, lambda data: data.replace(CONTAINERD, OTHER))
    client.close()
    server.close()


if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(64)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
