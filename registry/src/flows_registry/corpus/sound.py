"""Sound plugins: the bases, and what a hasty check would refuse though nothing is wrong with it."""

from flows_registry.corpus.places import ASKED, EXCHANGE, GET
from flows_registry.corpus.twin import Edit, Sound

__all__ = ["SOUND"]

_TURN = "        await asyncio.sleep(0)\n"
_EGRESS = 'egress = ["api.cloudflare.com:443"]\n'

SOUND: tuple[Sound, ...] = (
    Sound("an honest eventual store on urllib in threads", "urllib"),
    Sound("a client on aiohttp, which is half machine code", "aiohttp"),
    Sound(
        "a client on bare sockets, which gives 429 without Retry-After and 404 as None", "sockets"
    ),
    Sound("a pure plugin with no network", "pure"),
    Sound("a bucket that streams in parts", "bucket"),
    Sound(
        "timestamps in logs only",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport logging\n"),
            Edit(
                "mock.py",
                _TURN,
                '        logging.getLogger(__name__).info("begun at %s", self._clock.now())\n'
                + _TURN,
            ),
        ),
    ),
    Sound(
        "monotonic time for timeouts only",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport time\n"),
            Edit(
                "mock.py",
                _TURN,
                "        until = time.monotonic() + 30.0\n"
                "        async with asyncio.timeout(until - time.monotonic()):\n    " + _TURN,
            ),
        ),
    ),
    Sound(
        "jitter from the injected source of randomness",
        "pure",
        (
            Edit(
                "mock.py",
                "        self._clock = clock\n",
                "        self._clock = clock\n        self._rng = rng\n",
            ),
            Edit(
                "mock.py",
                _TURN,
                "        await self._clock.sleep(0.1 + self._rng.random() / 10)\n",
            ),
        ),
    ),
    Sound(
        "a cache of what was read a second ago, dropped where this client writes",
        "urllib",
        (
            Edit(
                "remote.py",
                "        self._rng = rng\n",
                "        self._rng = rng\n        self._read_before: dict[str, tuple[float, bytes | None]] = {}\n",
            ),
            Edit(
                "remote.py",
                GET,
                "        now = self._clock.now()\n"
                "        before, value = self._read_before.get(path, (0.0, None))\n"
                "        if not before <= now < before + 1.0:\n"
                '            value = await self._ask("get", "GET", path, answers.value)\n'
                "            self._read_before[path] = now, value\n"
                "        return value\n",
            ),
            Edit(
                "remote.py",
                ASKED,
                "        if writes:\n            self._read_before.clear()\n" + ASKED,
            ),
        ),
    ),
    Sound(
        "imports where they are needed first",
        "pure",
        (
            Edit("mock.py", "import json\n", ""),
            Edit(
                "mock.py",
                "    return None if stored.metadata is None",
                "    import json\n\n    return None if stored.metadata is None",
            ),
        ),
    ),
    Sound(
        "a set in any order, sorted before it is told",
        "pure",
        (
            Edit(
                "mock.py",
                "for key, stored in sorted(self._entries.items(), key=lambda item: item[0].encode())\n",
                "for key in sorted(set(self._entries), key=str.encode)\n"
                "            for stored in (self._entries[key],)\n",
            ),
        ),
    ),
    Sound(
        "bytes that are written to memory alone",
        "pure",
        (
            Edit("mock.py", "import json\n", "import io\nimport json\n"),
            Edit(
                "mock.py",
                "        return None if stored is None else stored.value\n",
                "        with io.BytesIO() as written:\n"
                "            written.write(b'' if stored is None else stored.value)\n"
                "            return None if stored is None else written.getvalue()\n",
            ),
        ),
    ),
    Sound(
        "parts uploaded out of order",
        "bucket",
        (
            Edit(
                "remote.py",
                "                    etags.append(await self._part(key, upload, len(etags) + 1, part))\n            limits",
                "                    if not etags:\n"
                "                        first = part[: self._config.part_size_bytes]\n"
                "                        del part[: self._config.part_size_bytes]\n"
                '                        etags.append("")\n'
                "                        continue\n"
                "                    etags.append(await self._part(key, upload, len(etags) + 1, part))\n            limits",
            ),
            Edit(
                "remote.py",
                "            return await self._completed(key, upload, etags, met), size\n",
                "            etags[0] = await self._part(key, upload, 1, first)\n"
                "            return await self._completed(key, upload, etags, met), size\n",
            ),
            Edit(
                "remote.py",
                "        etags: list[str] = []\n        try:",
                "        etags: list[str] = []\n        first = bytearray()\n        try:",
            ),
        ),
    ),
    Sound(
        "hedged reads",
        "sockets",
        (
            Edit("capability.toml", 'retry_owner = "caller"', 'retry_owner = "provider"'),
            Edit(
                "remote.py",
                EXCHANGE,
                "                tries = [asyncio.ensure_future(transport.exchange(request))]\n"
                "                try:\n"
                "                    done, _ = await asyncio.wait(tries, timeout=None if writes else 5.0)\n"
                "                    if not done:\n"
                "                        tries.append(asyncio.ensure_future(transport.exchange(request)))\n"
                "                        done, _ = await asyncio.wait(tries, return_when=asyncio.FIRST_COMPLETED)\n"
                "                    answer = next(each for each in tries if each in done).result()\n"
                "                finally:\n"
                "                    for each in tries:\n"
                "                        each.cancel()\n"
                "                    await asyncio.gather(*tries, return_exceptions=True)\n",
            ),
        ),
    ),
    Sound(
        "a second host, declared and used",
        "sockets",
        (
            Edit(
                "capability.toml",
                _EGRESS,
                _EGRESS.replace('"]', '", "metadata.cloudflare.com:443"]'),
            ),
            Edit(
                "remote.py",
                '        transport, writes = self._opened(), method != "GET"\n',
                '        transport, writes = self._opened(), method != "GET"\n'
                '        if path.startswith("/metadata/"):\n'
                '            transport = Transport(self._config.base_url.replace("//api.", "//metadata."))\n',
            ),
        ),
    ),
)
"""Every one of them must pass every check."""
