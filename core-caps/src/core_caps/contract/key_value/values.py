"""Promises about single values: what is put comes back, whole, and nothing else does."""

import asyncio
from typing import cast

from core_caps.capabilities.key_value import Entry, KeyValue, Metadata
from core_caps.contract.key_value.reading import absent, holds, lists, same
from core_caps.contract.reading import at, seen
from core_caps.contract.suite import World, expect, promise
from core_caps.errors import InvalidArgument

__all__ = ["CASES", "TRICKY_NAMES"]

TRICKY_NAMES = (
    "a/b",
    "a%2Fb",
    "a%252Fb",
    "a/../b",
    "a//b",
    "a/",
    "A/b",
    "?x=1&y=2#z",
    "a+b",
    "a b",
    "a",
    "a ",
    "a:b;c,d=e@f!g$h'i(j)k*l",
    '"<>[]{}|\\^`',
    "~-_.",
    "é",
    "e\u0301",
    "ключ",
    "鍵",
    "\U0001f511",
)
"""Names that an unescaped path, a decoded escape, a normalised letter or a cut blank would
confuse."""

_VALUES = (
    b"plain",
    bytes(range(256)),
    b"\x00",
    b"\xef\xbb\xbfmark",
    b"\xff\xfe\xfd",
    b"line\r\nline\nline\r",
    b'{"value": null}',
    b"null",
    b"x" * 70_000,
)

_LONG_BYTES = 3_000_017
_PIECE = bytes(range(251))

_METADATA: tuple[Metadata, ...] = (
    {"text": 'é\U0001f511"\\/\n', "number": -7, "float": 0.5, "yes": True, "none": None},
    {"list": [1, [2, {"three": 3}]], "object": {"a": {}}},
    {},
)


@promise("get", "get_with_metadata")
async def an_absent_key_is_none(kv: KeyValue, world: World) -> None:
    """Never stored: None to both reads, not an error and not b""."""
    await absent(kv, world, at(world, "absent", "never"), "an absent key is None")


@promise("get", "put")
async def a_value_comes_back_exactly(kv: KeyValue, world: World) -> None:
    """All byte values, text in no encoding, line ends, a byte order mark, JSON."""
    for number, value in enumerate(_VALUES):
        key = at(world, "exact", str(number))
        await kv.put(key, value)
        await holds(kv, world, key, value, "a value comes back byte for byte")


@promise("get", "put")
async def a_long_value_comes_back_whole(kv: KeyValue, world: World) -> None:
    """More than one read of a client brings; a store may refuse it, and never cuts it off."""
    key = at(world, "long")
    longest = min(_LONG_BYTES, world.limits.get("value_size_bytes_max", _LONG_BYTES))
    value = (_PIECE * (longest // len(_PIECE) + 1))[:longest]
    try:
        await kv.put(key, value)
    except InvalidArgument:
        stated = "value_size_bytes_max" in world.limits
        expect("a value within the stated limit is stored", not stated, f"{longest} bytes refused")
        return
    await seen(
        world,
        f"a value of {longest} bytes comes back whole",
        lambda: same(kv, key, value),
        lambda verdict: verdict == "the same",
    )
    await kv.put(key, b"")


@promise("get", "get_with_metadata", "put")
async def an_empty_value_is_a_value(kv: KeyValue, world: World) -> None:
    """b"" is stored, and is not absence."""
    key = at(world, "empty")
    await kv.put(key, b"")
    await holds(kv, world, key, b"", "an empty value is a value, not absence")
    await seen(
        world,
        "an empty value has an entry",
        lambda: kv.get_with_metadata(key),
        lambda entry: entry == Entry(b"", None),
    )


@promise("get", "put")
async def put_replaces_the_value(kv: KeyValue, world: World) -> None:
    """The last of several puts stands, also where it is shorter."""
    key = at(world, "replace")
    for value in (b"first, the longest of them", b"second", b"", b"last"):
        await kv.put(key, value)
        await holds(kv, world, key, value, "put replaces the value")


@promise("get", "put")
async def the_same_put_twice_is_once(kv: KeyValue, world: World) -> None:
    """A repeated put converges: a retry is safe."""
    key = at(world, "twice")
    await kv.put(key, b"value")
    await kv.put(key, b"value")
    await holds(kv, world, key, b"value", "the same put twice is once")


@promise("get", "get_with_metadata", "put", "delete")
async def delete_removes_the_key(kv: KeyValue, world: World) -> None:
    """Value and metadata are gone; a later put starts anew."""
    key = at(world, "delete")
    await kv.put(key, b"value", metadata={"a": 1})
    await kv.delete(key)
    await absent(kv, world, key, "a deleted key is absent")
    await kv.put(key, b"again")
    await seen(
        world,
        "a key put after its delete has no old metadata",
        lambda: kv.get_with_metadata(key),
        lambda entry: entry == Entry(b"again", None),
    )


@promise("delete")
async def deleting_an_absent_key_is_success(kv: KeyValue, world: World) -> None:
    """Never stored, and deleted before: both succeed and return None."""
    key = at(world, "delete-absent")
    for _ in range(2):
        result: object = await kv.delete(key)
        expect("delete returns None", result is None, result)


@promise("get", "put", "delete")
async def other_keys_stay_untouched(kv: KeyValue, world: World) -> None:
    """A put or delete of one key changes no other, also where one name begins with another."""
    near = [at(world, "near", name) for name in ("a", "ab", "a/b", "b")]
    for key in near:
        await kv.put(key, key.encode())
    await kv.put(near[0], b"changed")
    for key in near[1:]:
        await holds(kv, world, key, key.encode(), "a put leaves other keys untouched")
    await kv.delete(near[0])
    for key in near[1:]:
        await holds(kv, world, key, key.encode(), "a delete leaves other keys untouched")


@promise("get", "put")
async def tricky_names_stay_apart(kv: KeyValue, world: World) -> None:
    """No name is decoded, normalised or split: each holds its own value."""
    keys = [at(world, "tricky", name) for name in TRICKY_NAMES]
    for key in keys:
        await kv.put(key, key.encode())
    for key in keys:
        await holds(kv, world, key, key.encode(), f"{key!r} is a name of its own")


@promise("get_with_metadata", "put")
async def metadata_comes_back_with_its_value(kv: KeyValue, world: World) -> None:
    """Nested JSON of every kind; an empty object is not absence."""
    key = at(world, "metadata")
    for metadata in _METADATA:
        await kv.put(key, b"value", metadata=metadata)
        await seen(
            world,
            "metadata comes back as it was stored",
            lambda: kv.get_with_metadata(key),
            lambda entry, metadata=metadata: entry == Entry(b"value", metadata),
        )


@promise("get_with_metadata", "put")
async def a_value_without_metadata_says_none(kv: KeyValue, world: World) -> None:
    """No metadata is None, not {}."""
    key = at(world, "no-metadata")
    await kv.put(key, b"value")
    await seen(
        world,
        "a value stored without metadata has None",
        lambda: kv.get_with_metadata(key),
        lambda entry: entry == Entry(b"value", None),
    )


@promise("get_with_metadata", "put")
async def put_drops_the_old_metadata(kv: KeyValue, world: World) -> None:
    """A put without metadata leaves none of the old."""
    key = at(world, "drop-metadata")
    await kv.put(key, b"old", metadata={"old": True})
    await kv.put(key, b"new")
    await seen(
        world,
        "put replaces metadata too, also with none",
        lambda: kv.get_with_metadata(key),
        lambda entry: entry == Entry(b"new", None),
    )


@promise("get_with_metadata", "put")
async def what_is_stored_is_a_copy(kv: KeyValue, world: World) -> None:
    """Changing what was passed in, or what was returned, changes nothing that is stored."""
    key = at(world, "copy")
    given = {"list": [1]}
    await kv.put(key, b"value", metadata=given)
    given["list"].append(2)
    original = Entry(b"value", {"list": [1]})
    entry = await seen(
        world,
        "what was stored is a copy of the argument",
        lambda: kv.get_with_metadata(key),
        lambda entry: entry == original,
    )
    _spoil(entry and entry.metadata)
    await seen(
        world,
        "what is returned is a copy of what is stored",
        lambda: kv.get_with_metadata(key),
        lambda entry: entry == original,
    )


@promise("get_with_metadata", "list", "put")
async def what_is_listed_is_a_copy(kv: KeyValue, world: World) -> None:
    """Changing a listing's metadata changes nothing that is stored."""
    key = at(world, "listed-copy", "a")
    original = Entry(b"value", {"list": [1]})
    await kv.put(key, original.value, metadata=original.metadata)
    lines = await lists(kv, world, at(world, "listed-copy"), [key], "a put key is listed")
    _spoil(lines[0].metadata)
    await seen(
        world,
        "what is listed is a copy of what is stored",
        lambda: kv.get_with_metadata(key),
        lambda entry: entry == Entry(b"value", {"list": [1]}),
    )


@promise("get", "put")
async def concurrent_calls_keep_their_answers(kv: KeyValue, world: World) -> None:
    """Many calls at once on one client: each gets its own answer."""
    keys = [at(world, "concurrent", f"{number:02}") for number in range(24)]
    await asyncio.gather(*(kv.put(key, key.encode() * 50) for key in keys))
    for key in keys:
        await holds(kv, world, key, key.encode() * 50, "each of many puts at once is stored")
    found = await asyncio.gather(*(kv.get(key) for key in keys))
    wrong = [key for key, value in zip(keys, found, strict=True) if value != key.encode() * 50]
    expect("each of many reads at once gets its own value", not wrong, wrong)


def _spoil(metadata: Metadata | None) -> None:
    """Change what was returned, at its surface and below."""
    if isinstance(metadata, dict):
        inside = metadata.get("list")
        if isinstance(inside, list):
            cast("list[object]", inside).append("more")
        metadata["more"] = True


CASES = (
    an_absent_key_is_none,
    a_value_comes_back_exactly,
    a_long_value_comes_back_whole,
    an_empty_value_is_a_value,
    put_replaces_the_value,
    the_same_put_twice_is_once,
    delete_removes_the_key,
    deleting_an_absent_key_is_success,
    other_keys_stay_untouched,
    tricky_names_stay_apart,
    metadata_comes_back_with_its_value,
    a_value_without_metadata_says_none,
    put_drops_the_old_metadata,
    what_is_stored_is_a_copy,
    what_is_listed_is_a_copy,
    concurrent_calls_keep_their_answers,
)
