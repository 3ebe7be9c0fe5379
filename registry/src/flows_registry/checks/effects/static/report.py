"""What a derivation says: what an operation can do, how it gets there, and what cannot be known."""

from dataclasses import dataclass

from core_caps.claims.lattice import Effects

__all__ = ["CLOSING", "OPENING", "Ambient", "Derived", "Location", "Sink", "Span", "Top"]

OPENING = "(opening)"
"""The entry for what happens before any operation: imports, the constructor, `__aenter__`."""

CLOSING = "(closing)"
"""The entry for what happens afterwards: `__aexit__`, `close`, `aclose`."""


Span = tuple[int, int, int, int]
"""The line and column where an expression begins, and those where it ends, as `ast` counts them."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A line of the analysed source, `file` relative to the folder that was given."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Sink:
    """A call through which the world is reached.

    Attributes:
        kind: http, aws, mint, socket, process, file, sql, mail, ftp, store or capability.
        detail: what is done, for people: `POST https://api.example.com/*/bulk/get`.
        effects: what this call does to the world.
        location: where the call stands.
        path: the calls that lead there, the entry first, the call itself last.
        method: the HTTP method, or the vendor's operation, or a capability's operation.
        url: what is known of the URL; `*` stands for what is not constant.
        hints: the hints of a capability's operation, delegated ones included.
    """

    kind: str
    detail: str
    effects: Effects
    location: Location
    path: tuple[str, ...] = ()
    method: str = ""
    url: str = ""
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambient:
    """A read of something that is not an input: clock, rng, env, locale, cwd, listing, hash, id.

    Attributes:
        kind: one of those words, or `host` for facts about the machine.
        detail: the call, `time.time`.
        location: where it stands.
        path: the calls that lead there.
    """

    kind: str
    detail: str
    location: Location
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Top:
    """A place where nothing can be said: the operation may do anything there.

    Attributes:
        reason: why, in one clause: `getattr with a computed name`.
        location: where it stands.
        path: the calls that lead there.
        span: its extent, or None where it is no single expression: a whole function or file.
    """

    reason: str
    location: Location
    path: tuple[str, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """All that is known of one operation.

    Attributes:
        effects: the join of the sinks: what it is seen to do. A lower bound where `top` is not
            empty, an upper bound where it is.
        sinks: the calls that reach the world.
        ambient: reads of what is not an input.
        hosts: the constant hosts it can reach, `host` or `host:port`, sorted.
        top: where it cannot know; empty means that `effects` is all of it.
    """

    effects: Effects
    sinks: tuple[Sink, ...] = ()
    ambient: tuple[Ambient, ...] = ()
    hosts: tuple[str, ...] = ()
    top: tuple[Top, ...] = ()

    @property
    def ceiling(self) -> Effects:
        """The most it can do: EFFECTFUL wherever something is unknown."""
        return Effects.EFFECTFUL if self.top else self.effects

    @property
    def hints(self) -> frozenset[str]:
        """The union of the hints of the capability operations it uses."""
        return frozenset(hint for sink in self.sinks for hint in sink.hints)
