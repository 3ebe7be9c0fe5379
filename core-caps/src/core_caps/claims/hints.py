"""Hints: what an operation touches, and the floors that each forces on its claim.

A hint is a path of segments, `resource::kv::write`. It is matched by whole segments: the family
`resource::http` covers `resource::http::read`, never `resource::httpx`. Naming a family grants
nothing; every operation has a hint of its own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core_caps.claims.lattice import Claim, Determinism, Effects, join
from core_caps.errors import DeterminismTooStrong, EffectTooSmall, ManifestInvalid, UnknownHint

__all__ = ["HINTS", "Hint", "Hints", "canonical", "covers"]


_PATH = re.compile(r"resource(::[a-z0-9][a-z0-9_-]*)+")


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint and its floors: the least effects and the strongest determinism allowed."""

    path: str
    floor: Claim

    @property
    def family(self) -> str:
        """The first two segments: `resource::kv` of `resource::kv::write`."""
        return "::".join(self.path.split("::")[:2])


def canonical(hint: str) -> str:
    """The full path of a hint; the short form `kv_write` is accepted as an alias."""
    if "::" in hint:
        return hint
    return "resource::" + hint.replace("_", "::")


def covers(family: str, hint: str) -> bool:
    """Whether `hint` lies in `family`, compared by whole segments."""
    above, below = canonical(family).split("::"), canonical(hint).split("::")
    return below[: len(above)] == above


class Hints(Mapping[str, Hint]):
    """A vocabulary of hints: ours, plus the families that loaded manifests declare.

    A vocabulary is a value: `with_families` returns a new one and changes nothing in place.
    """

    def __init__(self, hints: Iterable[Hint], *, closed: Iterable[str] | None = None) -> None:
        """A vocabulary of these hints.

        Args:
            closed: the families that no manifest may add to; None closes all that `hints` has.
        """
        self._hints = {hint.path: hint for hint in hints}
        families = {hint.family for hint in self._hints.values()}
        self._closed = frozenset(families if closed is None else closed)

    def __getitem__(self, hint: str) -> Hint:
        """The hint of that path or alias.

        Raises:
            UnknownHint: it is not in the vocabulary (EFFECT202).
        """
        path = canonical(hint)
        try:
            return self._hints[path]
        except KeyError:
            raise UnknownHint(f"unknown hint {hint!r}", hint=self.instead_of(hint)) from None

    def __contains__(self, hint: object) -> bool:
        return isinstance(hint, str) and canonical(hint) in self._hints

    def __iter__(self) -> Iterator[str]:
        return iter(self._hints)

    def __len__(self) -> int:
        return len(self._hints)

    def floor(self, hints: Iterable[str]) -> Claim:
        """The join of the floors of several hints; no hint at all is (pure, strict)."""
        return join(self[hint].floor for hint in hints)

    def check(self, claim: Claim, hints: Iterable[str], *, subject: str) -> None:
        """Refuse a claim that is stronger than its hints allow.

        Raises:
            UnknownHint: a hint is not in the vocabulary (EFFECT202).
            EffectTooSmall: declared effects are below a hint's floor (EFFECT201).
            DeterminismTooStrong: the determinism claim is above a hint's floor (DET302).
        """
        for path in hints:
            floor = self[path].floor
            if claim.effects < floor.effects:
                raise EffectTooSmall(
                    f"{subject} declares effects {claim.effects}, but its hint "
                    f"{canonical(path)} is at least {floor.effects}",
                    hint=f"declare effects = {str(floor.effects)!r}, or drop the hint",
                )
            if claim.determinism < floor.determinism:
                raise DeterminismTooStrong(
                    f"{subject} claims determinism {claim.determinism}, but its hint "
                    f"{canonical(path)} allows at most {floor.determinism}",
                    hint=f"claim determinism = {str(floor.determinism)!r}, or drop the hint",
                )

    def declared(self, hints: Iterable[str]) -> frozenset[str]:
        """These hints as full paths, for the code that declares them.

        A whole family may be among them, though it grants nothing, and so may hints of families
        that are not in the vocabulary.

        Raises:
            TypeError: it is one text, or something in it is none.
            UnknownHint: a known family has no such hint (EFFECT202).
        """
        if isinstance(hints, str) or not all(isinstance(hint, str) for hint in hints):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"hints are a list of texts, not {hints!r}")
        paths = frozenset(map(canonical, hints))
        families = {hint.family for hint in self._hints.values()}
        for path in paths:
            family = "::".join(path.split("::")[:2])
            if family in families and not any(covers(path, known) for known in self._hints):
                raise UnknownHint(f"unknown hint {path!r}", hint=self.instead_of(path))
        return paths

    def with_families(self, hints: Iterable[Hint], *, owner: str) -> "Hints":
        """This vocabulary plus the hints that `owner` declares.

        Which of two owners comes first makes no difference: both may declare one hint with the
        same floors, and both may add hints to a family of third parties.

        Raises:
            ManifestInvalid: a declared hint is no path, adds to a family of the vocabulary that
                needs no manifest, or has other floors than one already known (CAP106).
        """
        known = dict(self._hints)
        for hint in hints:
            before = known.setdefault(hint.path, hint)
            if before.floor != hint.floor:
                raise ManifestInvalid(
                    f"{owner} declares {hint.path} ({hint.floor}), which is already declared "
                    f"with {before.floor}",
                    hint="declare the same floors, or give the new hint a family of its own",
                )
            if hint.path in self._hints:
                continue
            if not _PATH.fullmatch(hint.path):
                raise ManifestInvalid(
                    f"{owner} declares {hint.path!r}, which is no path of a hint",
                    hint="write resource::<family>::<what>, in lower-case letters, digits, _ or -",
                )
            if hint.family in self._closed:
                raise ManifestInvalid(
                    f"{owner} declares {hint.path} ({hint.floor}), but the family "
                    f"{hint.family} is already declared and takes no more",
                    hint="give the new hint a family of its own",
                )
        return Hints(known.values(), closed=self._closed)

    def instead_of(self, hint: str) -> str:
        """What to write instead of an unknown hint: the nearest one, and what there is."""
        path = canonical(hint)
        near = _nearest(path, self._hints)
        guess = f"did you mean {near!r}? " if near else ""
        family = "::".join(path.split("::")[:2])
        known = [hint for hint in self._hints if covers(family, hint)]
        if known:
            return f"{guess}the family has: {', '.join(sorted(known))}"
        families = ", ".join(sorted({h.family for h in self._hints.values()}))
        return f"{guess}known families: {families}; a manifest declares others under [hints]"


def _nearest(path: str, known: Iterable[str]) -> str:
    """The known path that this one was meant to be, or ""; `resource::`, which all have, is no
    likeness."""
    import difflib  # only a mistake pays for it

    below = {hint.removeprefix("resource::"): hint for hint in known}
    near = difflib.get_close_matches(path.removeprefix("resource::"), below, n=1, cutoff=0.7)
    return below[near[0]] if near else ""


def _hint(path: str, effects: Effects, determinism: Determinism) -> Hint:
    return Hint(f"resource::{path}", Claim(effects, determinism))


def _vocabulary() -> Iterable[Hint]:
    pure, reads, writes = Effects
    strict, stable, best_effort, nondeterministic = Determinism
    for family in ("http", "kv", "blob", "do", "db", "payment"):
        yield _hint(f"{family}::read", reads, best_effort)
        yield _hint(f"{family}::write", writes, best_effort)
    yield _hint("http::read::pinned", reads, stable)
    yield _hint("blob::read::pinned", reads, strict)
    yield _hint("queue::publish", writes, best_effort)
    yield _hint("queue::consume", writes, best_effort)  # an acknowledgement is a write
    yield _hint("db::admin", writes, best_effort)
    yield _hint("dedupe::write", writes, best_effort)
    yield _hint("cache::read", reads, strict)  # the cached node's own level decides
    yield _hint("cache::write", writes, strict)
    yield _hint("clock", pure, best_effort)
    yield _hint("rng", pure, best_effort)
    yield _hint("ai::read", reads, nondeterministic)
    yield _hint("ai::read::pinned", reads, stable)


HINTS = Hints(_vocabulary())
"""The vocabulary that needs no manifest. It has no way to change."""
