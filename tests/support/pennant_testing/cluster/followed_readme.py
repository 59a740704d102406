"""The README of an example, followed as it stands: where a person trains is the toolbox pod, where
`kubectl` is the test's own namespace, and the index of packages is one in the cluster."""

import base64
import re
import shlex
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_testing.cluster.deployed import INVOKE
from pennant_testing.cluster.package_index import UNPACK
from pennant_testing.folders import REPOSITORY
from pennant_testing.shown_commands import ShownCommand, shown_commands

THERE = "/tmp/examples"
"""In the toolbox pod."""
INDEX = "https://packages.example.com/simple"
"""As the pages have it."""


@dataclass(frozen=True)
class Reader:
    """Who follows a README of one example."""

    kube: Kube
    example: str
    namespace: str
    index: str

    @property
    def here(self) -> Path:
        return REPOSITORY / "examples" / self.example

    @property
    def there(self) -> str:
        return f"{THERE}/{self.example}"

    def follow(self) -> Iterator[tuple[ShownCommand, str]]:
        """Each command, as the page shows it, and what it printed. DevError when one fails."""
        for shown in shown_commands(self.here / "README.md"):
            yield shown, self._run(shown.command)

    def train(self) -> list[str]:
        """The versions that the page trains, and nothing else of it."""
        commands = [shown.command for shown in shown_commands(self.here / "README.md")]
        training = [each for each in commands if ".venv" in each and "MlflowClient" not in each]
        return re.findall(r"version (\d+) is production", "".join(map(self._run, training)))

    def carry(self, archive: Path) -> None:
        """Bring the folder to where it is trained; `archive` is written on the way."""
        with tarfile.open(archive, "w") as opened:  # without the .venv of who has tried it here
            for path in filter(Path.is_file, self.here.iterdir()):
                opened.add(path, path.name)
        content = base64.b64encode(archive.read_bytes()).decode()
        where = ("exec", "--stdin", setup.TOOLBOX, f"--namespace={NAMESPACE}", "--")
        self.kube(*where, "rm", "-rf", self.there)
        self.kube(*where, "python", "-c", UNPACK, self.there, stdin=content)

    def _run(self, command: str) -> str:
        program, *words = shlex.split(command)
        if program == "curl":
            return self._ask(words)
        if program != "kubectl":
            return self._in_the_toolbox(command)
        if "port-forward" in words:  # to the Service, which is asked by its own name here
            return ""
        own = [] if "-n" in words else [f"--namespace={self.namespace}"]
        placed = (word.replace(INDEX, self.index) for word in words)
        return self.kube(*own, *(self._path_of(word) for word in placed))

    def _path_of(self, word: str) -> str:
        return str(self.here / word) if word.endswith(".yaml") else word

    def _ask(self, words: list[str]) -> str:
        path = urlsplit(f"//{next(each for each in words if each.startswith('localhost'))}").path
        url = f"http://{self.example}.{self.namespace}{path}"
        asking = ("python", "-c", INVOKE, url, words[words.index("-d") + 1])
        return self.kube.execute(NAMESPACE, setup.TOOLBOX, *asking)

    def _in_the_toolbox(self, command: str) -> str:
        settings = {
            "PIP_INDEX_URL": self.index,
            "PIP_TRUSTED_HOST": urlsplit(self.index).hostname,
            "PIP_NO_CACHE_DIR": "1",
        }
        variables = " ".join(f"{name}={value}" for name, value in settings.items())
        script = f"cd {self.there} && export {variables} && {command}"
        return self.kube.execute(NAMESPACE, setup.TOOLBOX, "sh", "-c", script)
