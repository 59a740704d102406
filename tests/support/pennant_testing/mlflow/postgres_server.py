"""A PostgreSQL server of Debian's, on a free loopback port, with its data in a folder of its own.

The server refuses to be run by root: it is nobody's then.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pennant_dev.packages import install, require_debian
from pennant_dev.ports import free_port

PROGRAMS = Path("/usr/lib/postgresql")
AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


@contextlib.contextmanager
def postgres(*, locale: str = "en-US") -> Iterator[str]:
    """The SQLAlchemy address of an empty database that sorts as people of `locale` do."""
    folder, port = Path(tempfile.mkdtemp(prefix="pennant-postgres-")), free_port()
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        data = folder / "data"
        sorts = ("--encoding=UTF8", "--locale-provider=icu", f"--icu-locale={locale}")
        _run("initdb", f"--pgdata={data}", "--username=mlflow", "--auth=trust", *sorts)
        where = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories="
        settings = f"{where} -c fsync=off -c max_connections=40"
        log = ("-l", str(folder / "log"))
        _run("pg_ctl", "start", "--wait", f"--pgdata={data}", *log, "-o", settings)
        try:
            yield f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "stop", "--wait", "--mode=immediate", f"--pgdata={data}")
    finally:
        shutil.rmtree(folder)


def _run(program: str, *arguments: str) -> None:
    command = [*(AS_NOBODY if os.geteuid() == 0 else ()), str(_programs() / program), *arguments]
    # Not captured: the server inherits what this process has open.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command, stdout=output, stderr=output, cwd="/", timeout=120, check=False
        )
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{output.read().decode()[-2000:]}")


def _programs() -> Path:
    if not PROGRAMS.is_dir():
        require_debian()
        install(["postgresql"])
    return max(PROGRAMS.glob("*/bin"))
