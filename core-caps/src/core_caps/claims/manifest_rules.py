"""What a manifest's structure cannot say: rules that look at several fields together.

Each rule is a function `(manifest, spec_for) → findings`; RULES lists them all.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from core_caps.claims.guarantees import parse as parse_guarantees
from core_caps.claims.hints import HINTS, Hints, canonical
from core_caps.claims.manifest_shape import (
    Backend,
    Deviation,
    Finding,
    Manifest,
    Provided,
    Setting,
    unknown_hints,
)
from core_caps.claims.operation import CapabilitySpec, Operation
from core_caps.errors import ManifestInvalid

__all__ = ["RULES", "Rule"]

SpecFor = Callable[[str], CapabilitySpec | None]
Rule = Callable[[Manifest, SpecFor], Iterable[Finding]]

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (float, int), "bool": (bool,),
}  # fmt: skip


def _contracts(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """A contract is one of ours, or brings its protocol and suite along."""
    seen: dict[str, str] = {}
    for at, provided in _provided(manifest):
        if provided.contract in seen:
            other = seen[provided.contract]
            yield Finding(f"{at}.contract", f"{provided.contract} is also provided by {other}")
        seen.setdefault(provided.contract, at)
        own = provided.protocol is not None or provided.suite is not None
        known = spec_for(provided.contract) is not None
        if not known and not own:
            yield Finding(
                f"{at}.contract",
                f"{provided.contract!r} is not a known contract",
                fix="a capability of one's own also names its protocol and its suite",
            )
        for needed in ("protocol", "suite"):
            if own and getattr(provided, needed) is None:
                yield Finding(f"{at}.{needed}", "is missing: a capability of one's own has both")
        if provided.name != provided.contract.partition("/")[0] and known:
            yield Finding(
                at,
                f"the table of {provided.contract} is called {provided.name!r}",
                fix=f"call it capabilities.{provided.contract.partition('/')[0]}",
            )


def _operations(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """Operations are named once, exist, and leave out only what is optional, or a whole half."""
    for at, provided in _provided(manifest):
        for index, name in enumerate(provided.operations):
            if name in provided.operations[:index]:
                yield Finding(f"{at}.operations[{index}]", f"{name!r} is declared twice")
        spec = spec_for(provided.contract)
        if spec is None:
            continue
        for index, name in enumerate(provided.operations):
            if name not in spec.operations:
                yield Finding(
                    f"{at}.operations[{index}]",
                    f"{provided.contract} has no operation {name!r}",
                    fix=_nearest(name, spec.operations),
                )
        for name, whose in spec.missing(provided.operations):
            yield Finding(f"{at}.operations", f"{name!r} is missing; {whose} requires it")


def _deviations(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """A deviation is about a provided operation and never claims more than its hints allow."""
    vocabulary = _vocabulary(manifest)
    for at, provided in _provided(manifest):
        spec = spec_for(provided.contract)
        yield from unknown_hints(provided, spec, vocabulary)
        for name, deviation in provided.deviations.items():
            where = f"{at}.deviations.{name}"
            if name not in provided.operations:
                yield Finding(
                    where,
                    f"{name!r} is not among the operations provided",
                    fix=_nearest(name, provided.operations),
                )
            declared = spec.operations.get(name) if spec else None
            yield from _floors(where, deviation, declared, vocabulary)


def _floors(
    where: str, deviation: Deviation, declared: Operation | None, vocabulary: Hints
) -> Iterator[Finding]:
    hints = deviation.hints
    if hints is None:
        hints = declared.hints if declared else ()
    delegates = deviation.delegates
    if delegates is None:
        delegates = declared.delegates if declared else ()
    for hint in (*hints, *delegates):
        if hint not in vocabulary:
            continue
        floor = vocabulary[hint].floor
        if deviation.effects is not None and deviation.effects < floor.effects:
            yield Finding(
                f"{where}.effects",
                f"{deviation.effects} is below {floor.effects}, which {canonical(hint)} requires",
                code="EFFECT201",
                fix=f'effects = "{floor.effects}"',
            )
        if deviation.determinism is not None and deviation.determinism < floor.determinism:
            yield Finding(
                f"{where}.determinism",
                f"{deviation.determinism} is stronger than {floor.determinism}, the most that "
                f"{canonical(hint)} allows",
                code="DET302",
                fix=f'determinism = "{floor.determinism}"',
            )


def _hints(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """Families of one's own do not clash with known ones."""
    for hint in manifest.hints:
        try:
            HINTS.with_families([hint], owner=manifest.name)
        except ManifestInvalid as error:
            yield Finding(f'hints."{hint.path}"', error.message, fix=error.hint)
    for at, provided in _provided(manifest):
        try:
            parse_guarantees(provided.guarantees)
        except ManifestInvalid as error:
            for finding in error.findings:
                yield Finding(f"{at}.guarantees", finding)


def _backends(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """There is a mock, it serves everything, and backends serve only what is provided."""
    if "mock" not in manifest.backends:
        yield Finding(
            "backends",
            "there is no mock backend",
            fix='every plugin ships one: [backends.mock] providers.NAME = "package.mock:Class"',
        )
    for name, backend in manifest.backends.items():
        for capability in backend.providers:
            if capability not in manifest.capabilities:
                yield Finding(
                    f"backends.{name}.providers.{capability}",
                    f"the manifest provides no capability {capability!r}",
                    fix=_nearest(capability, manifest.capabilities),
                )
        if backend.reference is not None and backend.wire is None:
            yield Finding(
                f"backends.{name}.reference",
                "a reference server answers a wire, and the backend names none",
                fix='name the protocol it speaks: wire = "acme-mail"',
            )
        if name == "mock":
            for capability in manifest.capabilities:
                if capability not in backend.providers:
                    yield Finding(
                        "backends.mock.providers", f"the mock does not serve {capability}"
                    )
            if backend.extra is not None:
                yield Finding("backends.mock.extra", "a mock needs no extra: it runs everywhere")


def _workers(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """A backend can be pointed at the Worker that its users deploy, and its users kept apart."""
    for name, backend in manifest.backends.items():
        settings = backend.config.values()
        told = any(each.endpoint for each in settings) and any(each.apart for each in settings)
        if backend.worker is not None and not told:
            yield Finding(
                f"backends.{name}.worker",
                "nobody can point the backend at a Worker of its own",
                fix="mark the setting of its address with endpoint = true, and with apart = true "
                "the one that keeps its users apart",
            )


def _egress(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """Hosts are named one by one, with a port; settings may stand in for them."""
    for name, backend in manifest.backends.items():
        for index, target in enumerate(backend.egress):
            problem = _egress_problem(target, backend.config)
            if problem:
                yield Finding(f"backends.{name}.egress[{index}]", f"{target!r} {problem}")


def _egress_problem(target: str, settings: Mapping[str, Setting]) -> str:
    if "*" in target:
        return "is a wildcard: name every host, or use a {setting}"
    if "://" in target:
        return f"is a URL: write '{urlsplit(target).hostname}:443'"
    filled = target
    for name, setting in settings.items():
        if f"{{{name}}}" in filled and setting.type == "secret":
            return f"is made from the secret {name}"
        filled = filled.replace(f"{{{name}}}", "x")
    if "{" in filled or "}" in filled:
        return "names a setting that the backend does not have"
    if filled == "x":
        return ""  # one setting gives the whole address
    host, colon, port = filled.rpartition(":")
    if not colon or not (port == "x" or (port.isdecimal() and 0 < int(port) < 65536)):
        return "is not of the form 'host:port'"
    bare = host.removeprefix("[").removesuffix("]").replace(":", "")
    if not bare.isascii() or not bare.replace("-", "").replace(".", "").isalnum():
        return "is not of the form 'host:port'"
    return ""


def _needed(manifest: Manifest, backend: Backend, setting: Setting, at: str) -> Iterator[Finding]:
    """Some operations need a setting, or all do."""
    if setting.needed_by and setting.required:
        yield Finding(f"{at}.needed_by", "what every binding must give, every operation has")
    provided = {
        operation
        for _, one in _provided(manifest)
        if one.name in backend.providers
        for operation in one.operations
    }
    for operation in setting.needed_by:
        if operation not in provided:
            yield Finding(f"{at}.needed_by", f"{operation!r} is no operation of this backend")


def _no_place(setting: Setting, at: str) -> Iterator[Finding]:
    """What is no text names no place."""
    if setting.endpoint:
        yield Finding(f"{at}.endpoint", f"an address is a str, not {setting.type}")
    if setting.folder:
        yield Finding(f"{at}.folder", f"a folder is a str, not {setting.type}")
    if setting.apart:
        yield Finding(f"{at}.apart", f"what keeps users apart is a str, not {setting.type}")


def _settings(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """Settings have values of their type; a secret never has one in a file."""
    for backend_name, backend in manifest.backends.items():
        for name, setting in backend.config.items():
            at = f"backends.{backend_name}.config.{name}"
            if not name.isidentifier():
                yield Finding(at, f"{name!r} cannot name a field")
            if setting.required and setting.default is not None:
                yield Finding(f"{at}.default", "a required setting has no default")
            if setting.type != "str":
                yield from _no_place(setting, at)
            yield from _needed(manifest, backend, setting, at)
            for field in ("default", "example"):
                value = getattr(setting, field)
                if value is None:
                    continue
                if setting.type == "secret":
                    yield Finding(f"{at}.{field}", f"a secret has no {field} in the manifest")
                elif not _is_a(value, setting.type):
                    yield Finding(f"{at}.{field}", f"must be {setting.type}")


def _is_a(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, _PYTHON_TYPES.get(kind, ()))


def _costs(manifest: Manifest, spec_for: SpecFor) -> Iterator[Finding]:
    """Costs are about operations that are provided."""
    everywhere = {name for _, one in _provided(manifest) for name in one.operations}
    tables = [("", manifest.costs, everywhere)] + [
        (f"{at}.", one.costs, set(one.operations)) for at, one in _provided(manifest)
    ]
    for at, costs, provided in tables:
        for name in costs:
            if name not in provided:
                said = f"no operation {name!r} is provided"
                yield Finding(f"{at}costs.{name}", said, fix=_nearest(name, provided))


RULES: tuple[Rule, ...] = (
    _contracts,
    _operations,
    _deviations,
    _hints,
    _backends,
    _workers,
    _egress,
    _settings,
    _costs,
)
"""Every rule, in the order of the manifest."""


def _provided(manifest: Manifest) -> Iterator[tuple[str, Provided]]:
    return ((f"capabilities.{name}", one) for name, one in manifest.capabilities.items())


def _vocabulary(manifest: Manifest) -> Hints:
    try:
        return manifest.vocabulary()
    except ManifestInvalid:
        return HINTS  # the clash is a finding of its own


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"did you mean {near[0]!r}?" if near else ""
