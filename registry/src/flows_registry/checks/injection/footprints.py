"""Which keys a call touches: the contract tells by the looks that would show what it left."""

from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field

from core_caps.contract.suite import Call, Contract

__all__ = ["Footprints"]

_Footprint = frozenset[str]


@dataclass(slots=True)
class Footprints:
    """The footprints of a contract's calls; each call is asked about once."""

    contract: Contract
    _known: dict[str, _Footprint] = field(default_factory=dict[str, _Footprint])

    def of(self, call: Call) -> _Footprint:
        """What the call alone would be looked at by; nothing where it may touch everything."""
        asked = repr(call)
        if asked not in self._known:
            always = {repr(look) for look in self.contract.read_back(())}
            looks = {repr(look) for look in self.contract.read_back((call,))}
            self._known[asked] = frozenset(looks - always)
        return self._known[asked]

    @staticmethod
    def bridges(touched: Collection[_Footprint]) -> Callable[[_Footprint], bool]:
        """Whether a footprint is of several keys: it meets two others that do not meet."""

        def several(one: _Footprint) -> bool:
            met = [other for other in set(touched) if one & other]
            return any(not (a & b) for a in met for b in met)

        return several

    def parts(self, touched: Mapping[int, _Footprint], writes: Set[int]) -> list[frozenset[int]]:
        """The calls by key: no part touches what another does. A read of several keys belongs to
        none of them, and a write of several keys makes them one."""
        several = self.bridges(touched.values())
        if any(not touched[number] for number in writes):
            return []
        keyed = {
            number: prints
            for number, prints in touched.items()
            if prints and (number in writes or not several(prints))
        }
        return [frozenset(part) for part in _joined(keyed)]


def _joined(keyed: Mapping[int, _Footprint]) -> Iterator[set[int]]:
    left = dict(keyed)
    while left:
        number, prints = left.popitem()
        part, reach = {number}, set(prints)
        while near := {n for n, other in left.items() if reach & other}:
            part |= near
            for n in near:
                reach |= left.pop(n)
        yield part
