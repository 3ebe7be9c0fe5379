"""Uploads of streams: in parts of equal size, a few at a time, whole or not at all.

R2 wants all parts but the last of one size, and forgets an upload that was never completed or
aborted after seven days: https://developers.cloudflare.com/r2/objects/multipart-objects/
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

from core_caps.errors import InvalidArgument, Outcome, ProviderError

from cap_cloudflare_r2 import arguments, limits
from cap_cloudflare_r2.answers import conditions_of, etag_of
from cap_cloudflare_r2.requests import Pieces, Requests

__all__ = ["Stored", "Target", "store_parts", "store_stream", "windows"]

_SMALL_BYTES = 64 * 1024
"""Chunks below this are copied together: a part in too many pieces is slow to send."""

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """Where an object goes, and how.

    Attributes:
        key: its key.
        stored: the metadata parameters, for the request that begins it.
        if_match, if_none_match: the conditions, for the request that makes it visible.
    """

    key: str
    stored: Mapping[str, object]
    if_match: str | None = None
    if_none_match: str | None = None

    @property
    def conditions(self) -> Mapping[str, object]:
        """The conditions as parameters."""
        return conditions_of(self.if_match, self.if_none_match)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of it: its etag and size."""

    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Part:
    pieces: Pieces
    size_bytes: int
    last: bool


async def store_stream(
    requests: Requests,
    target: Target,
    source: AsyncIterator[bytes],
    *,
    size_bytes: int | None,
    part_size_bytes: int,
    in_flight: int,
    seconds: float,
    abort_seconds: float,
) -> Stored:
    """Store a stream: one request when it fits into one part, else an upload in parts.

    Raises:
        InvalidArgument: the stream is not of its stated size, or too long; nothing is stored.
    """
    part_size = _part_size(part_size_bytes, size_bytes)
    parts = _cut(_counted(source, size_bytes), part_size)
    first = await anext(parts)
    if first.last:
        etag = await requests.put(
            target.key, first.pieces, {**target.stored, **target.conditions}, seconds=seconds
        )
        return Stored(etag, first.size_bytes)
    both = _chained(first, parts)
    del first  # or its memory would stay until the upload is done
    return await store_parts(
        requests,
        target,
        both,
        in_flight=in_flight,
        seconds=seconds,
        abort_seconds=abort_seconds,
    )


async def store_parts(
    requests: Requests,
    target: Target,
    parts: AsyncIterator[_Part],
    *,
    in_flight: int,
    seconds: float,
    abort_seconds: float,
) -> Stored:
    """Upload parts and complete; when anything fails, or the task is cancelled, abort.

    After an abort that the service confirmed, nothing was applied. Completing is the moment of
    truth: when its answer is lost the outcome stays UNKNOWN, and the abort that follows is safe
    either way: it ends an upload that was not completed, and cannot touch an object that was.
    """
    await _check_early(requests, target, seconds)
    upload = await requests.create_upload(target.key, target.stored, seconds=seconds)
    completing = False
    try:
        sent, size = await _send(
            requests, target.key, upload, parts, in_flight=in_flight, seconds=seconds
        )
        completing = True
        etag = await requests.complete_upload(
            target.key, upload, sent, target.conditions, seconds=seconds
        )
    except BaseException as error:
        gone = await _abort(requests, target.key, upload, error, seconds=abort_seconds)
        if gone and not completing and isinstance(error, ProviderError):
            error.outcome = Outcome.NOT_APPLIED
        raise
    return Stored(etag, size)


async def _check_early(requests: Requests, target: Target, seconds: float) -> None:
    """Ask before sending much whether the conditions hold now; completing asks again."""
    if not target.conditions:
        return
    found = await requests.head("put", target.key, seconds=seconds)
    etag = None if found is None else etag_of(found)
    arguments.check_conditions(target.key, etag, target.if_match, target.if_none_match)


async def windows(data: memoryview, part_size_bytes: int) -> AsyncIterator[_Part]:
    """A value in memory as parts that share its memory."""
    part_size = _part_size(part_size_bytes, data.nbytes)
    for start in range(0, data.nbytes, part_size):
        window = data[start : start + part_size]
        yield _Part((window,), window.nbytes, last=start + part_size >= data.nbytes)


async def _send(
    requests: Requests,
    key: str,
    upload: str,
    parts: AsyncIterator[_Part],
    *,
    in_flight: int,
    seconds: float,
) -> tuple[Sequence[Mapping[str, object]], int]:
    sending: dict[asyncio.Task[Mapping[str, object]], int] = {}
    sent: dict[int, Mapping[str, object]] = {}
    size = 0

    async def settle_one() -> None:
        done, _ = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            sent[sending.pop(task)] = task.result()

    try:
        async for part in parts:
            number = len(sent) + len(sending) + 1
            _check_number(number)
            size += part.size_bytes
            work = requests.upload_part(key, upload, number, part.pieces, seconds=seconds)
            sending[asyncio.create_task(work)] = number
            del part, work  # its memory goes when it is sent, not when the next one is ready
            while len(sending) >= in_flight or any(task.done() for task in sending):
                await settle_one()
        while sending:
            await settle_one()
    finally:
        await _cancelled(sending)
    return [sent[number] for number in sorted(sent)], size


def _check_number(number: int) -> None:
    if number > limits.PARTS_MAX:
        raise InvalidArgument(
            f"the stream has more than {limits.PARTS_MAX} parts",
            hint="give size_bytes, or raise part_size_bytes",
        )


async def _cancelled(sending: Collection[asyncio.Task[Mapping[str, object]]]) -> None:
    for task in sending:
        task.cancel()
    if sending:
        await asyncio.wait(sending)
    for task in sending:
        if not task.cancelled():
            task.exception()  # looked at: the first failure is the one that is told


async def _abort(
    requests: Requests, key: str, upload: str, cause: BaseException, *, seconds: float
) -> bool:
    """End the upload, whoever cancels meanwhile; True when the service confirmed it."""
    aborting = asyncio.ensure_future(requests.abort_upload(key, upload, seconds=seconds))
    cancelled: asyncio.CancelledError | None = None
    while not aborting.done():
        try:
            await asyncio.wait((aborting,))
        except asyncio.CancelledError as error:  # it is bounded: finish, then obey
            cancelled = error
    failure = aborting.exception()
    if failure is not None:
        cause.add_note(
            f"the unfinished upload of {key!r} could not be aborted ({failure}); "
            "R2 removes it after seven days"
        )
    if cancelled is not None and not isinstance(cause, asyncio.CancelledError):
        raise cancelled
    return failure is None


async def _counted(source: AsyncIterator[bytes], stated: int | None) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in source:
        arguments.check_chunk(chunk)
        size += memoryview(chunk).nbytes
        if stated is not None and size > stated:
            raise InvalidArgument(
                f"size_bytes says {stated}, and the stream holds more",
                hint="leave size_bytes out where the size is not known",
            )
        yield chunk
    arguments.check_size(size, stated)


async def _cut(source: AsyncIterator[bytes], part_size: int) -> AsyncIterator[_Part]:
    """The stream in parts; one is given out only when it is known whether it is the last."""
    pieces: list[bytes | bytearray | memoryview] = []
    size = 0
    async for chunk in source:
        view = memoryview(bytes(chunk))  # bytes stay themselves; a source may reuse others
        while view.nbytes:
            if size == part_size:
                yield _Part(_frozen(pieces), size, last=False)
                pieces, size = [], 0
            piece = view[: part_size - size]
            view = view[piece.nbytes :]
            size += piece.nbytes
            if piece.nbytes >= _SMALL_BYTES:
                pieces.append(piece)
            elif pieces and isinstance(pieces[-1], bytearray):
                pieces[-1] += piece
            else:
                pieces.append(bytearray(piece))
    yield _Part(_frozen(pieces), size, last=True)


async def _chained(first: _Part, rest: AsyncIterator[_Part]) -> AsyncIterator[_Part]:
    yield first
    del first
    async for part in rest:
        yield part
        del part


def _frozen(pieces: list[bytes | bytearray | memoryview]) -> Pieces:
    return [memoryview(piece) for piece in pieces]


def _part_size(chosen: int, size_bytes: int | None) -> int:
    """The chosen size, or the next MiB with which a known size fits into 10 000 parts."""
    if size_bytes is None or size_bytes <= chosen * limits.PARTS_MAX:
        return chosen
    least = -(-size_bytes // limits.PARTS_MAX)
    return -(-least // _MIB) * _MIB
