"""A faithful key-value mock passes against the real simulator; each drifted twin is refused."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from core_caps.capabilities.key_value import Entry, KeyInfo, Page
from core_caps.contract.kv import CONTRACT
from core_caps.errors import InvalidArgument
from flows_registry.checks.parity import Effort, parity
from flows_registry.lab.simulators.sides import ParitySubject, Run
from flows_registry.verdict import Verdict

LITTLE = Effort(histories=4, length=10, shrink_seconds=2.0)
Running = Callable[..., Run]


class Faithful:
    """What the vendor documents for Workers KV, without time."""

    ttl_seconds_min = 60

    def __init__(self) -> None:
        self.entries: dict[str, tuple[bytes, str | None]] = {}
        self.expiries: dict[str, int | None] = {}

    def size_of(self, key: str) -> int:
        return len(key.encode())

    def ordered(self, keys: Sequence[str]) -> list[str]:
        return sorted(keys, key=str.encode)

    def kept(self, key: str, metadata: Mapping[str, Any] | None) -> str | None:
        return None if metadata is None else json.dumps(metadata, separators=(",", ":"))

    def checked(self, key: str) -> str:
        if key in ("", ".", "..") or self.size_of(key) > 512:
            raise InvalidArgument(f"key {key!r}")
        return key

    async def get(self, key: str) -> bytes | None:
        found = await self.get_with_metadata(key)
        return None if found is None else found.value

    async def get_with_metadata(self, key: str) -> Entry | None:
        found = self.entries.get(self.checked(key))
        return None if found is None else Entry(found[0], found[1] and json.loads(found[1]))

    async def get_many(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        return {key: await self.get(key) for key in keys}

    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        if not 1 <= limit <= 1000 or self.size_of(prefix) > 512:
            raise InvalidArgument(f"limit {limit}")
        if cursor is not None and not cursor.startswith("after:"):
            raise InvalidArgument("not our cursor")
        keys = self.ordered([key for key in self.entries if key.startswith(prefix)])
        if cursor is not None:
            keys = keys[keys.index(cursor.removeprefix("after:")) + 1 :]
        texts = [self.entries[key][1] for key in keys]
        lines = [
            KeyInfo(key, self.expiries[key], text and json.loads(text))
            for key, text in zip(keys, texts, strict=True)
        ]
        more = len(keys) > limit
        return Page(lines[:limit], f"after:{keys[limit - 1]}" if more else None)

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        ttl_seconds: int | None = None,
        expires_at: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if ttl_seconds is not None and (expires_at or ttl_seconds < self.ttl_seconds_min):
            raise InvalidArgument(f"ttl {ttl_seconds}")
        text = self.kept(self.checked(key), metadata)
        if text is not None and len(text.encode()) > 1024:
            raise InvalidArgument("metadata")
        self.entries[key] = (bytes(value), text)
        self.expiries[key] = ttl_seconds or expires_at

    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        for key, value in entries.items():
            await self.put(key, value)

    async def delete(self, key: str) -> None:
        self.entries.pop(self.checked(key), None)

    async def delete_many(self, keys: Sequence[str]) -> None:
        for key in keys:
            await self.delete(key)


class OrderOfInsertion(Faithful):
    def ordered(self, keys: Sequence[str]) -> list[str]:
        return list(keys)


class OrderOfLetters(Faithful):
    def ordered(self, keys: Sequence[str]) -> list[str]:
        return sorted(keys, key=str.casefold)


class TtlTooShort(Faithful):
    ttl_seconds_min = 59


class OldMetadataKept(Faithful):
    def kept(self, key: str, metadata: Mapping[str, Any] | None) -> str | None:
        return super().kept(key, metadata) or self.entries.get(key, (b"", None))[1]


class KeysCountedInLetters(Faithful):
    def size_of(self, key: str) -> int:
        return len(key)


class EmptyIsAbsent(Faithful):
    async def get(self, key: str) -> bytes | None:
        return await super().get(key) or None


class EmptyMetadataLost(Faithful):
    def kept(self, key: str, metadata: Mapping[str, Any] | None) -> str | None:
        return super().kept(key, metadata or None)


class NextPageRepeatsAKey(Faithful):
    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        page = await super().list(prefix=prefix, limit=limit, cursor=cursor)
        if cursor is None:
            return page
        again = KeyInfo(cursor.removeprefix("after:"))
        return Page([again, *page.entries], page.cursor)


TWINS = {
    OrderOfInsertion: "list",
    OrderOfLetters: "list",
    TtlTooShort: "put",
    OldMetadataKept: "get_with_metadata",
    KeysCountedInLetters: "put",
    EmptyIsAbsent: "get",
    EmptyMetadataLost: "get_with_metadata",
    NextPageRepeatsAKey: "list",
}


def subject(run: Run) -> ParitySubject:
    return ParitySubject(
        CONTRACT, frozenset(CONTRACT.spec.operations), run, remotes={"remote": "cloudflare-kv"}
    )


@pytest.mark.feature("DC-04")
def test_a_faithful_mock_and_remote_pass(simulator: str, running: Running) -> None:
    run = running(mock=lambda _: Faithful(), remote=lambda _: Faithful())
    results = parity(subject(run), effort=Effort(seed=7))

    assert [(result.backend, result.verdict) for result in results] == [
        ("mock", Verdict.PASSED),
        ("remote", Verdict.PASSED),
    ], [result.findings for result in results]
    for result in results:
        assert result.facts["simulator"] == simulator
        assert result.cases == result.facts["histories"] > 50
        assert set(result.facts["steps_by_operation"]) == set(CONTRACT.spec.operations)


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_a_drifted_mock_is_refused(twin: type[Faithful], simulator: str, running: Running) -> None:
    run = running(mock=lambda _: twin(), remote=lambda _: Faithful())
    mock, remote = parity(subject(run), effort=LITTLE)

    assert mock.verdict is Verdict.REFUSED
    assert remote.verdict is Verdict.PASSED
    assert {finding.code for finding in mock.findings} == {"PARITY001"}
    named = [finding for finding in mock.findings if f" in {TWINS[twin]} " in finding.message]
    assert named, [finding.message for finding in mock.findings]
    for finding in mock.findings:
        assert simulator in finding.promised
        assert "mock answered" in finding.observed
        assert "Cloudflare" not in finding.message + finding.promised
        assert len(finding.reproduce.command.splitlines()) <= 1 + 5  # made small


@pytest.mark.feature("DC-04")
def test_the_same_seed_finds_the_same(simulator: str, running: Running) -> None:
    run = running(mock=lambda _: OrderOfInsertion(), remote=lambda _: Faithful())
    first, second = (parity(subject(run), effort=LITTLE)[0].findings for _ in range(2))

    assert first == second
