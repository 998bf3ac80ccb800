#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `cosign sign` without a key calls, for tests: Fulcio (v2) with the certificate transparency log behind it, a timestamp
authority (RFC 3161) and a transparency log (Rekor v2). It believes every token.

sigstore_services.py FOLDER PORT

writes fulcio.pem, tsa.pem (chains, leaf's issuer first), ctlog.pub, rekor.pub into FOLDER, then serves http://127.0.0.1:PORT:

  POST /api/v2/signingCert    a certificate for the token's `email` and `iss`, with the CT log's promise in it
  POST /api/v1/timestamp      a timestamp; /timestamp with the status that everybody but sigstore expects (notation)
  POST /api/v2/log/entries    an entry with proof and checkpoint
"""

import base64
import datetime
import hashlib
import http.server
import json
import pathlib
import struct
import subprocess
import sys
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

FULCIO_ISSUER = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")     # raw bytes
FULCIO_ISSUER_V2 = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")  # a UTF8String
SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
SHA256_ECDSA = b"\4\3"
DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def sign(key, data):
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def spki(key, encoding=serialization.Encoding.DER):
    return key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def base64_of(data):
    return base64.b64encode(data).decode()


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "acme"), x509.NameAttribute(NameOID.COMMON_NAME, text)])


def der(tag, content):
    """Of up to 255 bytes."""
    return bytes([tag, len(content)] if len(content) < 128 else [tag, 0x81, len(content)]) + content


def key_usage(*uses):
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{use: use in uses for use in every})


class Authority:
    """A key and its certificate."""

    def __init__(self, name, issuer=None, purpose=None, is_ca=True):
        self.key = new_key()
        builder = (x509.CertificateBuilder().subject_name(name_of(name)).public_key(self.key.public_key())
                   .issuer_name(issuer.certificate.subject if issuer else name_of(name))
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now() - DAY).not_valid_after(now() + 3650 * DAY))
        if is_ca:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        uses = ("key_cert_sign", "crl_sign") if is_ca else ("digital_signature",)
        builder = builder.add_extension(key_usage(*uses), critical=True)
        if purpose:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=not is_ca)
        self.certificate = builder.sign((issuer or self).key, hashes.SHA256())


class Fulcio:
    def __init__(self, folder):
        self.root = Authority("fulcio root")
        self.issuer = Authority("fulcio intermediate", self.root, ExtendedKeyUsageOID.CODE_SIGNING)
        self.log_key = new_key()
        (folder / "fulcio.pem").write_text(pem(self.issuer.certificate) + pem(self.root.certificate))
        (folder / "ctlog.pub").write_bytes(spki(self.log_key, serialization.Encoding.PEM))

    def answer(self, body, headers):
        claims = json.loads(base64.urlsafe_b64decode(headers["Authorization"].split(".")[1] + "=="))
        key = serialization.load_pem_public_key(json.loads(body)["publicKeyRequest"]["publicKey"]["content"].encode())
        chain = [self.certify(key, claims["email"], claims["iss"]), self.issuer.certificate, self.root.certificate]
        return json.dumps({"signedCertificateEmbeddedSct": {"chain": {"certificates": [pem(each) for each in chain]}}}).encode()

    def certify(self, key, email, issuer):
        text = issuer.encode()
        unlogged = (x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(self.issuer.certificate.subject)
                    .public_key(key).serial_number(x509.random_serial_number())
                    .not_valid_before(now()).not_valid_after(now() + datetime.timedelta(minutes=10))
                    .add_extension(key_usage("digital_signature"), critical=True)
                    .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
                    .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(email)]), critical=True)
                    .add_extension(x509.UnrecognizedExtension(FULCIO_ISSUER, text), critical=False)
                    .add_extension(x509.UnrecognizedExtension(FULCIO_ISSUER_V2, der(0x0C, text)), critical=False))
        promise = self.promise(unlogged.sign(self.issuer.key, hashes.SHA256()).tbs_certificate_bytes)
        return unlogged.add_extension(x509.UnrecognizedExtension(SCT_LIST, promise), critical=False).sign(
            self.issuer.key, hashes.SHA256())

    def promise(self, unlogged):
        """RFC 6962, 3.2 and 3.3: a list of one timestamp, signed over the certificate without that list."""
        time = int(now().timestamp() * 1000)
        issuer = hashlib.sha256(spki(self.issuer.key)).digest()
        signature = sign(self.log_key, b"\0\0" + struct.pack(">QH", time, 1) + issuer + len(unlogged).to_bytes(3, "big") +
                         unlogged + b"\0\0")
        timestamp = (b"\0" + hashlib.sha256(spki(self.log_key)).digest() + struct.pack(">Q", time) + b"\0\0" + SHA256_ECDSA +
                     struct.pack(">H", len(signature)) + signature)
        one = struct.pack(">H", len(timestamp)) + timestamp
        all_of_them = struct.pack(">H", len(one)) + one
        return der(0x04, all_of_them)


class TimestampAuthority:
    CONFIGURATION = """[tsa]
default_tsa = only
[only]
serial = {folder}/tsa.serial
signer_cert = {folder}/tsa.crt
signer_key = {folder}/tsa.key
certs = {folder}/tsa-root.crt
signer_digest = sha256
digests = sha256, sha384, sha512
default_policy = 1.2.3.4.1
ess_cert_id_alg = sha256
"""

    def __init__(self, folder):
        self.folder = folder
        root = Authority("tsa root")
        signer = Authority("tsa", root, ExtendedKeyUsageOID.TIME_STAMPING, is_ca=False)
        (folder / "tsa.pem").write_text(pem(signer.certificate) + pem(root.certificate))
        (folder / "tsa.crt").write_text(pem(signer.certificate))
        (folder / "tsa-root.crt").write_text(pem(root.certificate))
        (folder / "tsa.key").write_bytes(signer.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        (folder / "tsa.serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(self.CONFIGURATION.format(folder=folder))

    def answer(self, body, _headers):
        query, reply = self.folder / "tsa.query", self.folder / "tsa.reply"
        query.write_bytes(body)
        subprocess.run(["openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", query, "-out", reply],
                       check=True, capture_output=True)
        return reply.read_bytes()


class Rekor:
    """RFC 6962's tree over all entries, and a signed note about it (C2SP tlog-checkpoint)."""

    def __init__(self, folder, origin):
        self.key, self.origin, self.leaves = new_key(), origin, []
        (folder / "rekor.pub").write_bytes(spki(self.key, serialization.Encoding.PEM))

    @classmethod
    def root(cls, leaves):
        if len(leaves) == 1:
            return leaves[0]
        left = cls.left_of(leaves)
        return hashlib.sha256(b"\1" + cls.root(leaves[:left]) + cls.root(leaves[left:])).digest()

    @classmethod
    def path(cls, index, leaves):
        if len(leaves) == 1:
            return []
        left = cls.left_of(leaves)
        if index < left:
            return cls.path(index, leaves[:left]) + [cls.root(leaves[left:])]
        return cls.path(index - left, leaves[left:]) + [cls.root(leaves[:left])]

    @staticmethod
    def left_of(leaves):
        return 1 << ((len(leaves) - 1).bit_length() - 1)

    def checkpoint(self):
        text = f"{self.origin}\n{len(self.leaves)}\n{base64_of(self.root(self.leaves))}\n"
        hint = hashlib.sha256(spki(self.key)).digest()[:4]
        return f"{text}\n\u2014 {self.origin} {base64_of(hint + sign(self.key, text.encode()))}\n"

    @staticmethod
    def entry(request):
        """The same words in another order: what a client asks for, and what the log keeps."""
        asked = request["hashedRekordRequestV002"]
        verifier = asked["signature"]["verifier"]
        return {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
            "data": {"algorithm": "SHA2_256", "digest": asked["digest"]},
            "signature": {"content": asked["signature"]["content"], "verifier": verifier}}}}

    def answer(self, body, _headers):
        entry = json.dumps(self.entry(json.loads(body)), separators=(",", ":"), sort_keys=True).encode()
        self.leaves.append(hashlib.sha256(b"\0" + entry).digest())
        index, size = len(self.leaves) - 1, len(self.leaves)
        return json.dumps({
            "logIndex": str(index), "logId": {"keyId": base64_of(hashlib.sha256(spki(self.key)).digest())},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"}, "canonicalizedBody": base64_of(entry),
            "inclusionProof": {
                "logIndex": str(index), "treeSize": str(size), "rootHash": base64_of(self.root(self.leaves)),
                "hashes": [base64_of(each) for each in self.path(index, self.leaves)],
                "checkpoint": {"envelope": self.checkpoint()}}}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    services = {}  # path -> (whoever answers, status, media type)
    lock = threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = self.services.get(self.path)
        if not found:
            self.send_error(404)
            return
        service, status, media_type = found
        with self.lock:
            answer = service.answer(body, self.headers)
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def main(folder, port):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tsa = TimestampAuthority(folder)
    Handler.services = {
        "/api/v2/signingCert": (Fulcio(folder), 200, "application/json"),
        "/api/v1/timestamp": (tsa, 201, "application/timestamp-reply"),
        "/timestamp": (tsa, 200, "application/timestamp-reply"),
        "/api/v2/log/entries": (Rekor(folder, "127.0.0.1"), 201, "application/json"),
    }
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
