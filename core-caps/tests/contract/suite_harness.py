"""What every suite is held to: a sound provider passes it, and each broken one is caught, by name.

A capability's test says what it tries and inherits the rest:

    class TestSuite(SuiteTests):
        trial = Trial(CONTRACT, broken_kv, broken_kv.SoundKv, …)
        promised = ("a_key_is_gone_after_its_ttl",)
        anyway = ("an_absent_key_is_none",)
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

import pytest
from core_caps.claims.guarantees import parse
from core_caps.contract.suite import Contract, ContractCase, ContractViolation, World, selected
from core_caps.errors import ProviderError

UNDECLARED = "an_undeclared_operation_is_absent"
"""The case that looks for what is not declared: no provider breaks it, a manifest does."""


@dataclass(frozen=True, repr=False)
class Trial:
    """A contract, and the providers on which it is tried.

    Attributes:
        contract: what is tried.
        broken: the module of the providers, in which each class but the honest ones has a defect.
        sound: keeps every promise. A provider is made from the service that it is a client of.
        service: makes a fresh service, which has a virtual `clock`.
        caught_by: each broken provider → the case meant for it.
        guarantees: what is promised.
        limits: the limits that are declared.
        honest: more providers without a defect, which have bad luck: `service` takes a `luck`.
    """

    contract: Contract
    broken: ModuleType
    sound: type
    service: Callable[..., Any]
    caught_by: Mapping[str, str]
    guarantees: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    honest: tuple[type, ...] = ()

    @property
    def operations(self) -> frozenset[str]:
        """All that the capability has."""
        return frozenset(self.contract.spec.operations)

    def case(self, name: str) -> ContractCase:
        """The case of that name."""
        return next(case for case in self.contract.cases if case.name == name)

    def fresh(self, seed: int = 0) -> Any:
        """A service of its own, with the luck of that seed where there is luck."""
        return self.service(luck=random.Random(seed)) if self.honest else self.service()

    def world(self, provider: type, seed: int = 0, **changes: object) -> World:
        """A world in which everything is promised and provided, but for `changes`."""
        service = self.fresh(seed)

        async def advance(seconds: float) -> None:
            service.clock.advance(seconds)

        fields: dict[str, Any] = {
            "backend": "memory",
            "clock": service.clock,
            "advance": advance,
            "limits": self.limits,
            "guarantees": parse(self.guarantees),
            "operations": self.operations,
            "reopen": lambda: provider(service),
        }
        return World(**{**fields, **changes})

    def verdict(self, provider: type, case: str, seed: int = 0, **changes: object) -> str | None:
        """None where the provider passes the case, else what the case says."""
        world = self.world(provider, seed, **changes)

        async def run() -> None:
            async with world.reopen() as opened:
                await self.case(case).run(opened, world)

        try:
            asyncio.run(run())
        except (ContractViolation, ProviderError) as violation:
            return str(violation)
        return None

    def selected(self, **changes: object) -> set[str]:
        """The names of the cases that apply."""
        return {case.name for case in selected(self.contract, self.world(self.sound, **changes))}


class SuiteTests:
    """The tests of a suite.

    Attributes:
        promised: cases that apply only where something is promised; not all need be told.
        anyway: cases that apply to a provider of all operations that promises nothing.
    """

    trial: ClassVar[Trial]
    promised: ClassVar[Sequence[str]]
    anyway: ClassVar[Sequence[str]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "broken" in metafunc.fixturenames:
            metafunc.parametrize(("broken", "case"), self.trial.caught_by.items())
        elif "case" in metafunc.fixturenames:
            cases = self.trial.contract.cases
            metafunc.parametrize("case", [case.name for case in cases if not case.lacks])

    def test_sound_provider_passes(self, case: str) -> None:
        assert case in self.trial.selected(), "no case is left out here"
        assert self.trial.verdict(self.trial.sound, case) is None

    def test_broken_provider_is_caught_by_name(self, broken: str, case: str) -> None:
        assert self.trial.verdict(getattr(self.trial.broken, broken), case) is not None

    def test_every_broken_provider_is_listed(self) -> None:
        sound = self.trial.sound
        written = {
            name
            for name, found in vars(self.trial.broken).items()
            if isinstance(found, type) and issubclass(found, sound) and name[0] != "_"
        }
        honest = {each.__name__ for each in (sound, *self.trial.honest)}
        assert written - honest == set(self.trial.caught_by)

    def test_every_case_has_a_name_of_its_own_and_says_what_it_needs(self) -> None:
        cases = self.trial.contract.cases
        names = [case.name for case in cases]
        assert len(names) == len(set(names))
        assert all(case.operations <= self.trial.operations for case in cases)
        assert all(case.run.__doc__ for case in cases)

    def test_every_case_catches_somebody(self) -> None:
        broken = [getattr(self.trial.broken, name) for name in self.trial.caught_by]
        names = {case.name for case in self.trial.contract.cases} - {UNDECLARED}
        for name in sorted(names - set(self.trial.caught_by.values())):
            assert any(self.trial.verdict(each, name) is not None for each in broken), name

    def test_undeclared_operation_is_noticed(self) -> None:
        for operation in self.trial.operations:
            fewer = self.trial.operations - {operation}
            verdict = self.trial.verdict(self.trial.sound, UNDECLARED, operations=fewer)
            assert f"'{operation}'" in (verdict or ""), operation

    def test_selection_follows_the_manifest(self) -> None:
        everything = self.trial.selected()
        fewer = self.trial.selected(guarantees=parse({}), limits={}, advance=None)
        assert everything - fewer >= set(self.promised)
        assert fewer >= set(self.anyway)
