"""Running the contract suites under pytest: a plugin's `test_contract.py` is these lines.

    from core_caps.contract.pytest_plugin import enrol

    test_contract = enrol("cap_cloudflare_kv")

Its `test_manifest.py` is these: the manifest says what the code does, the README's examples run.

    from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme

    test_manifest = enrol_manifest("cap_cloudflare_kv")
    test_readme = enrol_readme(prints="b'hello'\\n")

The cases come from the installed manifest; how a backend is reached by the suites comes from a
fixture named `backend` in conftest.py, which returns a `Backend` and is parametrised where there
are several:

    @pytest.fixture(params=["mock"])
    def backend(request):
        clock, store = VirtualClock(), f"contract-{uuid.uuid4()}"
        make = lambda capability: MockKv(MockConfig(store=store), clock=clock, rng=SeededRng())
        return Backend("mock", make, clock, advance=clock.advance)
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from core_caps.capabilities.known import KNOWN
from core_caps.claims.manifest import FILE_NAME, Manifest, Provided, read
from core_caps.clock import Clock, VirtualClock
from core_caps.contract.codec import load
from core_caps.contract.declared import CASES, CASES_OF_A_BACKEND, Declared, folder_of
from core_caps.contract.suite import Contract, ContractCase, World, selected, unchecked

__all__ = ["Backend", "enrol", "enrol_manifest", "enrol_readme"]

_PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Backend:
    """How a conftest.py gives the suites one backend on one fresh service.

    Attributes:
        name: the backend's name in the manifest.
        open: `(capability) → provider`: a new client of the same service at every call, as an
            async context manager.
        clock: the providers' clock.
        advance: moves that clock by so many seconds, or None where time cannot be moved.
    """

    name: str
    open: Callable[[str], AbstractAsyncContextManager[Any]]
    clock: Clock
    advance: Callable[[float], None] | None = None


@dataclass(frozen=True, slots=True)
class _Enrolled:
    """A case that the manifest selects, and of which of its capabilities.

    Attributes:
        needed: the operations without which the case cannot run; there are none where it can.
    """

    manifest: Manifest
    provided: Provided
    case: ContractCase
    needed: frozenset[str] = frozenset()


def enrol(package: str) -> Callable[..., None]:
    """A test that runs every case which the package's manifest selects, on every backend.

    Where the package provides a half of a capability, the promises that only the other half could
    set up are skipped, each with what it needs.

    Args:
        package: the plugin's import name; its manifest is found without importing it.

    Raises:
        ManifestInvalid: the manifest cannot be used (CAP106).
        LookupError: there is no such package, a capability has no suite, or the manifest selects
            no case of it: a green that ran nothing is refused.
    """
    enrolled = _enrolled(read(folder_of(package) / FILE_NAME))

    @pytest.mark.parametrize(
        "contract_case",
        [pytest.param(each, id=f"{each.provided.name}-{each.case.name}") for each in enrolled],
    )
    def test_contract(backend: Backend, contract_case: _Enrolled) -> None:
        known = contract_case.manifest.backends
        if backend.name not in known:
            pytest.fail(f"the manifest has no backend {backend.name!r}; it has {', '.join(known)}")
        if contract_case.needed:
            pytest.skip(f"needs {', '.join(sorted(contract_case.needed))}, which is not provided")
        if contract_case.case.needs_time and backend.advance is None:
            pytest.skip(f"time cannot be moved on {backend.name}")
        asyncio.run(_run(contract_case, backend))

    return test_contract


def enrol_manifest(package: str) -> Callable[..., None]:
    """A test that holds the package to its manifest, as a whole and backend by backend.

    A backend whose extra is not installed is skipped.

    Args:
        package: the plugin's import name.

    Raises:
        ManifestInvalid: the manifest cannot be used (CAP106).
        LookupError: there is no such package.
    """
    plugin = Declared.by(package)
    cases = [pytest.param(case, None, id=case.__name__) for case in CASES]
    for backend in plugin.manifest.backends.values():
        cases += [
            pytest.param(case, backend, id=f"{backend.name}-{case.__name__}")
            for case in CASES_OF_A_BACKEND
        ]

    @pytest.mark.parametrize(("declared_case", "declared_backend"), cases)
    def test_manifest(declared_case: Callable[..., None], declared_backend: Any) -> None:
        if declared_backend is None:
            declared_case(plugin)
            return
        missing = plugin.missing_extra(declared_backend)
        if missing is not None:
            pytest.skip(f"{declared_backend.name} is not installed: {missing}")
        declared_case(plugin, declared_backend)

    return test_manifest


def enrol_readme(*, prints: str) -> Callable[..., None]:
    """A test that runs the Python examples of the README.md beside the folder of tests.

    Args:
        prints: what they print, one after the other.
    """

    def test_readme(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
        readme = request.path.parents[1] / "README.md"
        programs = _PROGRAM.findall(readme.read_text("utf-8"))
        if not programs:
            pytest.fail(f"{readme} has no example in Python")
        for program in programs:
            exec(compile(program, str(readme), "exec"), {"__name__": "__main__"})  # noqa: S102
        assert capsys.readouterr().out == prints

    return test_readme


async def _run(enrolled: _Enrolled, backend: Backend) -> None:
    world = _world(enrolled.manifest, enrolled.provided, backend)
    async with backend.open(enrolled.provided.name) as provider:
        await enrolled.case.run(provider, world)


def _world(manifest: Manifest, provided: Provided, backend: Backend) -> World:
    advance = backend.advance

    async def move(seconds: float) -> None:
        assert advance is not None
        advance(seconds)

    return World(
        backend=backend.name,
        clock=backend.clock,
        advance=None if advance is None else move,
        limits={
            name: int(limit.value) for name, limit in manifest.limits_of(provided.name).items()
        },
        guarantees=provided.guarantees,
        operations=frozenset(provided.operations),
        reopen=lambda: backend.open(provided.name),
    )


def _enrolled(manifest: Manifest) -> list[_Enrolled]:
    # What the manifest alone selects: a backend's clock is known only when a test runs.
    movable = VirtualClock()
    anywhere = Backend("", lambda _: nullcontext(), movable, advance=movable.advance)
    found: list[_Enrolled] = []
    for provided in manifest.capabilities.values():
        suite = provided.suite or getattr(KNOWN.get(provided.contract), "suite", None)
        if suite is None:
            raise LookupError(f"{manifest.name} names no suite for {provided.contract}")
        contract: Contract = load(suite)
        world = _world(manifest, provided, anywhere)
        cases = selected(contract, world)
        if not any(case.operations for case in cases):
            raise LookupError(f"{manifest.name} selects no case of {provided.contract}")
        found.extend(_Enrolled(manifest, provided, case) for case in cases)
        needed = unchecked(contract, world)
        found.extend(
            _Enrolled(manifest, provided, case, needed[case.name])
            for case in contract.cases
            if case.name in needed
        )
    if not found:
        raise LookupError(f"{manifest.name} provides no capability, so there is nothing to run")
    return found
