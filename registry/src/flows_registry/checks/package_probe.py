"""Imports what a manifest names and says what happened; runs inside the clean environment.

A program, standard library only: python -I package_probe.py REQUEST.json ANSWER.json
"""

import importlib
import json
import sys
import traceback
from pathlib import Path


def load(name: str) -> object:
    """The object behind `module` or `module:attribute`."""
    module, _, attribute = name.partition(":")
    found: object = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part)
    return found


def attempt(name: str) -> dict[str, object]:
    """What importing the name gives, as data."""
    try:
        found = load(name)
    except BaseException as error:
        lines = traceback.format_exception_only(error)
        return {
            "error": type(error).__name__,
            "message": "".join(lines).strip(),
            "missing": getattr(error, "name", None)
            if isinstance(error, ModuleNotFoundError)
            else None,
        }
    return {"found": found}


def described(found: object) -> dict[str, object]:
    """What the checks want to know about an object, without the object."""
    hook = getattr(found, "flows_open", None)
    return {
        "hook": callable(hook) and hasattr(hook, "flows_impl"),
        "is_class": isinstance(found, type),
        "config": isinstance(getattr(found, "Config", None), type),
    }


def specification(protocol: object) -> dict[str, object]:
    """A capability protocol of the plugin's own, as data."""
    from core_caps.claims.operation import spec_of

    spec = spec_of(protocol)  # pyright: ignore[reportArgumentType]
    return {
        "name": spec.name,
        "version": spec.version,
        "operations": [
            {
                "name": each.name,
                "hints": list(each.hints),
                "repeat": each.repeat.value,
                "delegates": list(each.delegates),
                "optional": each.optional,
                "streams": each.streams,
                "key": each.key,
                "key_at": each.key_at,
                "travels": each.travels,
                "conditions": list(each.conditions),
                "determinism": int(each.determinism),
            }
            for each in spec.operations.values()
        ],
        "halves": {half: sorted(names) for half, names in spec.halves.items()},
    }


def main(request_path: str, answer_path: str) -> None:
    """Answer one request: names to import, and which of them are protocols."""
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    answers: dict[str, object] = {}
    for name in request["names"]:
        answer = attempt(name)
        if "found" in answer:
            found = answer["found"]
            answer = described(found)
            if name in request["protocols"]:
                try:
                    answer["specification"] = specification(found)
                except Exception as error:
                    answer["error"] = type(error).__name__
                    answer["message"] = f"it is no capability protocol: {error}"
        answers[name] = answer
    Path(answer_path).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
