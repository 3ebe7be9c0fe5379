"""The suite that a plugin brings for a capability of its own, as one of ours looks."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import core_caps.errors
from core_caps.claims.operation import CapabilitySpec
from core_caps.contract.codec import decode, encode
from core_caps.contract.suite import Call, Contract, Exercise, NoModel
from core_caps.errors import ProviderError

from flows_registry.lab.hosted.hosting import Host, HostBroken

__all__ = ["hosted_contract"]

_Shape = TypeVar("_Shape", Call, Exercise)


def hosted_contract(host: Host, spec: CapabilitySpec) -> Contract:
    """A contract whose functions ask the host; its promises are kept by the agent.

    Everything it gives may raise HostBroken.
    """
    described = host.ask("describe")
    asked = _Asked(host)
    return Contract(
        object,  # the protocol is not to be imported here
        spec,
        cases=(),
        exercises=tuple(_each(Exercise, described["exercises"])),
        generate=asked.generate,
        model=(asked.follower if described["follows"] else asked.model)
        if described["has_model"]
        else NoModel,
        comparable=asked.comparable,
        read_back=asked.read_back,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The functions of a contract."""

    host: Host

    def generate(
        self, source: random.Random, length: int, operations: frozenset[str]
    ) -> Sequence[Call]:
        drawn = {"seed": source.getrandbits(53), "length": length, "operations": sorted(operations)}
        return _calls(self.host.ask("generate", **drawn))

    def model(self) -> "_Model":
        return _Model(self.host, self.host.ask("model"))

    def follower(self) -> "_Follower":
        return _Follower(self.host, self.host.ask("model"))

    def comparable(self, call: Call, result: object) -> object:
        answer = self.host.ask("comparable", call=encode(call), value=encode(result))
        return decode(answer, foreign=False)

    def read_back(self, calls: Sequence[Call]) -> Sequence[Call]:
        return _calls(self.host.ask("read_back", calls=encode(list(calls))))


@dataclass(frozen=True, slots=True)
class _Model:
    """A model in the host."""

    host: Host
    number: int

    def apply(self, call: Call) -> object:
        answer = self.host.ask("apply", number=self.number, call=encode(call))
        if "error" in answer:
            raise _refusal(answer)
        return decode(answer["value"], foreign=False)

    def state(self) -> object:
        return decode(self.host.ask("state", number=self.number), foreign=False)


@dataclass(frozen=True, slots=True)
class _Follower(_Model):
    """A model in the host that is told what was answered."""

    def accepts(self, call: Call, answer: object, error: str = "") -> bool:
        told = {"call": encode(call), "answer": encode(answer), "error": error}
        return self.host.ask("accepts", number=self.number, **told) is True

    def lost(self, call: Call, applied: bool | None) -> None:
        self.host.ask("lost", number=self.number, call=encode(call), applied=applied)


def _calls(answer: Any) -> Sequence[Call]:
    return _each(Call, answer)


def _each(cls: type[_Shape], answer: Any) -> Sequence[_Shape]:
    """The answer as a sequence of one of the contract's shapes."""
    decoded = decode(answer, foreign=False)
    if not isinstance(decoded, list):
        raise HostBroken(f"the suite gave {decoded!r:.200} where a sequence is wanted")
    for item in cast("list[object]", decoded):
        if not isinstance(item, cls):
            raise HostBroken(f"the suite gave {item!r:.200} where {cls.__name__}s are wanted")
    return cast("list[_Shape]", decoded)


def _refusal(answer: dict[str, Any]) -> ProviderError:
    """The model's error; a class that is not ours keeps its name, and nothing else."""
    name: str = answer["error"]
    ours = getattr(core_caps.errors, name, None)
    if isinstance(ours, type) and issubclass(ours, ProviderError):
        return ours(answer["message"])
    return type(name, (ProviderError,), {})(answer["message"])
