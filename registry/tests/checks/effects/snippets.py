"""Small providers, each with what it does to the world: the truth a derivation is held to.

A snippet is the body of an operation `run(self, key, value)`, with what stands around it. `self.c`
is an `httpx.AsyncClient`, opened in `__aenter__`, unless the snippet brings its own class.
"""

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from core_caps.claims.lattice import Effects

__all__ = ["CLASS", "Snippet", "write"]

CLASS = """
import httpx

class P:
    def __init__(self, config, *, clock, rng):
        self.c = None

    async def __aenter__(self):
        self.c = httpx.AsyncClient(base_url="https://api.example.com/v1")
        return self

    async def __aexit__(self, *exc):
        await self.c.aclose()
"""

PURE, READS, WRITES = Effects


@dataclass(frozen=True)
class Snippet:
    """A provider and what `run` does.

    Attributes:
        name: what it shows.
        body: the statements of `run`.
        effects: what must be derived.
        top: whether something must stay unknown; None where either is right.
        around: module-level source in front of the class.
        members: further members of the class.
        sinks: a word that must be found in the details of the sinks, each.
        modules: further modules of the package, by name.
        hosts: the hosts that must be found.
    """

    name: str
    body: str
    effects: Effects
    top: bool | None = False
    around: str = ""
    members: str = ""
    sinks: tuple[str, ...] = ()
    modules: dict[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] | None = None

    @property
    def source(self) -> str:
        """The provider's module."""
        members = textwrap.indent(textwrap.dedent(self.members), "    ")
        body = textwrap.indent(textwrap.dedent(self.body).strip(), "        ")
        return (
            f"{textwrap.dedent(self.around)}\n{CLASS}\n{members}\n"
            f"    async def run(self, key, value):\n{body}\n"
        )


def write(snippet: Snippet, folder: Path) -> Path:
    """Lay the snippet out as a package `pkg` whose provider is `pkg.m:P`."""
    package = folder / "pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "m.py").write_text(snippet.source)
    for name, source in snippet.modules.items():
        path = package.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
    return folder
