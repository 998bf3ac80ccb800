#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Image registries for tests: distribution specification 1.1 with the referrers API, which no packaged registry has, and with the
faults that a real one cannot be made to show. Content is pushed and kept in memory, one store for all that listen. Each request is
a line of JSON in LOG.

image_registry.py LOG LISTENER...

LISTENER is MODE@ADDRESS:PORT, then `,tls=CERT:KEY` for TLS and `,client=CA` where clients must show a certificate. MODE:
  full      all of it
  old       no referrers API (404), as docker-registry
  stripped  no signatures: 404 for referrers and for tags sha256-...
  cache     an empty index for every question for referrers
  none      404 for everything
  down      500 for everything
  busy      429 with Retry-After: 120 for everything
  made_up   every tag is there, each another image
  sends:URL sends on to URL
Referrers come two a page.
"""

import hashlib
import http.server
import json
import re
import socket
import ssl
import sys
import threading
import urllib.parse

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ROUTE = re.compile(r"(?P<prefix>/.*?)?/v2/(?P<name>.+?)/(?P<what>manifests|blobs|referrers)/(?P<which>[^/]*)(?P<rest>/.*)?$")
PAGE = 2
TLS_HANDSHAKE = b"\x16"

lock = threading.Lock()
blobs = {}      # digest -> bytes
manifests = {}  # (name, tag or digest) -> (media type, bytes)
uploads = {}    # name of an upload -> bytes


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def keep(name, which, media_type, content):
    manifests[name, digest_of(content)] = manifests[name, which] = (media_type, content)


def make_up(name, tag):
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    blobs[digest_of(config)] = config
    keep(name, tag, MANIFEST, json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": {"made-up-for": tag},
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config), "size": len(config)},
    }).encode())


def referrers_of(name, subject):
    """Descriptors, oldest first, each manifest once."""
    found = {}
    for (of, _), (media_type, content) in manifests.items():
        manifest = json.loads(content)
        if of != name or (manifest.get("subject") or {}).get("digest") != subject:
            continue
        found[digest_of(content)] = {
            "mediaType": media_type, "digest": digest_of(content), "size": len(content),
            "artifactType": manifest.get("artifactType") or manifest.get("config", {}).get("mediaType", ""),
            "annotations": manifest.get("annotations") or {},
        }
    return list(found.values())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def log_request(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def handle_any(self):
        server = self.server
        line = {"port": server.server_port, "method": self.command, "target": self.path,
                "headers": {name.lower(): ", ".join(self.headers.get_all(name)) for name in self.headers}}
        with lock, open(server.log, "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        content = self.body()
        url = urllib.parse.urlsplit(self.path)
        route = ROUTE.match(url.path)
        mode = server.mode
        if mode in ("none", "down", "busy"):
            status = {"none": 404, "down": 500, "busy": 429}[mode]
            self.answer(status, **({"Retry_After": "120"} if mode == "busy" else {}))
        elif mode.startswith("sends:"):
            self.answer(307, Location=mode[6:])
        elif not route:
            self.answer(200 if url.path.rstrip("/").endswith("/v2") else 404)
        else:
            with lock:
                getattr(self, "on_" + route["what"])(route, urllib.parse.parse_qs(url.query), content)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = handle_any

    def on_manifests(self, route, _query, content):
        name, which = route["name"], route["which"]
        if self.command == "PUT":
            keep(name, which, self.headers.get("Content-Type", MANIFEST), content)
            subject = (json.loads(content).get("subject") or {}).get("digest")
            named = {"OCI_Subject": subject} if subject and self.server.mode == "full" else {}
            self.answer(201, Docker_Content_Digest=digest_of(content), **named)
            return
        if self.server.mode == "made_up" and (name, which) not in manifests and ":" not in which:
            make_up(name, which)
        stripped = self.server.mode == "stripped" and which.startswith("sha256-")
        if stripped or (name, which) not in manifests:
            self.answer(404)
            return
        media_type, found = manifests[name, which]
        self.answer(200, found, Content_Type=media_type, Docker_Content_Digest=digest_of(found))

    def on_blobs(self, route, query, content):
        which, rest = route["which"], (route["rest"] or "/").lstrip("/")
        if which == "uploads":
            if self.command == "POST":
                rest = str(len(uploads))
            uploads[rest] = uploads.get(rest, b"") + content
            if "digest" in query:
                blobs[query["digest"][0]] = uploads.pop(rest)
            at = (route["prefix"] or "") + f"/v2/{route['name']}/blobs/uploads/{rest}"
            self.answer(201 if "digest" in query else 202, Location=at, Range="0-0", Docker_Upload_UUID=rest)
        elif which in blobs:
            self.answer(200, blobs[which], Content_Type="application/octet-stream", Docker_Content_Digest=which)
        else:
            self.answer(404)

    def on_referrers(self, route, query, _content):
        if self.server.mode in ("old", "stripped"):
            self.answer(404)
            return
        found = [] if self.server.mode == "cache" else referrers_of(route["name"], route["which"])
        first = int(query.get("from", ["0"])[0])
        link = {}
        if first + PAGE < len(found):
            link["Link"] = f'<{urllib.parse.urlsplit(self.path).path}?from={first + PAGE}>; rel="next"'
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": found[first:first + PAGE]}
        self.answer(200, json.dumps(index).encode(), Content_Type=INDEX, **link)


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, log, text):
        mode, _, rest = text.rpartition("@")
        address, *options = rest.split(",")
        host, _, port = address.rpartition(":")
        super().__init__((host, int(port)), Handler)
        self.log, self.mode, self.tls = log, mode, None
        options = dict(option.split("=", 1) for option in options)
        if "tls" in options:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*options["tls"].split(":"))
        if "client" in options:
            self.tls.load_verify_locations(options["client"])
            self.tls.verify_mode = ssl.CERT_REQUIRED

    def finish_request(self, request, client_address):
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        elif request.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE:
            request.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent a TLS handshake to a plain server\n")  # as Go's does
            return
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # a client that went, or that will not have this certificate


def main(log, *listeners):
    threads = [threading.Thread(target=Listener(log, text).serve_forever) for text in listeners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
