"""sequencer/1: what every provider of Sequencer promises."""

import asyncio
import random
from collections.abc import Awaitable, Sequence
from typing import cast

from core_caps.capabilities.sequencer import Appended, Sequencer
from core_caps.claims.operation import spec_of
from core_caps.contract.key_value.values import TRICKY_NAMES
from core_caps.contract.reading import all_refused, at, closed, pass_time, refused
from core_caps.contract.suite import (
    PERSONAL_CONTENT,
    Call,
    Contract,
    Exercise,
    World,
    expect,
    expect_error,
    promise,
)
from core_caps.errors import InvalidArgument, KeyCollision, Outcome

__all__ = ["CONTRACT"]

_SLACK_SECONDS = 60
"""How far a service's clock may be from ours."""

_PAYLOADS = (b"", b"p", b"P", bytes(range(256)), b"x" * 5000)


@promise("append")
async def what_comes_is_numbered_without_a_gap(sequencer: Sequencer, world: World) -> None:
    """Each new key has the next number, whatever it is called; the service says when it came."""
    before = world.clock.now()
    given = [
        await sequencer.append(at(world, "numbered", name), b"p") for name in ("z", *TRICKY_NAMES)
    ]
    numbers = [appended.sequence for appended in given]
    expect("each is inserted", all(appended.inserted for appended in given), given)
    first = numbers[0]
    expect("numbers have no gap", numbers == [*range(first, first + len(given))], numbers)
    expect("and start from 1", first >= 1, first)
    earliest, latest = before - _SLACK_SECONDS, world.clock.now() + _SLACK_SECONDS
    seen = [appended.first_seen for appended in given]
    expect("`first_seen` is now", all(earliest <= when <= latest for when in seen), seen)
    expect("and does not fall", seen == sorted(seen), seen)


@promise("append")
async def a_repeat_has_its_first_number(sequencer: Sequencer, world: World) -> None:
    """Through any client, however late, and it takes no number."""
    key, other = at(world, "repeat", "a"), at(world, "repeat", "b")
    first = await sequencer.append(key, b"p")
    async with world.reopen() as another:
        for client in (sequencer, another, sequencer):
            if world.advance is not None:
                await pass_time(world, 86_400)
            again = await client.append(key, b"p")
            wanted = Appended(False, first.sequence, first.first_seen)
            expect("a repeat is told what the first was", again == wanted, (again, wanted))
    following = await sequencer.append(other, b"p")
    expect("a repeat takes no number", following.sequence == first.sequence + 1, following)


@promise("append")
async def another_payload_collides(sequencer: Sequencer, world: World) -> None:
    """IDEM099: the key is named, nothing changes, and no number is taken."""
    first = Appended(False, 0, 0.0)
    for number, payload in enumerate(_PAYLOADS):
        key = at(world, "collides", str(number))
        first = await sequencer.append(key, payload)
        for other in _PAYLOADS:
            if other != payload:
                await _collides(key, sequencer.append(key, other))
        again = await sequencer.append(key, payload)
        wanted = Appended(False, first.sequence, first.first_seen)
        expect("a collision changes nothing", again == wanted, (again, wanted))
    last = await sequencer.append(at(world, "collides", "last"), b"p")
    expect("a collision takes no number", last.sequence == first.sequence + 1, last)


@promise("append")
async def of_many_at_once_each_has_its_number(sequencer: Sequencer, world: World) -> None:
    """Through two clients with the same keys: one inserts each, and all are told the same."""
    keys = [at(world, "at-once", f"{number:02}") for number in range(12)]
    async with world.reopen() as other:
        rounds = await asyncio.gather(
            *(client.append(key, key.encode()) for key in keys for client in (sequencer, other))
        )
    pairs = [rounds[index : index + 2] for index in range(0, len(rounds), 2)]
    for one, two in pairs:
        expect("exactly one of two at once inserts", one.inserted is not two.inserted, (one, two))
        expect("both are told one number", one.sequence == two.sequence, (one, two))
    numbers = sorted(one.sequence for one, _ in pairs)
    wanted = [*range(numbers[0], numbers[0] + len(keys))]
    expect("numbers have no gap", numbers == wanted, numbers)


@promise("append", limits=("key_size_bytes_max",))
async def the_longest_key_works_and_one_byte_more_does_not(
    sequencer: Sequencer, world: World
) -> None:
    """Bytes of UTF-8 count, not letters."""
    greatest = world.limits["key_size_bytes_max"]
    stem = at(world, "key-max")
    longest = stem + "é" * ((greatest - len(stem.encode())) // 2)
    longest += "k" * (greatest - len(longest.encode()))
    first = await sequencer.append(longest, b"p")
    await refused("a longer key is refused", sequencer.append(longest + "k", b"p"))
    again = await sequencer.append(longest, b"p")
    expect("a refused key touches no other", again.sequence == first.sequence, again)


@promise("append", courtesy=True)
async def an_argument_of_another_type_is_refused(sequencer: Sequencer, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, and no number is taken."""
    key = at(world, "arguments")
    first = await sequencer.append(key, b"p")
    names = (None, 5, True, b"bytes", ("a",), "", "lone surrogate \ud800")
    payloads = (None, 5, True, "text", ["list"])
    calls = [*(Call("append", (bad, b"p")) for bad in names)]
    calls += [Call("append", (f"{key}/other", bad)) for bad in payloads]
    await all_refused(sequencer, world, calls)
    following = await sequencer.append(f"{key}/next", b"p")
    expect("a refused call takes no number", following.sequence == first.sequence + 1, following)


@promise("append")
async def an_empty_key_is_refused(sequencer: Sequencer, world: World) -> None:
    """It would be everybody's."""
    await refused("an empty key is refused", sequencer.append("", b"p"))


@promise("append")
async def a_closed_client_refuses_every_operation(sequencer: Sequencer, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent; the others go on."""
    key = at(world, "closed")
    first = await sequencer.append(key, b"p")
    async with world.reopen() as other:
        pass
    await closed(world, {"append": lambda: other.append(f"{key}/other", b"p")})
    following = await sequencer.append(f"{key}/next", b"p")
    expect("a closed client appends nothing", following.sequence == first.sequence + 1, following)


async def _collides(key: str, call: Awaitable[object]) -> None:
    error = await expect_error(KeyCollision, "another payload under one key", call)
    expect("the key is named", list(error.keys) == [key], error.keys)
    expect("a collision is NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)


_KEYS = ("a", "a/b", "é%2F", "b", "c")


def _generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over five keys, with repeats, collisions and a few refused calls."""
    calls: list[Call] = []
    for _ in range(length):
        key = "" if source.random() < 0.03 else source.choice(_KEYS)
        payload = b"another" if source.random() < 0.15 else f"of {key}".encode()
        calls.append(Call("append", (key, payload)))
    return calls


class _Model:
    """A list of keys with their payloads. No time passes in it."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, bytes]] = {}

    def apply(self, call: Call) -> object:
        """The comparable answer to a call.

        Raises:
            ProviderError: the protocol refuses it; nothing changed.
        """
        key, payload = cast("tuple[str, bytes]", call.args)
        if not key:
            raise InvalidArgument("a key is not empty")
        inserted = key not in self._held
        sequence, held = self._held.setdefault(key, (len(self._held) + 1, payload))
        if held != payload:
            raise KeyCollision("another payload", keys=[key])
        return _comparable(call, Appended(inserted, sequence, 0.0))

    def state(self) -> object:
        """The keys with their numbers and payloads."""
        return dict(self._held)


def _comparable(call: Call, result: object) -> object:
    """An answer without the time."""
    match result:
        case Appended(inserted=inserted, sequence=sequence):
            return {"inserted": inserted, "sequence": sequence}
        case _:
            return result


def _read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Every key of the calls is appended again: a new one would have the next number."""
    keys = dict.fromkeys(
        key for call in calls if call.args and isinstance(key := call.args[0], str) and key
    )
    return [Call("append", (key, f"of {key}".encode())) for key in keys]


_KEY, _TRICKY = "greeting", "a/b%2F+c?é#\U0001f511"
_FIRST = Call("append", (_KEY, PERSONAL_CONTENT))
_TRICKY_CALL = Call("append", (_TRICKY, bytes(range(256)) * 20))

EXERCISES = (
    Exercise("append", _FIRST, probe=(_FIRST, _TRICKY_CALL)),
    Exercise("append tricky key", _TRICKY_CALL, (_FIRST,), (_TRICKY_CALL,)),
    Exercise("append again", _FIRST, (_FIRST, _TRICKY_CALL)),
)

CONTRACT = Contract(
    protocol=Sequencer,
    spec=spec_of(Sequencer),
    cases=(
        what_comes_is_numbered_without_a_gap,
        a_repeat_has_its_first_number,
        another_payload_collides,
        of_many_at_once_each_has_its_number,
        the_longest_key_works_and_one_byte_more_does_not,
        an_argument_of_another_type_is_refused,
        an_empty_key_is_refused,
        a_closed_client_refuses_every_operation,
    ),
    exercises=EXERCISES,
    generate=_generate,
    model=_Model,
    comparable=_comparable,
    read_back=_read_back,
)
