"""A faithful object mock passes against the real simulator; each drifted twin is refused."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from core_caps.capabilities.blob_store import Blob, BlobPage, ByteRange, HttpMetadata, ObjectInfo
from core_caps.contract.blob import CONTRACT
from core_caps.errors import InvalidArgument, ObjectAbsent, PreconditionFailed, ProtocolViolation
from flows_registry.checks.parity import Effort, parity
from flows_registry.lab.simulators.sides import ParitySubject, Run
from flows_registry.verdict import Verdict

LITTLE = Effort(histories=4, length=10, shrink_seconds=1.5)
OPERATIONS = frozenset(CONTRACT.spec.operations) - {"presign"}
Running = Callable[..., Run]


class Faithful:
    """What the vendor documents for R2, without time."""

    def __init__(self) -> None:
        self.blobs: dict[str, Blob] = {}

    def etag_of(self, data: bytes) -> str:
        return hashlib.md5(data).hexdigest()

    def sorting(self, key: str) -> Any:
        return key.encode()

    def checked(self, key: str) -> str:
        if not 0 < len(key.encode()) <= 1024:
            raise InvalidArgument(f"key {key!r}")
        return key

    def require(self, key: str, if_match: str | None, if_none_match: str | None) -> None:
        etag = self.blobs[key].info.etag if key in self.blobs else None
        if if_match is not None and etag != if_match:
            raise PreconditionFailed("if_match")
        if etag is not None and if_none_match in ("*", etag):
            raise PreconditionFailed("if_none_match")

    def part(self, data: bytes, wanted: ByteRange) -> bytes:
        if wanted.offset is None:
            first, length = max(0, len(data) - (wanted.length or 0)), wanted.length or 0
        else:
            first = wanted.offset
            length = len(data) - first if wanted.length is None else wanted.length
        if first < 0 or first >= len(data) or length <= 0:
            raise InvalidArgument("range")
        return data[first : first + length]

    async def get(
        self, key: str, *, range: ByteRange | None = None, if_match: Any = None,
        if_none_match: Any = None,
    ) -> Blob | None:  # fmt: skip
        found = self.blobs.get(self.checked(key))
        if range is not None and range.offset is not None and range.offset < 0:
            raise InvalidArgument("range")
        if found is None:
            return None
        self.require(key, if_match, if_none_match)
        return found if range is None else replace(found, data=self.part(found.data, range))

    async def open(self, key: str, *, if_match: str | None = None) -> AsyncIterator[bytes]:
        found = await self.get(key, if_match=if_match)
        if found is None:
            raise ObjectAbsent(key)
        yield found.data

    async def head(self, key: str) -> ObjectInfo | None:
        found = self.blobs.get(self.checked(key))
        return None if found is None else found.info

    async def list(
        self, *, prefix: str = "", delimiter: str | None = None, limit: int = 1000,
        cursor: str | None = None,
    ) -> BlobPage:  # fmt: skip
        if not 1 <= limit <= 1000 or (cursor is not None and cursor[:1] != ">"):
            raise InvalidArgument("limit or cursor")
        names: dict[str, str] = {}
        for key in sorted(self.blobs, key=self.sorting):
            rest = key.removeprefix(prefix)
            if key.startswith(prefix):
                folder = delimiter is not None and delimiter in rest
                name = prefix + rest.partition(delimiter or "")[0] + delimiter if folder else key
                names.setdefault(name, "folder" if folder else "object")
        left = [
            name
            for name in names
            if cursor is None or self.sorting(name) > self.sorting(cursor[1:])
        ]
        shown = left[:limit]
        return BlobPage(
            [self.blobs[name].info for name in shown if names[name] == "object"],
            [name for name in shown if names[name] == "folder"],
            f">{shown[-1]}" if len(left) > limit else None,
        )

    async def get_by_hash(self, digest: str) -> bytes | None:
        if len(digest) != 71 or not digest.startswith("sha256:"):
            raise InvalidArgument("digest")
        found = self.blobs.get(digest)
        if found is not None and f"sha256:{hashlib.sha256(found.data).hexdigest()}" != digest:
            raise ProtocolViolation("digest")
        return None if found is None else found.data

    async def put(
        self, key: str, data: Any, *, size_bytes: int | None = None, if_match: str | None = None,
        if_none_match: str | None = None, http: HttpMetadata | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:  # fmt: skip
        self.checked(key)
        if sum(len(k) + len(v) for k, v in (metadata or {}).items()) > 8192:
            raise InvalidArgument("metadata")
        whole = data if isinstance(data, bytes) else b"".join([chunk async for chunk in data])
        if size_bytes not in (None, len(whole)):
            raise InvalidArgument("size")
        self.require(key, if_match, if_none_match)
        etag = self.etag_of(whole)
        info = ObjectInfo(key, len(whole), etag, 0.0, http or HttpMetadata(), dict(metadata or {}))
        self.blobs[key] = Blob(whole, info)
        return info

    async def delete(self, key: str) -> None:
        self.blobs.pop(self.checked(key), None)

    async def copy(self, source: str, target: str) -> ObjectInfo | None:
        found = self.blobs.get(self.checked(source))
        if found is not None:
            self.blobs[self.checked(target)] = replace(found, info=replace(found.info, key=target))
        return self.blobs[target].info if found is not None else None


class ConditionIgnored(Faithful):
    def require(self, key: str, if_match: str | None, if_none_match: str | None) -> None:
        super().require(key, if_match, None)


class MatchIgnoredWhereAbsent(Faithful):
    def require(self, key: str, if_match: str | None, if_none_match: str | None) -> None:
        if key in self.blobs:
            super().require(key, if_match, if_none_match)


class EtagOfParts(Faithful):
    def etag_of(self, data: bytes) -> str:
        return super().etag_of(data) + "-1"


class MetadataKeptOnOverwrite(Faithful):
    async def put(self, key: str, data: Any, **named: Any) -> ObjectInfo:
        if key in self.blobs and not named.get("metadata"):
            named["metadata"] = self.blobs[key].info.metadata
        return await super().put(key, data, **named)


class HttpMetadataLost(Faithful):
    async def put(self, key: str, data: Any, *, http: Any = None, **named: Any) -> ObjectInfo:
        kept = None if http is None else replace(http, cache_control=None)
        return await super().put(key, data, http=kept, **named)


class CopyDropsMetadata(Faithful):
    async def copy(self, source: str, target: str) -> ObjectInfo | None:
        found = self.blobs.get(self.checked(source))
        return None if found is None else await self.put(target, found.data)


class RangeEndsEarly(Faithful):
    def part(self, data: bytes, wanted: ByteRange) -> bytes:
        found = super().part(data, wanted)
        return found[:-1] if wanted.offset is None else found


class HalfAStreamStored(Faithful):
    async def put(self, key: str, data: Any, **named: Any) -> ObjectInfo:
        if isinstance(data, bytes):
            return await super().put(key, data, **named)
        whole = b""
        try:
            async for chunk in data:
                whole += chunk
        finally:
            info = await super().put(key, whole, **named)
        return info


class OrderOfLetters(Faithful):
    def sorting(self, key: str) -> Any:
        return key.casefold()


TWINS = [
    ConditionIgnored,
    MatchIgnoredWhereAbsent,
    EtagOfParts,
    MetadataKeptOnOverwrite,
    HttpMetadataLost,
    CopyDropsMetadata,
    RangeEndsEarly,
    HalfAStreamStored,
    OrderOfLetters,
]


def subject(run: Run) -> ParitySubject:
    return ParitySubject(CONTRACT, OPERATIONS, run, remotes={"remote": "s3"})


@pytest.mark.slow
@pytest.mark.feature("DC-04")
def test_a_faithful_mock_passes(simulator: str, running: Running) -> None:
    run = running(mock=lambda _: Faithful(), remote=lambda _: Faithful())
    results = parity(subject(run), effort=Effort(seed=3))

    for result in results:
        assert result.verdict is Verdict.PASSED, result.findings
        assert set(result.facts["steps_by_operation"]) == OPERATIONS
        assert result.facts["divergences_met"]["r2-metadata-limit"] >= 1


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_a_drifted_mock_is_refused(twin: type[Faithful], simulator: str, running: Running) -> None:
    run = running(mock=lambda _: twin(), remote=lambda _: Faithful())
    mock, remote = parity(subject(run), effort=LITTLE)

    assert mock.verdict is Verdict.REFUSED
    assert remote.verdict is Verdict.PASSED, remote.findings
    assert {finding.code for finding in mock.findings} == {"PARITY001"}
    assert all(simulator in finding.promised for finding in mock.findings)
    assert min(len(finding.reproduce.command.splitlines()) for finding in mock.findings) <= 1 + 3
