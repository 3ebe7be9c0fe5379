"""Twins that the injection check must refuse."""

from flows_registry.corpus.places import GET
from flows_registry.corpus.twin import Edit, Twin

__all__ = ["TWINS"]

TWINS: tuple[Twin, ...] = (
    Twin(
        "delete twice fails",
        "pure",
        (
            Edit("mock.py", "import ClientClosed\n", "import ClientClosed, Conflict\n"),
            Edit(
                "mock.py",
                "        self._entries.pop(limits.key_of(key), None)\n",
                "        if limits.key_of(key) not in self._entries:\n"
                '            raise Conflict("there is no such key")\n'
                "        del self._entries[key]\n",
            ),
        ),
        "injection",
        ("INJECT004",),
        "duplicate",
    ),
    Twin(
        "a put appends when it comes twice",
        "pure",
        (
            Edit(
                "mock.py",
                "            limits.value_of(value), limits.metadata_text",
                "            _joined(self._entries.get(key), limits.value_of(value)), limits.metadata_text",
            ),
            Edit(
                "mock.py",
                "def _parsed(",
                "def _joined(old: _Stored | None, new: bytes) -> bytes:\n"
                "    return new + new if old is not None and old.value == new else new\n\n\n"
                "def _parsed(",
            ),
        ),
        "injection",
        ("INJECT004",),
        "duplicate",
    ),
    Twin(
        "a write torn in two",
        "pure",
        (
            Edit(
                "mock.py",
                "limits.value_of(value), limits.metadata_text(metadata), expires\n        )\n",
                "limits.value_of(value), None, expires\n        )\n"
                "        if metadata is not None:\n"
                "            text = limits.metadata_text(metadata)\n"
                "            await asyncio.sleep(0)\n"
                "            now = self._entries.get(key, _Stored(b'', None, None))\n"
                "            self._entries[key] = _Stored(now.value, text, now.expires_at)\n",
            ),
        ),
        "injection",
        ("INJECT005",),
        "at once",
    ),
    Twin(
        "a put replayed after its answer was lost",
        "aiohttp",
        (
            Edit(
                "remote.py",
                "        self._rng = rng\n",
                "        self._rng = rng\n        self._unsure: list[Request] = []\n",
            ),
            Edit(
                "remote.py",
                "            raise errors.failed(operation, problem, writes=writes) from None\n",
                "            if writes:\n"
                "                self._unsure.append(request)\n"
                "            raise errors.failed(operation, problem, writes=writes) from None\n"
                "        if writes:\n"
                "            while self._unsure:\n"
                "                await transport.exchange(self._unsure.pop())\n",
            ),
        ),
        "injection",
        ("INJECT004",),
        "lost answer",
    ),
    Twin(
        "a read remembered for ever",
        "sockets",
        (
            Edit(
                "remote.py",
                "        self._rng = rng\n",
                "        self._rng = rng\n        self._known: dict[str, bytes | None] = {}\n",
            ),
            Edit(
                "remote.py",
                GET,
                '        if path not in self._known:\n            self._known[path] = await self._ask("get", "GET", path, answers.value)\n        return self._known[path]\n',
            ),
        ),
        "injection",
        ("INJECT004",),
        "duplicate",
    ),
    Twin(
        "a lost delete called NOT_APPLIED",
        "urllib",
        (
            Edit(
                "errors.py",
                "    return Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED\n",
                "    return Outcome.NOT_APPLIED\n",
            ),
        ),
        "injection",
        ("INJECT004",),
        "lost answer",
    ),
    Twin(
        "a put that loses another key",
        "pure",
        (
            Edit(
                "mock.py",
                "        self._entries[key] = _Stored(\n            limits.value_of(value), limits.metadata_text(metadata), expires\n        )\n",
                "        entries = dict(self._entries)\n"
                "        await asyncio.sleep(0)\n"
                "        entries[key] = _Stored(\n            limits.value_of(value), limits.metadata_text(metadata), expires\n        )\n"
                "        self._entries = entries\n",
            ),
        ),
        "injection",
        ("INJECT003",),
        "apart at once",
    ),
    Twin(
        "a put skipped because it was made before",
        "pure",
        (
            Edit(
                "mock.py",
                "        self._entries[key] = _Stored(\n",
                "        if (key, bytes(value)) in self._made:\n"
                "            return\n"
                "        self._made.add((key, bytes(value)))\n"
                "        self._entries[key] = _Stored(\n",
            ),
            Edit(
                "mock.py",
                "        self._entries: dict[str, _Stored] = (\n",
                "        self._made: set[tuple[str, bytes]] = set()\n"
                "        self._entries: dict[str, _Stored] = (\n",
            ),
        ),
        "injection",
        ("INJECT004",),
        "reorder",
    ),
    Twin(
        "a receipt under a key with the attempt's number",
        "pure",
        (
            Edit(
                "mock.py",
                "        self._entries[key] = _Stored(\n",
                "        attempt = sum(name.startswith(key + '#') for name in self._entries) + 1\n"
                "        self._entries[f'{key}#{attempt}'] = _Stored(limits.value_of(value), None, None)\n"
                "        self._entries[key] = _Stored(\n",
            ),
        ),
        "injection",
        ("INJECT004",),
        "duplicate",
    ),
)
