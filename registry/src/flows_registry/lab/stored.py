"""A case and its surroundings as JSON, to be kept and run again; and back, where nothing that is
named is imported: what was kept may come from somebody else."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

from core_caps.contract.codec import decode, encode
from core_caps.contract.suite import Call
from pydantic import TypeAdapter, ValidationError

from flows_registry.lab.case import Case, Place, Turn, Use
from flows_registry.lab.faults import Fault
from flows_registry.lab.room.furniture import Profile

__all__ = ["REPEATED_BYTES_MAX", "restored", "stored"]

REPEATED_BYTES_MAX = 1 << 30
"""All the bytes that a case may give as a unit and how often it is repeated."""

_KEPT = (Case, Profile, Fault, Turn, Use, Place)
_NAMES = {f"{cls.__module__}:{cls.__qualname__}": cls for cls in _KEPT}


def stored(case: Case, profile: Profile) -> Mapping[str, Any]:
    """Both as JSON; what is as a case has it by default is left away."""
    return {"case": _form(case), "profile": _form(profile)}


def restored(data: Mapping[str, Any]) -> tuple[Case, Profile]:
    """The case and the profile that `stored` gave this for.

    Raises:
        ValueError: it is nothing that `stored` gives.
    """
    if _repeated_bytes(data) > REPEATED_BYTES_MAX:
        raise ValueError(f"more than {REPEATED_BYTES_MAX} repeated bytes")
    try:
        case, profile = _value(data.get("case")), _value(data.get("profile"))
    except (TypeError, RecursionError, ValidationError) as error:
        raise ValueError(f"no case: {error}") from None
    if not isinstance(case, Case) or not isinstance(profile, Profile):
        raise ValueError("no case with its profile")
    return case, profile


def _form(value: object) -> Any:
    if isinstance(value, list | tuple):
        return [_form(item) for item in cast("Sequence[object]", value)]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return encode(value)
    name = f"{type(value).__module__}:{type(value).__qualname__}"
    if name not in _NAMES and not isinstance(value, Call):
        return encode(value)
    told = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    usual = {item.name: _default(item) for item in dataclasses.fields(value)}
    kept = {key: _form(item) for key, item in told.items() if item != usual[key]}
    return {"$value": name, **kept}


def _default(item: "dataclasses.Field[Any]") -> object:
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return item.default


def _value(form: Any) -> Any:
    match form:
        case {"$value": str(name), **fields} if name in _NAMES:
            values = {key: _value(item) for key, item in cast("dict[str, Any]", fields).items()}
            return TypeAdapter(_NAMES[name]).validate_python(values)
        case list():
            return tuple(map(_value, cast("list[Any]", form)))
        case _:
            return decode(form, foreign=False)


def _repeated_bytes(form: Any) -> int:
    match form:
        case {"$repeated": [_, int(size)]}:
            return abs(size)
        case dict():
            return sum(map(_repeated_bytes, cast("dict[str, Any]", form).values()))
        case list():
            return sum(map(_repeated_bytes, cast("list[Any]", form)))
        case _:
            return 0
