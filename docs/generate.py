"""Write the pages of docs/ that say what the code says.

python docs/generate.py           write them
python docs/generate.py --check   write nothing; exit code 1 and a diff when one is out of date
"""

import argparse
import difflib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from core_caps import errors
from core_caps.diagnostics import DIAGNOSTICS, Diagnostic
from core_caps.errors import CapsError, ProviderError
from flows_registry.corpus.public import ELSEWHERE, PUBLIC, SOUND_ITEMS
from flows_registry.corpus.sound import SOUND
from flows_registry.corpus.twins import TWINS
from flows_registry.evidence.model import schema

DOCS = Path(__file__).resolve().parent

FAMILIES: Mapping[str, str] = {
    "BUDGET": "time, memory and cost",
    "CAP": "capabilities, plugins, bindings and calls",
    "CONTRACT": "what a provider does under faults",
    "DET": "determinism claims",
    "EFFECT": "effect claims and hints",
    "EGRESS": "hosts that code reaches",
    "IDEM": "idempotency keys",
    "INJECT": "duplicates, reordering and crashes",
    "LAB": "the lab itself, which proved nothing",
    "PACKAGE": "the built distribution",
    "PARITY": "a mock beside its vendor's simulator",
    "POLICY": "what an organisation asks, and its waivers",
    "SECR": "secrets and personal data",
}
"""What each family of codes is about; a family that is not here has a bare heading."""


def error_codes() -> str:
    """The page of all diagnostic codes, by family."""
    return "\n".join(_error_codes()) + "\n"


def _error_codes() -> Iterator[str]:
    yield "# Diagnostic codes"
    yield ""
    yield "Written by `python docs/generate.py` from `core_caps.diagnostics`; do not edit."
    yield ""
    yield "A code names one kind of problem for ever. The same text is at hand in Python:"
    yield ""
    yield "```python"
    yield "from core_caps.diagnostics import explain"
    yield ""
    yield 'print(explain("CAP110").fix)'
    yield "```"
    by_family = groupby(sorted(DIAGNOSTICS.values(), key=lambda row: row.code), key=family_of)
    for family, rows in by_family:
        yield ""
        yield f"## {family}: {FAMILIES[family]}" if family in FAMILIES else f"## {family}"
        for row in rows:
            yield ""
            yield f"### {row.code}: {row.title}"
            yield ""
            yield row.meaning
            yield ""
            yield f"**What to do.** {row.fix}"
            for raised in _raised_as(row.code):
                yield ""
                yield raised


def family_of(row: Diagnostic) -> str:
    """The letters of a code: `CAP` of `CAP110`."""
    return row.code.rstrip("0123456789").rstrip("-")


def _raised_as(code: str) -> Iterator[str]:
    for name in errors.__all__:
        error = getattr(errors, name)
        if isinstance(error, type) and issubclass(error, CapsError) and error.code == code:
            outcome = ""
            if issubclass(error, ProviderError):
                outcome = (
                    f"; outcome `{error.default_outcome.name}` unless the error says otherwise"
                )
            yield f"Raised as `core_caps.errors.{name}`{outcome}."


def evidence_schema() -> str:
    """The JSON Schema of `evidence.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def corpus() -> str:
    """The page of the plugins that certify the certifier."""
    return "\n".join(_corpus()) + "\n"


def _corpus() -> Iterator[str]:
    yield "# The corpus"
    yield ""
    yield "Written by `python docs/generate.py` from `flows_registry.corpus`; do not edit."
    yield ""
    yield "`flows-registry certify --self-test` certifies the certifier: each broken plugin must"
    yield "be refused by the check that is meant for it, and by no other; each sound one by none."
    yield "It prints recall by check and false refusals; the exit code is 0 only where nothing is"
    yield "missed and nobody refused without a reason. `--check` and `--case` take a part of it,"
    yield "`--level` looks no closer than that, and leaves out what shows only from a higher level"
    yield "on. `--json` prints one object, `--flake N` repeats the sound plugins over N seeds and"
    yield "counts the runs that disagree."
    yield ""
    yield "## The public list"
    yield ""
    yield "| defect | plugin | found by |"
    yield "|---|---|---|"
    twins = {twin.name: twin for twin in TWINS}
    for item, name in PUBLIC.items():
        yield f"| {item} | {name} | {twins[name].check} ({', '.join(twins[name].codes)}) |"
    yield ""
    yield "| what must pass | plugin |"
    yield "|---|---|"
    for item, name in SOUND_ITEMS.items():
        yield f"| {item} | {name} |"
    yield ""
    yield "| item of the list | why no plugin here stands for it |"
    yield "|---|---|"
    for item, why in ELSEWHERE.items():
        yield f"| {item} | {why} |"
    yield ""
    yield "## Further defects"
    yield ""
    yield "| plugin | found by |"
    yield "|---|---|"
    for twin in TWINS:
        if twin.name not in PUBLIC.values():
            yield f"| {twin.name} | {twin.check} ({', '.join(twin.codes)}) |"
    yield ""
    yield "## Further sound plugins"
    yield ""
    for sound in SOUND:
        if sound.name not in SOUND_ITEMS.values():
            yield f"- {sound.name}"


PAGES: Mapping[str, Callable[[], str]] = {
    "corpus.md": corpus,
    "error-codes.md": error_codes,
    "evidence.schema.json": evidence_schema,
}
"""Each generated page and the function that gives its whole text."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or with `--check` say which differ."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 on a difference"
    )
    check = parser.parse_args(arguments).check
    stale = 0
    for name, page in PAGES.items():
        path, wanted = DOCS / name, page()
        found = path.read_text("utf-8") if path.exists() else ""
        if found == wanted:
            continue
        stale += 1
        if check:
            lines = found.splitlines(keepends=True), wanted.splitlines(keepends=True)
            sys.stdout.writelines(difflib.unified_diff(*lines, f"docs/{name}", "generated"))
        else:
            path.write_text(wanted, "utf-8")
            print(f"wrote docs/{name}")
    if check and stale:
        print("run `python docs/generate.py`", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
