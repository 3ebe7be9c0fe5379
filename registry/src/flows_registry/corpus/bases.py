"""Small complete plugins, made from the parts beside this module.

Every base on kv is the shared parts with one transport of its own; the pure one has a mock alone.
The bucket is a client of the S3 API on the standard library. The pair has two capabilities: kv, and
the bucket's mock.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from flows_registry.corpus.twin import Sound, Twin

__all__ = ["BASES", "PAIR", "Files", "edited", "files_of", "made", "path_of", "write"]

Files = Mapping[str, str]
"""A plugin: path in its folder → text."""

BASES = ("urllib", "aiohttp", "sockets", "pure", "bucket")

PAIR = "pair"
"""The base that provides kv, below `kv/`, and blob."""

_HERE = Path(__file__).parent
_PARTS = _HERE / "parts"
_OF_ITS_MOCK = ("config.py", "limits.py", "mock.py")
_OF_THE_BUCKET = ("__init__.py", "errors.py", "plugin.py", "pyproject.toml", "wire.py")
_ALIKE = (
    ("limits.py", "\nKEY_SIZE_BYTES_MAX = 1024", "\nKEY_SIZE_BYTES_MAX = 512"),
    ("limits.py", "\nMETADATA_SIZE_BYTES_MAX = 8192", "\nMETADATA_SIZE_BYTES_MAX = 1024"),
    ("kv/mock.py", "from .config", "from corpus_pair.config"),
)
"""A manifest states its limits, and a backend its settings, for all capabilities."""

_MOCK_ALONE = ("__init__.py", "plugin.py", "config.py", "cursors.py", "limits.py", "mock.py")


def files_of(base: str) -> dict[str, str]:
    """The files of a base. Its package is `corpus_BASE`."""
    if base == PAIR:
        return _pair()
    package = f"corpus_{base}"
    parts = _texts("shared")
    if base == "bucket":
        parts = {name: parts[name] for name in _OF_THE_BUCKET} | _texts("bucket") | _texts("urllib")
    elif base == "pure":
        parts = {
            name: text
            for name, text in parts.items()
            if name in (*_MOCK_ALONE, "capability.toml", "pyproject.toml")
        }
        parts["capability.toml"] = re.sub(
            r"\[backends\.remote\].*?(?=\[limits\])", "", parts["capability.toml"], flags=re.S
        ).replace('consistency = "eventual"', 'consistency = "linearizable"')
    else:
        parts |= _texts(base)
    if base == "aiohttp":
        parts["pyproject.toml"] = parts["pyproject.toml"].replace(
            'dependencies = ["core-caps"]',
            'dependencies = ["core-caps"]\n\n'
            '[project.optional-dependencies]\nremote = ["aiohttp>=3.12"]',
        )
        parts["capability.toml"] = parts["capability.toml"].replace(
            'wire = "cloudflare-kv"', 'extra = "remote"\nwire = "cloudflare-kv"'
        )
    named = {
        name: text.replace("corpus_kv", package).replace("corpus-kv", f"corpus-{base}")
        for name, text in parts.items()
    }
    project = named.pop("pyproject.toml")
    source = {f"src/{package}/{name}": text for name, text in named.items()}
    return {"pyproject.toml": project, f"src/{package}/py.typed": "", **source}


def _pair() -> dict[str, str]:
    """Two capabilities whose operations share names; the remote backend provides but one."""
    small, bucket = files_of("urllib"), files_of("bucket")
    files = {"pyproject.toml": small["pyproject.toml"].replace("urllib", PAIR)}
    for path, text in small.items():
        folder, _, name = path.rpartition("/")
        if name == "capability.toml":
            blob = bucket["src/corpus_bucket/capability.toml"]
            files[f"src/corpus_pair/{name}"] = _of_both(text.replace("urllib.", "urllib.kv."), blob)
        elif name in ("plugin.py", "py.typed"):
            files[f"src/corpus_pair/{name}"] = text
        elif folder:
            files[f"src/corpus_pair/kv/{name}"] = text
    for name in _OF_ITS_MOCK:
        files[f"src/corpus_pair/{name}"] = bucket[f"src/corpus_bucket/{name}"]
    files["src/corpus_pair/__init__.py"] = bucket["src/corpus_bucket/__init__.py"]
    given = {path: text.replace("corpus_urllib", "corpus_pair") for path, text in files.items()}
    return edited(given, PAIR, _ALIKE)


def _of_both(kv: str, blob: str) -> str:
    """The first one's manifest, with the second one's capability on its mock."""
    capability = re.search(r"\[capabilities\.blob\].*?(?=\[backends)", blob, re.S)
    settings = re.search(r"(?<=\[backends\.mock\.config\]\n).*?(?=\n\[)", blob, re.S)
    assert capability
    assert settings
    kv = re.sub(r"(?<=\[backends\.mock\.config\]\n).*?\n", settings[0], kv, count=1)
    provider = '[backends.mock]\nproviders.blob = "corpus_pair.mock:MockBucket"\n'
    kv = kv.replace("corpus-urllib", "corpus-pair").replace("[backends.mock]\n", provider)
    return kv.replace(provider, capability[0] + provider)


def _texts(part: str) -> dict[str, str]:
    return {path.name: path.read_text() for path in (_PARTS / part).iterdir() if path.is_file()}


def write(files: Files, folder: Path) -> Path:
    """Put a plugin into a folder; that folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def made(plugin: Twin | Sound) -> dict[str, str]:
    """The files of one plugin of the corpus."""
    edits = [(edit.file, edit.old, edit.new) for edit in plugin.edits]
    return edited(files_of(plugin.base), plugin.base, edits)


def edited(files: Files, base: str, edits: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """The plugin after (file, old text, new text) edits; each old text stands there just once,
    and where it is "" the file is new.

    Raises:
        ValueError: an edit does not fit the file any more.
    """
    given = dict(files)
    for file, old, new in edits:
        path = path_of(base, file)
        if not old and path not in given:
            given[path] = new
            continue
        if given[path].count(old) != 1:
            raise ValueError(f"{given[path].count(old)} places for an edit of {path}: {old!r}")
        given[path] = given[path].replace(old, new)
    return given


def path_of(base: str, file: str) -> str:
    """Where a file of the package lies in the plugin's folder."""
    if file == "pyproject.toml" or file.startswith("./"):
        return file.removeprefix("./")
    return f"src/corpus_{base}/{file}"
