"""`flows-registry explain CODE`: what a diagnostic code means, or which begin so."""

import argparse
import difflib
import sys
from dataclasses import asdict
from itertools import groupby

from core_caps.diagnostics import DIAGNOSTICS, Diagnostic, explain

from flows_registry.commands.output import coloured, print_json

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Explain one code, or list by family those that begin so; an unknown code is exit code 2."""
    found = explain(arguments.code or "")
    if found is None:
        return _list(arguments.code or "", arguments.json)
    if arguments.json:
        print_json(asdict(found))
        return 0
    print(f"{coloured(found.code, 'bold')}  {found.title}")
    print(f"\n{found.meaning}\n\nWhat to do: {found.fix}")
    return 0


def _unknown(code: str, as_json: bool) -> int:
    near = difflib.get_close_matches(code.strip().upper(), list(DIAGNOSTICS), n=3, cutoff=0.5)
    if as_json:
        print_json({"code": code, "error": "no such code", "near": near})
    print(f"flows-registry: there is no code {code!r}", file=sys.stderr)
    listed = f"did you mean {', '.join(near)}? " if near else ""
    print(f"  → {listed}`flows-registry explain` lists all codes", file=sys.stderr)
    return 2


def _list(beginning: str, as_json: bool) -> int:
    begun = [row for row in DIAGNOSTICS.values() if row.code.startswith(beginning.strip().upper())]
    if not begun:
        return _unknown(beginning, as_json)
    rows = sorted(begun, key=lambda row: (_family(row), row.code))
    if as_json:
        print_json({"codes": [asdict(row) for row in rows]})
        return 0
    for family, members in groupby(rows, _family):
        print(coloured(family, "bold"))
        for row in members:
            print(f"  {row.code}  {row.title}")
    return 0


def _family(row: Diagnostic) -> str:
    return row.code.rstrip("0123456789").rstrip("-")
