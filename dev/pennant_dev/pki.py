"""Certificates of a throw-away cluster: one authority, elliptic keys (generated in milliseconds).

Every function keeps what is already there, so a restart keeps its identities.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.shell import run

DAYS = "365"


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a folder; `ca.crt` and `ca.key` are made on first use."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The authority's own certificate."""
        return self.folder / "ca.crt"

    def path(self, name: str) -> Path:
        """`NAME.crt` or `NAME.key` in the folder."""
        return self.folder / name

    def create(self) -> None:
        """Make the authority, and the key that signs service-account tokens."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.certificate.exists():
            return
        _key(self.path("ca.key"))
        _key(self.path("sa.key"))
        run(["openssl", "pkey", "-in", self.path("sa.key"), "-pubout", "-out", self.path("sa.pub")])
        # openssl's own settings mark the certificate as an authority's.
        run([
            "openssl", "req", "-x509", "-new", "-key", self.path("ca.key"), "-subj", "/CN=pennant",
            "-days", DAYS, "-out", self.certificate,
        ])  # fmt: skip

    def issue(self, name: str, subject: str, alternatives: Sequence[str] = ()) -> None:
        """`NAME.crt` and `NAME.key` for clients and, with alternative names, for servers.

        `subject` is openssl's form (`/O=group/CN=user`); an alternative is `DNS:x` or `IP:x`.
        """
        if self.path(f"{name}.crt").exists():
            return
        _key(self.path(f"{name}.key"))
        extensions = self.path(f"{name}.ext")
        lines = ["extendedKeyUsage=clientAuth,serverAuth", "basicConstraints=CA:FALSE"]
        if alternatives:
            lines.append("subjectAltName=" + ",".join(alternatives))
        extensions.write_text("\n".join(lines) + "\n")
        request = run(
            ["openssl", "req", "-new", "-key", self.path(f"{name}.key"), "-subj", subject]
        )
        run([
            "openssl", "x509", "-req", "-CA", self.certificate, "-CAkey", self.path("ca.key"),
            "-set_serial", str(secrets.randbits(63)), "-days", DAYS, "-extfile", extensions,
            "-out", self.path(f"{name}.crt"),
        ], stdin=request)  # fmt: skip


def _key(path: Path) -> None:
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-out", path])  # fmt: skip
    path.chmod(0o600)


def kubeconfig(authority: Authority, server: str, name: str) -> str:
    """A kubeconfig (JSON is YAML) that uses the certificate NAME; files are referred to."""
    return f"""\
apiVersion: v1
kind: Config
current-context: pennant
contexts: [{{name: pennant, context: {{cluster: pennant, user: {name}}}}}]
clusters:
  - name: pennant
    cluster: {{server: "{server}", certificate-authority: "{authority.certificate}"}}
users:
  - name: {name}
    user:
      client-certificate: "{authority.path(name + ".crt")}"
      client-key: "{authority.path(name + ".key")}"
"""
