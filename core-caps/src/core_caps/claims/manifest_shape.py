"""The manifest as values, and the claims that follow; `core_caps.claims.manifest` reads it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core_caps.claims.hints import HINTS, Hint, Hints, canonical
from core_caps.claims.lattice import Claim, Determinism, Effects
from core_caps.claims.operation import CapabilitySpec, Operation, Repeat
from core_caps.errors import DeterminismTooStrong, ManifestInvalid, UnknownHint

__all__ = [
    "DEFAULT_CANCEL_SECONDS",
    "DEFAULT_TIMEOUT_SECONDS",
    "RETRY_OWNERS",
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
    "invalid",
    "unknown_hints",
]

SCHEMA = 1
"""The version of the manifest's schema that this package reads."""

SETTING_TYPES = ("str", "int", "float", "bool", "secret")
"""The types a setting may have; a secret travels as `core_caps.secret.Secret`."""

RETRY_OWNERS = ("caller", "provider")
"""Who repeats a failed call: the caller (through `retrying`), or the provider by itself."""

DEFAULT_CANCEL_SECONDS = 0.5
"""A backend that does not say frees its connection within this time of a cancellation."""

DEFAULT_TIMEOUT_SECONDS = 60.0
"""A backend that does not say waits no longer than this on a silent service."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a manifest: where, what, and which diagnostic explains it.

    Attributes:
        location: the path of the field, `capabilities.kv.deviations.list.hints`.
        message: what is wrong, with the value.
        code: a code of the diagnostic table.
        fix: what to write instead, where that is known.
    """

    location: str
    message: str
    code: str = "CAP106"
    fix: str = ""

    def __str__(self) -> str:
        code = "" if self.code == "CAP106" else f"{self.code}: "
        where = f"{self.location}: " if self.location else ""
        return f"{where}{code}{self.message}" + (f" → {self.fix}" if self.fix else "")


@dataclass(frozen=True, slots=True)
class Deviation:
    """How one operation differs from the capability's own claim; None keeps what that says."""

    hints: tuple[str, ...] | None = None
    effects: Effects | None = None
    determinism: Determinism | None = None
    repeat: Repeat | None = None
    delegates: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Provided:
    """A capability that the plugin provides.

    Attributes:
        name: its short name, `kv`: the table's key.
        contract: the contract's id with its version, `kv/1`.
        operations: the operations provided.
        guarantees: every guarantee by name; what is not declared is `unknown`.
        deviations: operations that differ from the capability's own claim.
        protocol: the lazy name of the Protocol class, for a capability of one's own.
        suite: the lazy name of its Contract, for a capability of one's own.
        limits: documented limits of this capability alone, by name.
        costs: per operation of this capability, what one call costs (`requests`, …).
    """

    name: str
    contract: str
    operations: tuple[str, ...]
    guarantees: Mapping[str, str] = field(default_factory=dict[str, str])
    deviations: Mapping[str, Deviation] = field(default_factory=dict[str, Deviation])
    protocol: str | None = None
    suite: str | None = None
    limits: "Mapping[str, Limit]" = field(default_factory=dict[str, "Limit"])
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a backend.

    Attributes:
        name: the setting's name: the field of the backend's Config.
        type: one of SETTING_TYPES.
        required: a binding must give it (or the environment does, through `env`).
        default: the value where nothing is given; None leaves the Config's own default.
        env: the environment variable read where the binding does not give it.
        example: a value that the lab may use.
        endpoint: the setting is the service's address; the lab points it at its own server.
        folder: the setting is the folder of the backend's own files, the only ones it writes; the
            lab gives each case an empty one.
        apart: whoever gives the setting another value meets another service, an empty one.
        needed_by: the operations that need it, where the others do without.
        summary: one line for people.
    """

    name: str
    type: str
    required: bool = False
    default: object = None
    env: str | None = None
    example: object = None
    endpoint: bool = False
    folder: bool = False
    apart: bool = False
    needed_by: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class SafePost:
    """A request whose method says write and that only reads; believed when the state agrees.

    Attributes:
        method: its method.
        path: its path, or the end of it.
        header: `Name: value` of a header that it must have, too, or "": where one route both
            reads and writes.
    """

    method: str
    path: str
    header: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to reach the service.

    Attributes:
        name: `mock`, `local`, `remote` or `workers`, or one of the plugin's own.
        providers: capability name → lazy name of the provider class.
        extra: the extra that brings its dependencies, or None.
        wire: the protocol it speaks, as the lab's reference servers are named, or None.
        reference: the lazy name of the plugin's own reference server of that wire, or None.
        worker: the wrangler configuration, beside the manifest, of the Worker that its users deploy
            to be reached by it, or None. Parity runs that in the vendor's runtime, with each
            secret setting under its name in capitals.
        egress: the `host:port` it connects to; `{setting}` stands for a setting's value, and for
            several addresses where that lists them (see `core_caps.claims.egress`).
        scopes: what its credential must be allowed to do, in the vendor's words.
        retry_owner: `caller` (it never retries) or `provider`.
        cancel_seconds_max: a cancelled call has freed its connection by then, in seconds.
        timeout_seconds_max: no call waits longer than this on a silent service, in seconds.
        config: its settings by name.
        safe_posts: requests that only read although their method says write.
    """

    name: str
    providers: Mapping[str, str]
    extra: str | None = None
    wire: str | None = None
    reference: str | None = None
    worker: str | None = None
    egress: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    retry_owner: str = "caller"
    cancel_seconds_max: float = DEFAULT_CANCEL_SECONDS
    timeout_seconds_max: float = DEFAULT_TIMEOUT_SECONDS
    config: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    safe_posts: tuple[SafePost, ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """A documented limit of the service; its name ends with the unit."""

    name: str
    value: int | float
    source: str


@dataclass(frozen=True, slots=True)
class Data:
    """What kind of data the service holds, and where."""

    classes: tuple[str, ...] = ()
    residency: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that a plugin declares.

    Attributes:
        name: the plugin's name: its entry point's name.
        summary: one line for people.
        homepage: the service's or the plugin's page.
        capabilities: what it provides, by short name.
        backends: how the service is reached, by name.
        limits: documented limits of every capability, by name; see `limits_of`.
        data: data classes and residency.
        costs: per operation, what one call costs (`requests`, …).
        hints: hint families of its own, with their floors.
        origin: where the manifest was read from, for messages.
    """

    name: str
    summary: str
    homepage: str
    capabilities: Mapping[str, Provided]
    backends: Mapping[str, Backend]
    limits: Mapping[str, Limit] = field(default_factory=dict[str, Limit])
    data: Data = field(default_factory=Data)
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    hints: tuple[Hint, ...] = ()
    origin: str = ""

    def limits_of(self, capability: str) -> "Mapping[str, Limit]":
        """The documented limits of one capability by name: its own, and those of all."""
        return {**self.limits, **self.capabilities[capability].limits}

    def vocabulary(self) -> Hints:
        """Our hints plus the families that this manifest declares.

        Raises:
            ManifestInvalid: a declared family clashes with a known one.
        """
        return HINTS.with_families(self.hints, owner=self.name) if self.hints else HINTS


@dataclass(frozen=True, slots=True)
class OperationClaim:
    """What one provided operation claims, deviations applied.

    Attributes:
        hints: what it touches, as full paths.
        effects: what it does to the world.
        determinism: how repeatable it is.
        repeat: what the same call made twice does.
        delegates: the hints of the calls that a credential it mints permits.
        streams: it returns an async iterator.
        key: the argument that takes its idempotency key, `messages.key` where each item of an
            argument has one, or "".
        key_at: where that argument stands among those given by position; None is by name alone.
        travels: the receiver of what is sent knows a repeat by its key; the service does not.
        conditions: the keyword arguments that take a precondition.
    """

    hints: tuple[str, ...]
    effects: Effects
    determinism: Determinism
    repeat: Repeat
    delegates: tuple[str, ...] = ()
    streams: bool = False
    key: str = ""
    key_at: int | None = None
    travels: bool = False
    conditions: tuple[str, ...] = ()

    @property
    def repeated_under(self) -> str:
        """What makes a repeat safe: `nature`, `key NAME`, `precondition NAME`; "" is nothing."""
        if self.repeat is Repeat.SAFE:
            return "nature"
        if self.repeat is Repeat.UNSAFE:
            return ""
        if self.key:
            return f"key {self.key}"
        return f"precondition {', '.join(self.conditions)}" if self.conditions else ""


def claims_of(manifest: Manifest, spec: CapabilitySpec) -> Mapping[str, OperationClaim]:
    """The effective claim of every operation that the manifest provides of one capability.

    An operation claims the join of its hints' floors, delegated hints included, unless its
    deviation declares something weaker.

    Raises:
        ManifestInvalid: the manifest does not provide the capability, or provides or deviates an
            operation that the capability does not have.
        UnknownHint: a deviation, or the capability itself, names a hint that no family has; its
            field is told (EFFECT202).
        EffectTooSmall: a deviation declares effects below a hint's floor (EFFECT201).
        DeterminismTooStrong: a deviation claims more determinism than a hint, or the capability,
            allows (DET302).
    """
    provided = next(
        (p for p in manifest.capabilities.values() if p.contract == spec.contract), None
    )
    if provided is None:
        raise ManifestInvalid(f"{manifest.name} does not provide {spec.contract}")
    strangers = [
        Finding(f"capabilities.{provided.name}", f"{spec.contract} has no operation {name!r}")
        for name in dict.fromkeys((*provided.operations, *provided.deviations))
        if name not in spec.operations
    ]
    if strangers:
        raise invalid(manifest.origin or manifest.name, strangers)
    vocabulary = manifest.vocabulary()
    for unknown in unknown_hints(provided, spec, vocabulary):
        raise UnknownHint(f"{unknown.location}: {unknown.message}", hint=unknown.fix)
    return MappingProxyType(
        {
            name: _claim(vocabulary, spec.operations[name], provided.deviations.get(name))
            for name in provided.operations
        }
    )


def unknown_hints(
    provided: Provided, spec: CapabilitySpec | None, vocabulary: Hints
) -> Iterator[Finding]:
    """The hints that no family has, of deviations and of the capability's own operations."""
    for name in dict.fromkeys((*provided.operations, *provided.deviations)):
        declared = spec.operations.get(name) if spec else None
        deviation = provided.deviations.get(name)
        for key in ("hints", "delegates"):
            table, stated = "deviations", getattr(deviation, key, None)
            if stated is None:
                table, stated = "operations", getattr(declared, key, ())
            for index, hint in enumerate(stated):
                if hint not in vocabulary:
                    yield Finding(
                        f"capabilities.{provided.name}.{table}.{name}.{key}[{index}]",
                        f"unknown hint {hint!r}",
                        code="EFFECT202",
                        fix=vocabulary.instead_of(hint),
                    )


def _claim(vocabulary: Hints, declared: Operation, deviation: Deviation | None) -> OperationClaim:
    deviation = deviation or Deviation()
    hints = declared.hints if deviation.hints is None else deviation.hints
    delegates = declared.delegates if deviation.delegates is None else deviation.delegates
    floor = vocabulary.floor((*hints, *delegates))
    claim = Claim(
        floor.effects if deviation.effects is None else deviation.effects,
        floor.determinism | declared.determinism
        if deviation.determinism is None
        else deviation.determinism,
    )
    vocabulary.check(claim, (*hints, *delegates), subject=declared.name)
    if claim.determinism < declared.determinism:
        raise DeterminismTooStrong(
            f"{declared.name} claims determinism {claim.determinism}, but its capability allows "
            f"at most {declared.determinism}",
            hint=f"claim determinism = {str(declared.determinism)!r}, or nothing",
        )
    return OperationClaim(
        tuple(canonical(hint) for hint in hints),
        claim.effects,
        claim.determinism,
        declared.repeat if deviation.repeat is None else deviation.repeat,
        tuple(canonical(hint) for hint in delegates),
        declared.streams,
        declared.key,
        declared.key_at,
        declared.travels,
        declared.conditions,
    )


def invalid(origin: str, findings: list[Finding]) -> ManifestInvalid:
    """The error that lists these findings."""
    count = "1 problem" if len(findings) == 1 else f"{len(findings)} problems"
    return ManifestInvalid(
        f"{origin} has {count}",
        findings=[str(finding) for finding in findings],
        hint="docs/manifest.md lists every field",
    )
