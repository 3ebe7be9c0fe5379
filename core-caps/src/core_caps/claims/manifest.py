"""Reading `capability.toml` into values; standard library only.

`read` checks structure: the types and the words that code relies on. What a careful author wants
to hear besides (unknown fields, hints against floors, hosts, sources) is said by
`core_caps.claims.manifest_model`, which tools import and providers never do.
"""

import enum
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, cast

from core_caps.claims.guarantees import parse as parse_guarantees
from core_caps.claims.hints import Hint, canonical
from core_caps.claims.lattice import WEAKEST, Claim, Determinism, Effects
from core_caps.claims.manifest_file import FILE_NAME, parse_toml
from core_caps.claims.manifest_shape import (
    DEFAULT_CANCEL_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    RETRY_OWNERS,
    SCHEMA,
    SETTING_TYPES,
    Backend,
    Data,
    Deviation,
    Finding,
    Limit,
    Manifest,
    OperationClaim,
    Provided,
    SafePost,
    Setting,
    claims_of,
    invalid,
)
from core_caps.claims.operation import Repeat
from core_caps.errors import ManifestInvalid

__all__ = [
    "FILE_NAME",
    "SCHEMA",
    "SETTING_TYPES",
    "Backend",
    "Data",
    "Deviation",
    "Finding",
    "Limit",
    "Manifest",
    "OperationClaim",
    "Provided",
    "SafePost",
    "Setting",
    "claims_of",
    "draft",
    "from_data",
    "invalid",
    "is_lazy_name",
    "parse_toml",
    "read",
]

_Word = TypeVar("_Word", bound=enum.Enum)


def read(source: str | os.PathLike[str] | bytes, origin: str = "") -> Manifest:
    """The manifest in a file, or in the bytes of one.

    Args:
        source: a path, or the file's content.
        origin: how messages call the source; a path names itself.

    Raises:
        ManifestInvalid: it is missing, does not parse (with line and column), or lacks what code
            relies on; every problem is listed.
    """
    origin = origin or (FILE_NAME if isinstance(source, bytes) else os.fspath(source))
    return from_data(parse_toml(source, origin), origin)


def from_data(data: Mapping[str, Any], origin: str) -> Manifest:
    """The manifest that parsed TOML describes.

    Raises:
        ManifestInvalid: it lacks what code relies on; every problem is listed.
    """
    manifest, findings = draft(data, origin)
    if findings:
        raise invalid(origin, findings)
    return manifest


def draft(data: Mapping[str, Any], origin: str) -> tuple[Manifest, list[Finding]]:
    """The manifest as far as it can be read, and what could not be."""
    findings: list[Finding] = []
    return _manifest(_Table(data, "", findings), origin), findings


def is_lazy_name(text: str) -> bool:
    """Whether the text has the form `package.module:attribute`."""
    module, colon, attribute = text.partition(":")
    parts = [*module.split("."), *attribute.split(".")]
    return bool(colon) and all(part.isidentifier() for part in parts)


class _Table:
    """A TOML table being read: what is wrong is noted, and reading goes on."""

    def __init__(self, data: Mapping[str, Any], location: str, findings: list[Finding]) -> None:
        self._data = data
        self._location = location
        self._findings = findings

    def refuse(self, name: str, message: str) -> None:
        self._findings.append(Finding(self.at(name), message))

    def at(self, name: str) -> str:
        return f"{self._location}.{name}" if self._location else name

    def has(self, name: str) -> bool:
        return name in self._data

    def value(self, name: str) -> Any:
        return self._data.get(name)

    def text(self, name: str, *, required: bool = False) -> str | None:
        value = self._data.get(name)
        if value is None and not required:
            return None
        if not isinstance(value, str):
            self.refuse(name, "is missing" if value is None else f"must be text, not {value!r}")
            return None
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._data.get(name, [])
        if not isinstance(value, list) or not all(
            isinstance(item, str) for item in cast("list[object]", value)
        ):
            self.refuse(name, f"must be a list of texts, not {value!r}")
            return ()
        return tuple(cast("list[str]", value))

    def number(self, name: str, default: float) -> float:
        value = self._data.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(name, f"must be a number, not {value!r}")
            return default
        return value

    def flag(self, name: str) -> bool:
        value = self._data.get(name, False)
        if not isinstance(value, bool):
            self.refuse(name, f"must be true or false, not {value!r}")
            return False
        return value

    def word(self, name: str, words: type[_Word]) -> _Word | None:
        value = self.text(name)
        if value is None:
            return None
        for word in words:
            if word.name.lower() == value:
                return word
        known = ", ".join(word.name.lower() for word in words)
        self.refuse(name, f"{value!r} is none of {known}")
        return None

    def lazy(self, name: str, *, required: bool = False) -> str | None:
        value = self.text(name, required=required)
        if value is not None and not is_lazy_name(value):
            self.refuse(name, f"{value!r} is not of the form 'package.module:attribute'")
        return value

    def table(self, name: str) -> "_Table":
        value = self._data.get(name, {})
        if not isinstance(value, dict):
            self.refuse(name, f"must be a table, not {value!r}")
            value = {}
        return _Table(cast("dict[str, Any]", value), self.at(name), self._findings)

    def tables(self, name: str) -> Iterator[tuple[str, "_Table"]]:
        below = self.table(name)
        return ((key, below.table(key)) for key in below._data)

    def names(self) -> tuple[str, ...]:
        return tuple(self._data)

    def rows(self, name: str) -> Iterator["_Table"]:
        value = self._data.get(name, [])
        if not isinstance(value, list):
            self.refuse(name, f"must be an array of tables, not {value!r}")
            return
        for index, row in enumerate(cast("list[Any]", value)):
            if isinstance(row, dict):
                location = self.at(f"{name}[{index}]")
                yield _Table(cast("dict[str, Any]", row), location, self._findings)
            else:
                self.refuse(f"{name}[{index}]", f"must be a table, not {row!r}")


def _manifest(table: _Table, origin: str) -> Manifest:
    schema = table.value("schema")
    if type(schema) is not int or schema != SCHEMA:
        table.refuse("schema", f"must be {SCHEMA}, not {schema!r}" if schema else "is missing")
    manifest = Manifest(
        name=table.text("name", required=True) or "",
        summary=table.text("summary") or "",
        homepage=table.text("homepage") or "",
        capabilities=MappingProxyType(
            {k: _provided(k, t) for k, t in table.tables("capabilities")}
        ),
        backends=MappingProxyType({k: _backend(k, t) for k, t in table.tables("backends")}),
        limits=_limits(table),
        data=Data(table.table("data").texts("classes"), table.table("data").texts("residency")),
        costs=_costs(table),
        hints=tuple(_hint(path, below) for path, below in table.tables("hints")),
        origin=origin,
    )
    for needed in ("capabilities", "backends"):
        if not table.has(needed):
            table.refuse(needed, "is missing")
    return manifest


def _provided(name: str, table: _Table) -> Provided:
    contract = table.text("contract", required=True) or ""
    short, _, version = contract.partition("/")
    if contract and not (short and version.isdecimal()):
        table.refuse("contract", f"{contract!r} is not of the form 'name/version', as in 'kv/1'")
    below = table.table("guarantees")
    declared = {key: below.text(key) or "" for key in below.names()}
    try:
        guarantees = parse_guarantees(declared)
    except ManifestInvalid as error:
        guarantees = declared
        for finding in error.findings:
            table.refuse("guarantees", finding)
    return Provided(
        name=name,
        contract=contract,
        operations=table.texts("operations"),
        guarantees=guarantees,
        deviations=MappingProxyType({k: _deviation(t) for k, t in table.tables("deviations")}),
        protocol=table.lazy("protocol"),
        suite=table.lazy("suite"),
        limits=_limits(table),
        costs=_costs(table),
    )


def _deviation(table: _Table) -> Deviation:
    return Deviation(
        hints=table.texts("hints") if table.has("hints") else None,
        effects=table.word("effects", Effects),
        determinism=table.word("determinism", Determinism),
        repeat=table.word("repeat", Repeat),
        delegates=table.texts("delegates") if table.has("delegates") else None,
    )


def _backend(name: str, table: _Table) -> Backend:
    providers = table.table("providers")
    owner = table.text("retry_owner") or "caller"
    if owner not in RETRY_OWNERS:
        table.refuse("retry_owner", f"{owner!r} is none of {', '.join(RETRY_OWNERS)}")
    return Backend(
        name=name,
        providers=MappingProxyType(
            {key: providers.lazy(key, required=True) or "" for key in providers.names()}
        ),
        extra=table.text("extra"),
        wire=table.text("wire"),
        reference=table.lazy("reference"),
        worker=table.text("worker"),
        egress=table.texts("egress"),
        scopes=table.texts("scopes"),
        retry_owner=owner,
        cancel_seconds_max=table.number("cancel_seconds_max", DEFAULT_CANCEL_SECONDS),
        timeout_seconds_max=table.number("timeout_seconds_max", DEFAULT_TIMEOUT_SECONDS),
        config=MappingProxyType({k: _setting(k, t) for k, t in table.tables("config")}),
        safe_posts=tuple(
            SafePost(
                row.text("method") or "POST",
                row.text("path", required=True) or "",
                row.text("header") or "",
            )
            for row in table.rows("safe_posts")
        ),
    )


def _setting(name: str, table: _Table) -> Setting:
    kind = table.text("type", required=True) or "str"
    if kind not in SETTING_TYPES:
        table.refuse("type", f"{kind!r} is none of {', '.join(SETTING_TYPES)}")
    return Setting(
        name=name,
        type=kind,
        required=table.flag("required"),
        default=table.value("default"),
        env=table.text("env"),
        example=table.value("example"),
        endpoint=table.flag("endpoint"),
        folder=table.flag("folder"),
        apart=table.flag("apart"),
        needed_by=table.texts("needed_by"),
        summary=table.text("summary") or "",
    )


def _limits(table: _Table) -> Mapping[str, Limit]:
    return MappingProxyType({name: _limit(name, below) for name, below in table.tables("limits")})


def _costs(table: _Table) -> Mapping[str, Mapping[str, float]]:
    return MappingProxyType(
        {
            name: {unit: below.number(unit, 0) for unit in below.names()}
            for name, below in table.tables("costs")
        }
    )


def _limit(name: str, table: _Table) -> Limit:
    if not table.has("value"):
        table.refuse("value", "is missing")
    return Limit(name, table.number("value", 0), table.text("source") or "")


def _hint(path: str, table: _Table) -> Hint:
    effects, determinism = table.word("effects", Effects), table.word("determinism", Determinism)
    for name in ("effects", "determinism"):
        if not table.has(name):
            table.refuse(name, "is missing")
    # An unreadable floor is refused above; until then it permits nothing.
    floor = Claim(
        WEAKEST.effects if effects is None else effects,
        WEAKEST.determinism if determinism is None else determinism,
    )
    return Hint(canonical(path), floor)
