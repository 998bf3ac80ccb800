#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands between a node and Notary; a test bends what passes.

fault_proxy.py FOLDER PORT NOTARY-URL: serves https with FOLDER/tls, and reads FOLDER/fault anew for every request:

  pass            what Notary says
  garbage         200 and bytes that are no JSON
  maintenance     200 and a page for people, as a load balancer serves it
  missing ROLE    404 for every file of the role
  stale           for each file what was passed first, as a cache that nobody empties
  held            for each file what was passed last
  altered ROLE    one character of the role's files is another
  ahead SECONDS   as if the clock of Notary, with its database, were ahead: it renews a timestamp when it is asked for it after
                  the expiry, as always, and not before
  away            503
  status N        N, a reason in words, and Retry-After
  silent          no byte of an answer, until the client goes
  drip            200 and a body of which a byte arrives ten times a second

A second line may say more: with `tokens`, files are for the bearer of a token, which alice gets for "secret"; with
`realm URL` they are too, and the URL is where it sends for one; with `cached`, who does not say `Cache-Control: no-cache` gets what was passed last. Each answer is a line on stdout: path, status.
"""

import base64
import datetime
import http.client
import http.server
import json
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

folder, port, notary = sys.argv[1], int(sys.argv[2]), urllib.parse.urlsplit(sys.argv[3])
to_notary = ssl.create_default_context(cafile=f"{folder}/tls/ca.crt")
lock = threading.Lock()
first_passed = {}
last_passed = {}


def faults():
    try:
        with open(f"{folder}/fault", encoding="ascii") as file:
            return file.read().split("\n")
    except FileNotFoundError:
        return ["pass"]


def ask_notary(path):
    connection = http.client.HTTPSConnection(notary.hostname, notary.port, context=to_notary, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 502, b""
    finally:
        connection.close()


def expire_in_database(body, seconds):
    """True where the timestamp is to be renewed, which Notary does by the `expires` of the row, whatever its signature."""
    expires = re.search(r'"expires":"([^"]*)"', body.decode()).group(1)
    ends = datetime.datetime.fromisoformat(expires[:19] + "+00:00")
    if ends > datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds):
        return False
    past = f"UPDATE tuf_files SET data = REPLACE(data, '{expires}', '2001-01-01T00:00:00Z') WHERE role = 'timestamp'"
    client = ["mariadb", "--no-defaults", f"--socket={folder}/mariadb.sock", "--user=root", "notaryserver"]
    subprocess.run([*client, "--execute", past], check=True)
    return True


def ask_notary_ahead(path, seconds):
    with lock:  # two renewals at once would be one too many
        status, body = ask_notary(path)
        if status == 200 and path.endswith("/timestamp.json") and expire_in_database(body, seconds):
            status, body = ask_notary(path)
        return status, body


def answer_for(path, fault):
    word, _, role = fault.partition(" ")
    if word == "garbage":
        return 200, bytes(range(256)) * 8
    if word == "maintenance":
        return 200, b"<html><body><h1>We will be back soon</h1></body></html>"
    if word == "away":
        return 503, b""
    if word == "status":
        return int(role), b'{"errors":[{"code":"UNSUPPORTED","message":"not here"}]}'
    bent = role and f"/tuf/{role}." in path
    if word == "missing" and bent:
        return 404, b'{"errors":[{"code":"METADATA_NOT_FOUND"}]}'
    if word == "stale" and path in first_passed:
        return first_passed[path]
    if word == "held" and path in last_passed:
        return last_passed[path]
    status, body = ask_notary_ahead(path, int(role)) if word == "ahead" else ask_notary(path)
    if word == "altered" and bent:
        middle = len(body) // 2
        return status, body[:middle] + (b"A" if body[middle : middle + 1] != b"A" else b"B") + body[middle + 1 :]
    if status == 200:
        with lock:
            first_passed.setdefault(path, (status, body))
            last_passed[path] = (status, body)
    return status, body


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        fault, *more = faults()
        if self.path.startswith("/token"):
            return self.give_token()
        realm = next((line[len("realm ") :] for line in more if line.startswith("realm ")), None)
        if "tokens" in more:
            realm = f"https://{notary.hostname}:{port}/token"
        if realm and self.headers.get("Authorization") != "Bearer good":
            return self.reply(401, b"{}", ("WWW-Authenticate", f'Bearer realm="{realm}",service="notary"'))
        if "cached" in more and self.path in last_passed and "no-cache" not in self.headers.get("Cache-Control", ""):
            return self.reply(*last_passed[self.path])
        if fault == "silent":
            self.connection.recv(1)
            return self.close_unanswered()
        if fault == "drip":
            return self.drip()
        pause = [("Retry-After", "120")] if fault.startswith("status ") else []
        return self.reply(*answer_for(self.path, fault), *pause)

    def give_token(self):
        alice = "Basic " + base64.b64encode(b"alice:secret").decode()
        if self.headers.get("Authorization") != alice:
            return self.reply(401, b"{}")
        return self.reply(200, json.dumps({"token": "good", "expires_in": 300}).encode())

    def reply(self, status, body, *headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        print(self.path, status, flush=True)

    def close_unanswered(self):
        self.close_connection = True
        print(self.path, "unanswered", flush=True)

    def drip(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" ")
                time.sleep(0.1)
        except OSError:
            self.close_unanswered()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", port), Proxy)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{folder}/tls/server.crt", f"{folder}/tls/server.key")
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
