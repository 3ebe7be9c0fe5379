"""`flows-registry list`: what is installed, told without importing any plugin."""

import sys

from core_caps.plugins.discovery import Outline, discover, outline_of

from flows_registry.commands.glance import glance
from flows_registry.commands.installed import Installed
from flows_registry.commands.output import coloured, print_json, print_table
from flows_registry.commands.settings import print_settings, settings_of

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from core_caps.plugins.discovery import Found

__all__ = ["describe", "run"]


def run(arguments: "argparse.Namespace") -> int:
    """List all plugins, or one in full, with its settings.

    Raises:
        PluginNotFound: none has the name that was given (CAP103).
    """
    briefly = not (arguments.json or arguments.verbose or arguments.name is not None)
    found = discover()
    rows = describe(found, briefly=briefly)
    if arguments.name is not None:
        rows = _named(rows, arguments.name)
        for row in rows:
            _add_settings(row, found)
    if arguments.json:
        print_json({"plugins": rows})
    elif not rows:
        print("no plugin is installed: pip install cap-…, or flows-registry new cap-NAME")
    elif arguments.name is not None or arguments.verbose:
        for row in rows:
            _print_full(row)
    else:
        _print_rows(rows)
    return 0


def describe(found: "Sequence[Found]", *, briefly: bool = False) -> "list[dict[str, Any]]":
    """The plugins as JSON-shaped rows, problems included.

    Args:
        briefly: leave out the operations' hints, which take longest to work out.
    """
    installed = Installed(sys.path)
    names = [each.name for each in found]
    rows = [
        _row(each, installed, (_brief(each) if briefly else None) or outline_of(each))
        for each in found
    ]
    for row in rows:
        if names.count(row["name"]) > 1:
            others = [
                f"{each.distribution} {each.version}"
                for each in found
                if each.name == row["name"] and each.distribution != row["distribution"]
            ]
            row["problems"].append(
                {
                    "code": "CAP102",
                    "message": f"the name is also claimed by {', '.join(others)}; "
                    f"uninstall one: pip uninstall {row['distribution']}",
                }
            )
    return rows


def _brief(found: "Found") -> "Outline | None":
    """The outline without hints, where a glance at the manifest shows that it is sound."""
    seen = found.manifest_path and glance(found.manifest_path)
    if not seen:
        return None
    summary, contracts, backends, extras = seen
    return Outline(summary, {contract: {} for contract in contracts}, backends, extras, "")


def _row(found: "Found", installed: Installed, outline: Outline) -> "dict[str, Any]":
    problems: list[dict[str, str]] = []
    if outline.problem:
        code, _, message = outline.problem.partition(": ")
        problems.append({"code": code, "message": message})
    backends: list[dict[str, Any]] = []
    for name, contracts in outline.backends.items():
        extra = outline.extras.get(name)
        missing = installed.missing(found.distribution, extra) if extra else ()
        backend: dict[str, Any] = {"name": name, "contracts": list(contracts), "extra": extra}
        backend["installed"] = not missing
        if missing:
            backend["missing"] = list(missing)
            backend["install"] = f"pip install '{found.distribution}[{extra}]'"
        backends.append(backend)
    return {
        "name": found.name,
        "distribution": found.distribution,
        "version": found.version,
        "editable": found.editable,
        "summary": outline.summary,
        "capabilities": [
            {"contract": contract, "operations": {name: list(h) for name, h in hints.items()}}
            for contract, hints in outline.capabilities.items()
        ],
        "backends": backends,
        "problems": problems,
    }


def _named(rows: "list[dict[str, Any]]", name: str) -> "list[dict[str, Any]]":
    chosen = [row for row in rows if name in (row["name"], row["distribution"])]
    if not chosen:
        from core_caps.errors import PluginNotFound
        from core_caps.plugins.discovery import instead

        raise PluginNotFound(
            f"no plugin {name!r} is installed", hint=instead(name, [row["name"] for row in rows])
        )
    return chosen


def _add_settings(row: "dict[str, Any]", found: "Sequence[Found]") -> None:
    named = next(each for each in found if each.distribution == row["distribution"])
    settings = settings_of(named)
    for backend in row["backends"]:
        backend["settings"] = settings.get(backend["name"], [])


def _print_rows(rows: "list[dict[str, Any]]") -> None:
    shown = [
        (
            row["name"],
            ", ".join(each["contract"] for each in row["capabilities"]) or "-",
            ", ".join(map(_backend, row["backends"])) or "-",
            f"{row['distribution']} {row['version']}" + (" (editable)" if row["editable"] else ""),
        )
        for row in rows
    ]
    print_table(shown, ("NAME", "CAPABILITIES", "BACKENDS", "DISTRIBUTION"))
    for row in rows:
        _print_problems(row)


def _print_full(row: "dict[str, Any]") -> None:
    where = " (editable)" if row["editable"] else ""
    print(coloured(row["name"], "bold"), f"  {row['summary']}".rstrip())
    print(f"  distribution  {row['distribution']} {row['version']}{where}")
    for capability in row["capabilities"]:
        print(f"  capability    {capability['contract']}")
        operations = capability["operations"]
        width = max(map(len, operations), default=0)
        for name, hints in operations.items():
            told = ", ".join(hints) or "declared by the plugin's own protocol"
            print(f"    {name.ljust(width)}  {told}")
    for backend in row["backends"]:
        print(f"  backend       {_backend(backend)}: {', '.join(backend['contracts'])}")
        print_settings(backend.get("settings", []))
    _print_problems(row)


def _print_problems(row: "dict[str, Any]") -> None:
    for problem in row["problems"]:
        message = problem["message"].replace("\n", "\n    ")
        print(coloured(f"! {row['name']}: {problem['code']}: {message}", "red"))


def _backend(backend: "dict[str, Any]") -> str:
    return f"{backend['name']} ({backend['install']})" if "install" in backend else backend["name"]
