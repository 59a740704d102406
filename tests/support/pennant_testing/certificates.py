"""Certificates of a throw-away authority: of servers and clients, in date or not."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class CertificatePair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def crt(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def pem_key(self) -> str:
        kind = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, kind, plain).decode()

    @property
    def secret(self) -> dict[str, str]:
        """As a Secret of type kubernetes.io/tls has it."""
        return {"tls.crt": self.crt, "tls.key": self.pem_key}


@dataclass(frozen=True)
class Authority:
    """Signs certificates for this machine's servers and their clients."""

    name: str = "authority"
    own: CertificatePair = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "own", self._pair(self.name, authority=True))

    def issue(self, name: str, *, days: int = 1, address: str = "127.0.0.1") -> CertificatePair:
        """In date for so many days; with fewer than none it has expired."""
        return self._pair(name, days=days, address=address)

    def demanding(self, folder: Path, server: CertificatePair) -> ssl.SSLContext:
        """Of a server that wants a client certificate of this authority."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "server.pem").write_text(server.crt + server.pem_key)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(folder / "server.pem")
        made.load_verify_locations(cadata=self.own.crt)
        made.verify_mode = ssl.CERT_REQUIRED
        return made

    def _pair(
        self, name: str, *, days: int = 1, address: str = "127.0.0.1", authority: bool = False
    ) -> CertificatePair:
        key = ec.generate_private_key(ec.SECP256R1())
        now, subject = datetime.datetime.now(datetime.UTC), _named(name)
        names = [x509.IPAddress(ipaddress.ip_address(address))]
        issuer = subject if authority else self.own.certificate.subject
        signer = key if authority else self.own.key
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
                critical=False,
            )
            .sign(signer, hashes.SHA256())
        )
        return CertificatePair(made, key)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
