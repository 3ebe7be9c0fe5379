"""Twins that the contract check must refuse."""

from flows_registry.corpus.places import EXCHANGE, SENT, again
from flows_registry.corpus.twin import Edit, Twin

__all__ = ["TWINS"]

TWINS: tuple[Twin, ...] = (
    Twin(
        "a name looked up on the error path",
        "sockets",
        (
            Edit(
                "remote.py",
                SENT,
                "        if answer.status >= 500 and writes:\n"
                '            await asyncio.get_running_loop().getaddrinfo("stats.example.net", 443)\n'
                + SENT,
            ),
        ),
        "contract",
        ("EGRESS101",),
        "remote/put/status 500",
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
        "remote/get/status 429",
    ),
    Twin(
        "401 swallowed into None",
        "aiohttp",
        (
            Edit(
                "remote.py",
                "        if absent and",
                "        if answer.status == 401:\n            return None\n        if absent and",
            ),
        ),
        "contract",
        ("CONTRACT012",),
        "remote/get/status 401",
    ),
    Twin(
        "403 retried",
        "urllib",
        (
            Edit("capability.toml", 'retry_owner = "caller"', 'retry_owner = "provider"'),
            Edit("remote.py", EXCHANGE, again("answer.status == 403")),
        ),
        "contract",
        ("CONTRACT014",),
        "remote/get/status 403",
    ),
    Twin(
        "retries although the caller owns them",
        "sockets",
        (Edit("remote.py", EXCHANGE, again("answer.status >= 500")),),
        "contract",
        ("CONTRACT014",),
        "remote/get/status 503",
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
        "remote/get/refused",
    ),
    Twin(
        "a lost write is sent again",
        "aiohttp",
        (
            Edit(
                "remote.py",
                EXCHANGE,
                "                try:\n"
                "                    answer = await transport.exchange(request)\n"
                "                except WireError:\n"
                "                    answer = await transport.exchange(request)\n",
            ),
        ),
        "contract",
        ("CONTRACT014",),
        "remote/put/reset after commit",
    ),
    Twin(
        "a hundred retries",
        "aiohttp",
        (
            Edit("capability.toml", 'retry_owner = "caller"', 'retry_owner = "provider"'),
            Edit(
                "remote.py",
                "            async with asyncio.timeout(self._config.timeout_seconds):\n"
                + EXCHANGE,
                "            for attempt in range(100):\n"
                "                try:\n"
                "                    answer = await transport.exchange(request)\n"
                "                    break\n"
                "                except WireError:\n"
                "                    if attempt == 99:\n"
                "                        raise\n"
                "                    await self._clock.sleep(10.0)\n",
            ),
        ),
        "contract",
        ("CONTRACT015",),
        "remote/get/refused",
    ),
    Twin(
        "a truncated body accepted",
        "sockets",
        (
            Edit(
                "transport.py",
                "        return await reader.readexactly(size_bytes)\n",
                "        return await reader.read(size_bytes)\n",
            ),
        ),
        "contract",
        ("CONTRACT016",),
        "remote/get/truncated body",
    ),
    Twin(
        "no read timeout",
        "sockets",
        (
            Edit(
                "remote.py",
                "asyncio.timeout(self._config.timeout_seconds)",
                "asyncio.timeout(None)",
            ),
        ),
        "contract",
        ("CONTRACT015",),
        "remote/get/stall",
    ),
    Twin(
        "a timeout for each read and none for the call",
        "sockets",
        (
            Edit(
                "remote.py",
                "asyncio.timeout(self._config.timeout_seconds)",
                "asyncio.timeout(None)",
            ),
            Edit(
                "transport.py",
                "        return await reader.readexactly(size_bytes)\n",
                "        read = bytearray()\n"
                "        while len(read) < size_bytes:\n"
                "            read += await asyncio.wait_for(reader.read(size_bytes - len(read)), 30)\n"
                "        return bytes(read)\n",
            ),
        ),
        "contract",
        ("CONTRACT015",),
        "remote/get/slow body",
    ),
    Twin(
        "no timeout while it connects",
        "sockets",
        (
            Edit(
                "remote.py",
                "            async with asyncio.timeout(self._config.timeout_seconds):\n"
                + EXCHANGE,
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
        "remote/get/mute handshake",
    ),
    Twin(
        "412 taken for success",
        "urllib",
        (
            Edit(
                "remote.py",
                "        if absent and",
                "        if answer.status == 412:\n            return None\n        if absent and",
            ),
        ),
        "contract",
        ("CONTRACT012",),
        "remote/get/status 412",
    ),
    Twin(
        "a page dropped",
        "aiohttp",
        (
            Edit(
                "remote.py",
                "return Page(tuple(lines), seal(prefix, following, None) if following else None)",
                "return Page(tuple(lines))",
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "pages_lose",
    ),
    Twin(
        "a cursor for which letters have no case",
        "pure",
        (
            Edit(
                "mock.py",
                "if line.key.encode() > after.encode()",
                "if line.key.lower() > after.lower()",
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "pages_lose",
    ),
    Twin(
        "a second page that forgets the prefix",
        "sockets",
        (
            Edit(
                "remote.py",
                '"prefix": prefix, "cursor"',
                '"prefix": "" if vendor else prefix, "cursor"',
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "remote/promise/pages_lose",
    ),
    Twin(
        "letters that are written otherwise taken for the same",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport unicodedata\n"),
            Edit(
                "mock.py",
                "        self._entries[key] = _Stored(",
                '        self._entries[unicodedata.normalize("NFC", key)] = _Stored(',
            ),
            Edit(
                "mock.py",
                "self._entries.get(limits.key_of(key))",
                'self._entries.get(unicodedata.normalize("NFC", limits.key_of(key)))',
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "tricky_names",
    ),
    Twin(
        "TLS not verified",
        "aiohttp",
        (Edit("transport.py", "ssl=ssl.create_default_context()", "ssl=False"),),
        "contract",
        ("CONTRACT018",),
        "remote/get/untrusted certificate",
    ),
    Twin(
        "the host's name not verified",
        "sockets",
        (
            Edit(
                "transport.py",
                "self._context = ssl.create_default_context()\n",
                "self._context = ssl.create_default_context()\n        self._context.check_hostname = False\n",
            ),
        ),
        "contract",
        ("CONTRACT018",),
        "remote/get/other host's certificate",
    ),
    Twin(
        "a redirect followed off the host",
        "aiohttp",
        (Edit("transport.py", "allow_redirects=False", "allow_redirects=True"),),
        "contract",
        ("EGRESS101",),
        "remote/get/redirect",
    ),
    Twin(
        "a page of HTML taken for a value",
        "urllib",
        (Edit("answers.py", '    _typed(answer, "application/octet-stream")\n', ""),),
        "contract",
        ("CONTRACT012",),
        "remote/get/html page",
    ),
    Twin(
        "a secret in an exception",
        "urllib",
        (
            Edit(
                "remote.py",
                "errors.broken(operation, str(problem), writes",
                'errors.broken(operation, f"{problem} {self._headers}", writes',
            ),
        ),
        "contract",
        ("SECR101",),
        "remote/list/wrong content type",
    ),
    Twin(
        "a lost write called NOT_APPLIED",
        "sockets",
        (
            Edit(
                "errors.py",
                "    return Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED\n",
                "    return Outcome.NOT_APPLIED\n",
            ),
        ),
        "contract",
        ("CONTRACT013",),
        "remote/put/reset after commit",
    ),
    Twin(
        "a foreign error reaches the caller",
        "urllib",
        (
            Edit(
                "remote.py",
                "        except WireError as problem:\n            raise errors.failed(operation, problem, writes=writes) from None\n",
                "",
            ),
        ),
        "contract",
        ("CONTRACT010",),
        "remote/get/reset before commit",
    ),
    Twin(
        "a cancelled call holds its connection",
        "urllib",
        (
            Edit(
                "transport.py",
                "                    held.shutdown(socket.SHUT_RDWR)\n",
                "                    held.fileno()\n",
            ),
        ),
        "contract",
        ("CONTRACT019",),
        "remote/get/cancelled",
    ),
    Twin(
        "a mock that forgets to expire",
        "pure",
        (
            Edit(
                "mock.py",
                "if key.startswith(prefix) and self._alive(stored)",
                "if key.startswith(prefix)",
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "ttl",
    ),
    Twin(
        "a mock without the vendor's limit",
        "pure",
        (
            Edit(
                "limits.py",
                "if size_bytes > KEY_SIZE_BYTES_MAX:",
                "if size_bytes > 2 * KEY_SIZE_BYTES_MAX:",
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "longest_key",
    ),
    Twin(
        "the etag ignored on a conditional put",
        "bucket",
        (
            Edit(
                "remote.py",
                "documents.headers_of(http, metadata), _met(if_match, if_none_match)\n",
                "documents.headers_of(http, metadata), _met(None, if_none_match)\n",
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "put_if_match",
    ),
    Twin(
        "a lost part of a long stream",
        "bucket",
        (
            Edit(
                "remote.py",
                "            for number, etag in enumerate(etags, 1)\n",
                "            for number, etag in enumerate(etags, 1)\n            if number != 2\n",
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "a_large_stream_is_stored",
    ),
    Twin(
        "two keys that become one",
        "pure",
        (
            Edit(
                "mock.py",
                "        self._entries[key] = _Stored(",
                "        self._entries[key.replace('%2F', '/')] = _Stored(",
            ),
            Edit(
                "mock.py",
                "self._entries.get(limits.key_of(key))",
                "self._entries.get(limits.key_of(key).replace('%2F', '/'))",
            ),
        ),
        "contract",
        ("CONTRACT001",),
        "tricky_names",
    ),
)
