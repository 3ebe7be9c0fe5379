"""Broken plugins, each refused for what is broken; clean ones that look alike pass."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flows_registry.verdict import CheckResult, Verdict

pytestmark = pytest.mark.feature("DC-05", "P4-07")

Check = Callable[..., CheckResult]
Spoil = Callable[[Path], None]

PACKAGE = "src/cap_twin"


def _edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def _append(folder: Path, name: str, text: str) -> None:
    with (folder / name).open("a") as file:
        file.write(text)


def _build_hook(folder: Path, body: str) -> None:
    """A hatchling build hook that runs `body` before anything is packed."""
    _append(folder, "pyproject.toml", "\n[tool.hatch.build.hooks.custom]\n")
    (folder / "hatch_build.py").write_text(
        "import os, random, sys, time, datetime\n"
        "from pathlib import Path\n"
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n\n"
        "class CustomBuildHook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        f"        root, package = Path(self.root), Path(self.root, '{PACKAGE}')\n" + body
    )


def _hook(body: str) -> Spoil:
    return lambda folder: _build_hook(folder, f"        {body}\n")


def _manifest(old: str, new: str) -> Spoil:
    return lambda folder: _edit(folder, f"{PACKAGE}/capability.toml", old, new)


def _project(old: str, new: str) -> Spoil:
    return lambda folder: _edit(folder, "pyproject.toml", old, new)


def _mock(text: str) -> Spoil:
    return lambda folder: _append(folder, f"{PACKAGE}/mock.py", text)


def _included(name: str, target: str, text: str = "print('here')\n") -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        section = "\n[tool.hatch.build.targets.wheel.force-include]\n"
        _append(folder, "pyproject.toml", f'{section}"{name}" = "{target}"\n')

    return spoil


def _without_manifest(folder: Path) -> None:
    (folder / PACKAGE / "capability.toml").unlink()


def _without_marker(folder: Path) -> None:
    (folder / PACKAGE / "py.typed").unlink()


def _leaving_link(folder: Path) -> None:
    (folder / PACKAGE / "hosts.txt").symlink_to("/etc/hosts")


def _remote(dependency: str, imported: str) -> Spoil:
    """A second backend whose extra brings `dependency` and whose module imports `imported`."""

    def spoil(folder: Path) -> None:
        text = (folder / PACKAGE / "mock.py").read_text()
        (folder / PACKAGE / "remote.py").write_text(
            text.replace("MockKv", "RemoteKv").replace(
                "import asyncio\n", f"import asyncio\nimport {imported}\n", 1
            )
        )
        _edit(
            folder,
            "pyproject.toml",
            "test = [",
            f'remote = ["{dependency}"]\ntest = [',
        )
        _append(
            folder,
            f"{PACKAGE}/capability.toml",
            '\n[backends.remote]\nproviders.kv = "cap_twin.remote:RemoteKv"\nextra = "remote"\n'
            '\n[backends.remote.config]\nstore = { type = "str", default = "", example = "lab" }\n',
        )

    return spoil


BROKEN: dict[str, tuple[Spoil, str]] = {
    "the time in a file": (
        _hook("(package / 'stamp.py').write_text(f'AT = {time.time()}')"),
        "PACKAGE004",
    ),
    "the date in a file": (
        _hook("(package / 'stamp.py').write_text(f'AT = \"{datetime.date.today()}\"')"),
        "PACKAGE004",
    ),
    "a random value in a file": (
        _hook("(package / 'stamp.py').write_text(f'AT = {random.random()}')"),
        "PACKAGE004",
    ),
    "the folder's path in a file": (
        _hook("(package / 'stamp.py').write_text(f'AT = {os.getcwd()!r}')"),
        "PACKAGE004",
    ),
    "the order of a set in a file": (
        _hook("(package / 'stamp.py').write_text(f'AT = {list(set(\"abcdefghij\"))}')"),
        "PACKAGE004",
    ),
    "a build that writes beside its folder": (
        _hook("(root.parent / 'stray.txt').write_text('x')"),
        "PACKAGE005",
    ),
    "a build that writes to its home": (
        _hook("(Path.home() / '.profile').write_text('x')"),
        "PACKAGE005",
    ),
    "a build that fails": (_hook("raise RuntimeError('no')"), "PACKAGE003"),
    "a build that crashes": (_hook("os._exit(0)"), "PACKAGE003"),
    "a build that wants the network": (
        _hook("import socket; socket.create_connection(('192.0.2.1', 80), 5)"),
        "PACKAGE003",
    ),
    "a build backend that is not there": (
        _project('build-backend = "hatchling.build"', 'build-backend = "hatchling.nothing"'),
        "PACKAGE003",
    ),
    "a pyproject.toml that does not parse": (_project("[project]", "[project"), "PACKAGE003"),
    "a .pth file in the wheel": (
        _included("start.pth", "twin_start.pth", "import os\n"),
        "PACKAGE007",
    ),
    "a start-up module": (_included("s.py", "sitecustomize.py"), "PACKAGE007"),
    "a module beside the package": (_included("o.py", "cap_twin_other.py"), "PACKAGE007"),
    "a package of somebody else": (_included("o.py", "httpx/__init__.py"), "PACKAGE007"),
    "tests in the package": (_included("t.py", "cap_twin/tests/test_x.py"), "PACKAGE007"),
    "tests at the top": (_included("t.py", "tests/test_x.py"), "PACKAGE007"),
    "compiled code without source": (_included("c.bin", "cap_twin/c.pyc"), "PACKAGE007"),
    "no licence": (_project('license = "Apache-2.0"', "# none"), "PACKAGE008"),
    "no Python versions": (_project('requires-python = ">=3.11"', "# none"), "PACKAGE008"),
    "no py.typed": (_without_marker, "PACKAGE008"),
    "a dependency from a URL": (
        lambda folder: (
            _project('["core-caps"]', '["core-caps", "idna @ https://example.com/i.tar.gz"]')(
                folder
            ),
            _append(
                folder, "pyproject.toml", "\n[tool.hatch.metadata]\nallow-direct-references=true\n"
            ),
        )[0],
        "PACKAGE009",
    ),
    "no manifest": (_without_manifest, "PACKAGE010"),
    "two manifests": (
        _included("m.toml", "cap_twin/more/capability.toml", "schema = 1\n"),
        "PACKAGE010",
    ),
    "two names": (_manifest('name = "twin"', 'name = "twins"'), "PACKAGE011"),
    "an entry point to a missing module": (
        _project("cap_twin.plugin", "cap_twin.plugins"),
        "PACKAGE011",
    ),
    "two entry points": (
        _project(
            '"twin" = "cap_twin.plugin"', '"twin" = "cap_twin.plugin"\ntwo = "cap_twin.plugin"'
        ),
        "PACKAGE011",
    ),
    "an entry point without the hook": (
        lambda folder: _edit(folder, f"{PACKAGE}/plugin.py", "@hookimpl\n", ""),
        "PACKAGE012",
    ),
    "a class that is not there": (_manifest("mock:MockKv", "mock:MockKV"), "PACKAGE012"),
    "a module that raises": (_mock("\nraise RuntimeError('not today')\n"), "PACKAGE012"),
    "a module that exits": (_mock("\nraise SystemExit(0)\n"), "PACKAGE012"),
    "a module that ends the process": (_mock("\nimport os\nos._exit(0)\n"), "PACKAGE012"),
    "a provider that is a function": (
        _mock("\n_Kept = MockKv\ndef MockKv(*_: object): ...\n"),
        "PACKAGE012",
    ),
    "an undeclared dependency": (_mock("\nimport idna\n"), "PACKAGE013"),
    "an undeclared dependency, lazily": (
        _mock("\ndef later():\n    import idna\n    return idna\n"),
        "PACKAGE013",
    ),
    "an undeclared dependency, by name": (
        _mock(
            "\nimport importlib\ndef later():\n    return importlib.import_module('idna.core')\n"
        ),
        "PACKAGE013",
    ),
    "a mock that needs the extra": (
        lambda folder: (_remote("idna>=3", "idna")(folder), _mock("\nimport idna\n")(folder))[0],
        "PACKAGE013",
    ),
    "an extra that lacks a dependency": (_remote("six>=1", "idna"), "PACKAGE013"),
    "an extra that does not exist": (
        lambda folder: (
            _remote("idna>=3", "idna")(folder),
            _project("\nremote = [", "\nfar = [")(folder),
        )[0],
        "PACKAGE013",
    ),
    "a dependency that does not exist": (
        _project('["core-caps"]', '["core-caps>=400"]'),
        "PACKAGE014",
    ),
    "an unknown hint": (
        lambda folder: _append(
            folder,
            f"{PACKAGE}/capability.toml",
            '\n[capabilities.kv.deviations.get]\nhints = ["resource::nonsense::read"]\n',
        ),
        "EFFECT202",
    ),
    "an operation declared twice": (_manifest('["get",', '["get", "get",'), "CAP106"),
    "an unknown field": (_manifest("schema = 1", "schema = 1\ncolour = 'red'"), "CAP106"),
    "a link that leaves the tree": (_leaving_link, "PACKAGE002"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_refused_for_what_is_broken(
    plugin: Path, checked: Check, name: str
) -> None:
    spoil, code = BROKEN[name]
    spoil(plugin)
    result = checked(plugin)
    assert result.verdict is Verdict.REFUSED
    assert [finding.code for finding in result.findings] == [code], "one cause is one finding"
    for finding in result.findings:
        assert finding.message
        assert finding.promised
        assert finding.observed
        assert finding.reproduce.command
        assert finding.fix


def test_a_build_that_hangs_is_stopped(plugin: Path, checked: Check) -> None:
    _hook("print('waiting', flush=True); time.sleep(600)")(plugin)
    result = checked(plugin, build_seconds_max=3.0)
    assert [finding.code for finding in result.findings] == ["PACKAGE003"]
    assert "3 s" in result.findings[0].message
    assert result.facts["seconds"] < 30


def test_a_build_that_never_stops_printing_is_bounded(plugin: Path, checked: Check) -> None:
    _hook("[print('x' * 1000, flush=False) for _ in iter(int, 1)]")(plugin)
    result = checked(plugin, build_seconds_max=3.0)
    assert [finding.code for finding in result.findings] == ["PACKAGE003"]
    assert len(result.findings[0].observed) < 100_000


def _flit(folder: Path) -> None:
    text = (folder / "pyproject.toml").read_text()
    text = text.replace('["hatchling>=1.26"]', '["flit_core>=3.11"]')
    text = text.replace("hatchling.build", "flit_core.buildapi")
    text = re.sub(
        r"\[tool\.hatch.*?\n\n", '[tool.flit.module]\nname = "cap_twin"\n\n', text, flags=re.S
    )
    (folder / "pyproject.toml").write_text(text)


def _setuptools(folder: Path) -> None:
    text = (folder / "pyproject.toml").read_text()
    text = text.replace('["hatchling>=1.26"]', '["setuptools>=77"]')
    text = text.replace("hatchling.build", "setuptools.build_meta")
    package_data = '[tool.setuptools.package-data]\ncap_twin = ["capability.toml", "py.typed"]\n\n'
    text = re.sub(r"\[tool\.hatch.*?\n\n", package_data, text, flags=re.S)
    (folder / "pyproject.toml").write_text(text)


def _namespaced(folder: Path) -> None:
    """The package is `acme.twin`, and the distribution keeps its name."""
    (folder / "src/acme").mkdir()
    (folder / PACKAGE).rename(folder / "src/acme/twin")
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text().replace("cap_twin", "acme.twin"))
    _edit(folder, "pyproject.toml", '["src/acme.twin"]', '["src/acme"]')


CLEAN: dict[str, Spoil] = {
    "as it stands": lambda folder: None,
    "a lazy import of what is declared": lambda folder: (
        _project('["core-caps"]', '["core-caps", "idna>=3"]')(folder),
        _mock("\ndef later():\n    import idna\n    return idna\n")(folder),
    )[0],
    "a guarded import": _mock(
        "\ntry:\n    import orjson\nexcept ImportError:\n    orjson = None\n"
    ),
    "an import for types": _mock(
        "\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import idna\n"
    ),
    "a backend with its extra": _remote("idna>=3", "idna"),
    "an import of another extra's": lambda folder: _append(
        folder, f"{PACKAGE}/plugin.py", "\ndef _suite():\n    import pytest\n    return pytest\n"
    ),
    "a file that the build makes": _hook("(package / 'made.py').write_text('MADE = 1')"),
    "a build that uses its temporary folder": _hook(
        "import tempfile; tempfile.NamedTemporaryFile().write(b'x')"
    ),
    "a chatty module": _mock("\nprint('hello')\n"),
    "another build backend, flit": _flit,
    "another build backend, setuptools": _setuptools,
    "a namespace package": _namespaced,
    "a link within the tree": lambda folder: (folder / "READ").symlink_to("README.md"),
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_plugin_passes(plugin: Path, checked: Check, name: str) -> None:
    CLEAN[name](plugin)
    before = sorted(path for path in plugin.rglob("*"))
    result = checked(plugin)
    assert [finding.message for finding in result.findings] == []
    assert result.verdict is Verdict.PASSED
    assert result.cases >= 10
    assert sorted(path for path in plugin.rglob("*")) == before
