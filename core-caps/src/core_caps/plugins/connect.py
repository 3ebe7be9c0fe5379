"""`connect`: from a capability and a plugin's name to an open, typed, guarded provider."""

import importlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeGuard, TypeVar

import pluggy

from core_caps.calls.access import Calls, granted, view_of
from core_caps.calls.observe import Observer, observed
from core_caps.calls.retrying import Policy, Retrier
from core_caps.claims.manifest import OperationClaim
from core_caps.claims.operation import operations_of
from core_caps.clock import Clock, SystemClock
from core_caps.errors import (
    ClientClosed,
    ConfigInvalid,
    ManifestInvalid,
    PluginNotFound,
)
from core_caps.plugins import hookspecs
from core_caps.plugins.choosing import choose
from core_caps.plugins.discovery import Found
from core_caps.plugins.opening import Opening
from core_caps.plugins.settings import given_settings, kept_in
from core_caps.plugins.unopened import misopened, unopened
from core_caps.rng import Rng, SystemRng
from core_caps.secret import Secret

if TYPE_CHECKING:
    from core_caps.capabilities.secrets import Secrets

__all__ = ["Connection", "connect"]

_Protocol = TypeVar("_Protocol")


def connect(
    capability: type[_Protocol],
    name: str | None = None,
    *,
    backend: str | None = None,
    config: Mapping[str, object] | None = None,
    secrets: "Mapping[str, str | Secret] | Secrets | None" = None,
    clock: Clock | None = None,
    rng: Rng | None = None,
    observe: Observer | None = None,
    access: Iterable[str] | None = None,
    retry: Policy | None = None,
) -> "Connection[_Protocol]":
    """A connection to an installed plugin, to be opened with `async with`.

    What it yields offers the protocol's operations that the plugin provides, and nothing else.

    Args:
        capability: the protocol, or a half of one: KeyValueReader yields a view without `put`.
        name: the plugin's name; it may be left out while one installed plugin provides the
            capability.
        backend: the backend's name; it may be left out while the plugin has one for the
            capability.
        config: the backend's settings; those left out come from the environment variables and
            defaults that the manifest names.
        secrets: the backend's secret settings, or a store that has them: it is asked for each by
            the environment variable that the manifest names for it, or else by its own name.
        clock: where the provider takes the time from; the machine's clock unless given, on the
            mock too (tests give a VirtualClock).
        rng: where the provider takes randomness from; the system's unless given.
        observe: called with a CallRecord after every call.
        access: the hints that the caller declared; operations that need others are refused
            (CAP110). None declares every hint of the protocol.
        retry: failed calls are repeated under this policy, on the connection's own clock and
            randomness, as `core_caps.retrying` does; None makes every call once.

    Raises:
        BindingMissing: no name was given and none, or several, could serve (CAP101).
        PluginConflict: two distributions claim the name (CAP102).
        PluginNotFound: no such plugin or backend, or it does not provide the capability, or only
            the other half of it (CAP103).
        ManifestInvalid: the plugin's manifest cannot be used (CAP106).
        ConfigInvalid: `config` is no mapping, `secrets` is neither one nor a store, or `retry` is
            given and the backend retries by itself (CAP105).
        UnknownHint: `access` names a hint that its family does not have (EFFECT202).
        TypeError: the capability is no protocol, or another argument is of another type.

    Entering raises BackendNotInstalled (CAP104), ConfigInvalid (CAP105) and what the provider
    raises when it reaches out; `with`, `await` and an operation called on the connection itself
    raise NotOpened (CAP107).
    """
    if retry is not None and not isinstance(retry, Policy):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"retry is a Policy, not {retry!r}")
    if observe is not None and not callable(observe):
        raise TypeError(f"observe is called with each CallRecord; {observe!r} cannot be")
    chosen = choose(capability, name, backend)
    store = secrets if _is_store(secrets) else None
    opening = Opening(
        capability=chosen.provided.name,
        contract=chosen.provided.contract,
        backend=chosen.backend,
        manifest=chosen.manifest,
        distribution=chosen.found.distribution,
        config=given_settings(config, "config"),
        secrets=given_settings(None if store is not None else secrets, "secrets"),
        clock=clock or SystemClock(),
        rng=rng or SystemRng(),
    )
    names = frozenset(granted(capability, chosen.claims, access))
    retrier = _retrier(opening, retry)
    return Connection(
        capability, chosen.found, opening, chosen.claims, names, observe, retrier, store
    )


class Connection(Generic[_Protocol]):
    """One connection: `async with` opens it and yields the view."""

    def __init__(
        self,
        capability: type[_Protocol],
        found: Found,
        opening: Opening,
        claims: Mapping[str, OperationClaim],
        names: frozenset[str],
        observer: Observer | None,
        retrier: Retrier | None,
        store: "Secrets | None" = None,
    ) -> None:
        self._capability = capability
        self._found = found
        self._opening = opening
        self._claims = claims
        self._names = names
        self._observer = observer
        self._retrier = retrier
        self._store = store
        self._provider: Any = None
        self._calls: Calls = {}

    @property
    def plugin(self) -> str:
        """The plugin's name."""
        return self._found.name

    async def __aenter__(self) -> _Protocol:
        if self._provider is not None:
            raise RuntimeError("this connection was opened before: call connect() again")
        opening = self._opening
        if self._store is not None:
            kept = await kept_in(self._store, opening.declared.config)
            opening = replace(opening, secrets=kept)
        self._provider = _opened(self._found, opening)
        entered = await self._provider.__aenter__()
        provider = self._provider if entered is None else entered
        missing = [name for name in self._claims if not callable(getattr(provider, name, None))]
        if missing:
            await self._provider.__aexit__(None, None, None)
            raise ManifestInvalid(
                f"{self._found.name} declares operations that its backend "
                f"{self._opening.backend!r} does not have: {', '.join(missing)}"
            )
        self._calls = {name: self._call(provider, name) for name in self._names}
        return view_of(self._capability, self._calls, self._claims)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in self._calls:
            self._calls[name] = _closed(self._found.name, name, streams=self._claims[name].streams)
        # Its verdict on the error is not asked for: a provider must not swallow the caller's.
        await self._provider.__aexit__(kind, error, traceback)

    if not TYPE_CHECKING:  # a type checker refuses all of them before they run

        def __enter__(self) -> NoReturn:
            raise misopened(self.plugin, "async with", "with")

        def __exit__(self, *exc: object) -> None:
            """Python looks for it before it calls `__enter__`."""

        def __await__(self) -> NoReturn:
            raise misopened(self.plugin, "async with", "await")

        def __getattr__(self, name: str) -> NoReturn:
            if not name.startswith("_") and name in operations_of(self._capability):
                raise unopened(self.plugin, "async with", name)
            raise AttributeError(f"a Connection has no {name!r}", name=name, obj=self)

    def _call(self, provider: Any, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(provider, name)
        claim = self._claims[name]
        if self._observer is not None:
            call = observed(
                call,
                capability=self._opening.capability,
                operation=name,
                hints=claim.hints,
                streams=claim.streams,
                observer=self._observer,
                clock=self._opening.clock,
            )
        return call if self._retrier is None else self._retrier.call(call, claim)


def _is_store(secrets: object) -> "TypeGuard[Secrets]":
    return not isinstance(secrets, Mapping) and callable(getattr(secrets, "get", None))


def _retrier(opening: Opening, policy: Policy | None) -> Retrier | None:
    if policy is None:
        return None
    if opening.declared.retry_owner != "caller":
        raise ConfigInvalid(
            f"backend {opening.backend!r} of {opening.manifest.name} retries by itself, and "
            "retry was given, too",
            hint="leave retry out: retries have one owner",
        )
    return Retrier(policy, opening.clock, opening.rng)


def _opened(found: Found, opening: Opening) -> Any:
    """The provider that the plugin's hook makes; no other plugin is imported or asked."""
    plugins = pluggy.PluginManager(hookspecs.PROJECT)
    plugins.add_hookspecs(hookspecs)
    try:
        module = importlib.import_module(found.module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{found.module}.".startswith(f"{error.name}."):
            raise
        raise PluginNotFound(
            f"the entry point of {found.distribution} names {found.module}, which does not exist",
            hint=f"reinstall it: pip install --force-reinstall {found.distribution}",
        ) from error
    plugins.register(module, found.name)
    provider = plugins.hook.flows_open(opening=opening)
    if provider is None:
        raise PluginNotFound(
            f"{found.module} opens nothing for {opening.contract}, backend {opening.backend!r}",
            hint="its module needs a function `flows_open` marked with core_caps.hookimpl",
        )
    if not (hasattr(provider, "__aenter__") and hasattr(provider, "__aexit__")):
        raise TypeError(
            f"{found.module} opened a {type(provider).__qualname__}, which is no async context "
            "manager: a provider has __aenter__ and __aexit__"
        )
    return provider


def _closed(plugin: str, operation: str, *, streams: bool) -> Callable[..., Any]:
    """The operation after its connection was closed: it refuses where it would have answered."""

    def refusal() -> ClientClosed:
        return ClientClosed(
            f"{operation} was called after the connection to {plugin} was closed",
            hint="keep the calls inside the `async with connect(...)` block",
        )

    async def refuse(*args: object, **kwargs: object) -> Any:
        raise refusal()

    async def refuse_stream(*args: object, **kwargs: object) -> AsyncIterator[Any]:
        raise refusal()
        yield  # which makes this a stream

    return refuse_stream if streams else refuse
