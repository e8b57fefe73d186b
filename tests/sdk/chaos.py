"""A server that keeps no rule: raw sockets on loopback, one script per connection."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.sdk import RateLimit
from hub.sdk.network import networks

LOOPBACK = networks(["127.0.0.0/8", "::1/128"])
Script = Callable[[socket.socket], None]


def answer(body: bytes = b"{}", status: str = "200 OK", length: int | None = None, **headers: str) -> Script:
    """Send one well-formed answer; `length` may lie about the body."""

    def play(peer: socket.socket) -> None:
        given = {"Content-Length": str(len(body) if length is None else length), "Connection": "close"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        peer.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    return play


def reset(peer: socket.socket) -> None:
    """Break the connection with RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(peer: socket.socket) -> None:
    """Close without a word (FIN)."""


def silence(seconds: float = 5.0) -> Script:
    """Say nothing for a while."""

    def play(peer: socket.socket) -> None:
        peer.settimeout(seconds)
        try:
            while peer.recv(65536):
                pass
        except OSError:
            pass

    return play


def drip(text: bytes, every: float = 0.05) -> Script:
    """One byte at a time."""

    def play(peer: socket.socket) -> None:
        for byte in text:
            try:
                peer.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(every)

    return play


@dataclass
class Chaos:
    """Plays one script per connection, the last one again and again. `requests` holds what came in, head and body."""

    scripts: list[Script]
    tls: ssl.SSLContext | None = None
    reads_request: bool = True
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    url: str = ""
    _listener: socket.socket | None = None
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://localhost:{self.port}"
        if self.tls is None:
            self.url = f"http://127.0.0.1:{self.port}"
        self._run(self._accept)

    def stop(self) -> None:
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _run(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        assert self._listener is not None
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            self._run(self._serve, peer, script)

    def _serve(self, peer: socket.socket, script: Script) -> None:
        try:
            if self.tls is not None:
                peer = self.tls.wrap_socket(peer, server_side=True)
            if self.reads_request:
                self.requests.append(_read_request(peer))
            script(peer)
        except OSError:
            pass
        finally:
            peer.close()


def _read_request(peer: socket.socket) -> bytes:
    peer.settimeout(5)
    received = b""
    while b"\r\n\r\n" not in received:
        part = peer.recv(65536)
        if not part:
            return received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


@dataclass
class Bucket:
    """A limiter that keeps count and remembers pauses; `waits` are handed out first."""

    taken: list[str] = field(default_factory=list)
    pauses: list[tuple[str, float]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def take(self, limit: RateLimit) -> float:
        if self.waits:
            return self.waits.pop(0)
        self.taken.append(limit.bucket)
        return 0.0

    def pause(self, limit: RateLimit, seconds: float) -> None:
        self.pauses.append((limit.bucket, seconds))


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate of `localhost` with a key, and a TLS context that shows it."""

    file: Path
    context: ssl.SSLContext


def certificate(folder: Path, name: str = "localhost", days: int = 1) -> Certificate:
    """Make a self-signed certificate; one of -1 days has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=3))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}{days}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    public = folder / f"{name}{days}.crt"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return Certificate(public, context)
