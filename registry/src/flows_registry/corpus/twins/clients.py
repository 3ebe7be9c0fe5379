"""Twins that the injection check refuses where several clients work, or one dies."""

from flows_registry.corpus.places import GET, PUT
from flows_registry.corpus.twin import Edit, Twin

__all__ = ["TWINS"]

_ASYNC = "        self._open = False\n\n    async def __aenter__"
_STORE = (
    "        self._entries[key] = _Stored(\n"
    "            limits.value_of(value), limits.metadata_text(metadata), expires\n"
    "        )\n"
)
_DROP = "        self._entries.pop(limits.key_of(key), None)\n"

TWINS: tuple[Twin, ...] = (
    Twin(
        "a listing that other clients see late though one order of all is claimed",
        "pure",
        (
            Edit(
                "mock.py",
                _ASYNC,
                "        self._listed: dict[str, _Stored] = {}\n"
                "        self._listed_until = -1.0\n" + _ASYNC,
            ),
            Edit(
                "mock.py",
                "        found = [\n",
                "        if self._listed_until <= self._clock.now():\n"
                "            self._listed = dict(self._entries)\n"
                "            self._listed_until = self._clock.now() + 2.0\n"
                "        found = [\n",
            ),
            Edit("mock.py", "sorted(self._entries.items()", "sorted(self._listed.items()"),
            Edit("mock.py", _STORE, _STORE + "        self._listed_until = -1.0\n"),
            Edit("mock.py", _DROP, _DROP + "        self._listed_until = -1.0\n"),
        ),
        "injection",
        ("INJECT005",),
        "clients",
    ),
    Twin(
        "a cache of what was read a second ago though each key has an order",
        "pure",
        (
            Edit("capability.toml", 'consistency = "linearizable"', 'consistency = "per_key"'),
            Edit(
                "mock.py",
                _ASYNC,
                "        self._before: dict[str, tuple[float, _Stored | None]] = {}\n" + _ASYNC,
            ),
            Edit(
                "mock.py",
                "        stored = self._entries.get(limits.key_of(key))\n",
                "        until, stored = self._before.get(limits.key_of(key), (-1.0, None))\n"
                "        if until <= self._clock.now():\n"
                "            stored = self._entries.get(key)\n"
                "            self._before[key] = self._clock.now() + 1.0, stored\n",
            ),
            Edit("mock.py", _STORE, _STORE + "        self._before.clear()\n"),
            Edit("mock.py", _DROP, _DROP + "        self._before.clear()\n"),
        ),
        "injection",
        ("INJECT005",),
        "clients",
    ),
    Twin(
        "an update lost between two clients",
        "pure",
        (
            Edit(
                "mock.py",
                _ASYNC,
                "        self._one_at_a_time = asyncio.Lock()\n" + _ASYNC,
            ),
            Edit(
                "mock.py",
                _STORE,
                "        async with self._one_at_a_time:\n"
                "            found = dict(self._entries)\n"
                "            await asyncio.sleep(0)\n"
                "            found[key] = _Stored(\n"
                "                limits.value_of(value), limits.metadata_text(metadata), expires\n"
                "            )\n"
                "            self._entries.clear()\n"
                "            self._entries.update(found)\n",
            ),
            Edit(
                "mock.py",
                _DROP,
                "        async with self._one_at_a_time:\n"
                "            self._entries.pop(limits.key_of(key), None)\n",
            ),
        ),
        "injection",
        ("INJECT005",),
        "clients",
    ),
    Twin(
        "a put that is answered before it is sent",
        "urllib",
        (
            Edit(
                "remote.py",
                "        self._rng = rng\n",
                "        self._rng = rng\n"
                "        self._unsent: list[tuple[str, bytes, str]] = []\n",
            ),
            Edit(
                "remote.py",
                PUT,
                "        await self._flush()\n"
                "        self._unsent.append((path, body, content_type))\n",
            ),
            Edit(
                "remote.py",
                "    async def delete(",
                "    async def _flush(self) -> None:\n"
                "        while self._unsent:\n"
                "            path, body, content_type = self._unsent.pop(0)\n"
                '            await self._ask("put", "PUT", path, answers.envelope, body, content_type)\n'
                "\n"
                "    async def delete(",
            ),
            Edit("remote.py", GET, "        await self._flush()\n" + GET),
            Edit(
                "remote.py",
                '        path = "/values/" + quote(limits.key_of(key), safe="")\n'
                '        await self._ask("delete"',
                "        await self._flush()\n"
                '        path = "/values/" + quote(limits.key_of(key), safe="")\n'
                '        await self._ask("delete"',
            ),
            Edit(
                "remote.py",
                '        value = await self._ask("get_with_metadata"',
                '        await self._flush()\n        value = await self._ask("get_with_metadata"',
            ),
            Edit(
                "remote.py",
                '        page = await self._ask("list"',
                '        await self._flush()\n        page = await self._ask("list"',
            ),
            Edit(
                "remote.py",
                "        transport, self._transport = self._transport, None\n",
                "        await self._flush()\n"
                "        transport, self._transport = self._transport, None\n",
            ),
        ),
        "injection",
        ("INJECT003",),
        "clients",
    ),
    Twin(
        "a put in two requests, of which a death leaves the first",
        "sockets",
        (
            Edit(
                "remote.py",
                PUT,
                "        if metadata is not None:\n"
                "            kind, plain = _form(limits.value_of(value), None)\n"
                '            await self._ask("put", "PUT", path, answers.envelope, plain, kind)\n'
                + PUT,
            ),
        ),
        "injection",
        ("INJECT006",),
        "dies in",
    ),
    Twin(
        "a note of what is to be done, which outlives its client",
        "aiohttp",
        (
            Edit(
                "remote.py",
                PUT,
                '        note = path.partition("?")[0] + ".begun"\n'
                '        await self._ask("put", "PUT", note, answers.envelope, b"", content_type)\n'
                + PUT
                + '        await self._ask("put", "DELETE", note, answers.envelope)\n',
            ),
        ),
        "injection",
        ("INJECT006",),
        "dies in",
    ),
)
