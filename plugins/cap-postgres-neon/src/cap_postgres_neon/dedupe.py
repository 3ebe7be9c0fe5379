"""Dedupe on PostgreSQL, whichever way leads to it; time is the database's own.

Each operation is a few statements for all of its keys, one transaction, and nothing in between to
wait for: a reservation takes what is free or the owner's own in one `INSERT … ON CONFLICT`, which
holds the rows until the end, and looks what became of the others.

Whatever waits for rows takes them in the order of their keys, which is the same for everybody, and
nothing waits that holds others: so no two wait for each other.
"""

from binascii import hexlify, unhexlify
from collections.abc import Iterable, Sequence
from typing import Self

from core_caps.capabilities.arguments import checked_seconds
from core_caps.capabilities.dedupe import Answer as Said
from core_caps.capabilities.dedupe import Commit, Done, Fresh, InProgress, Reservation
from core_caps.capabilities.dedupe_arguments import encoded
from core_caps.errors import KeyCollision, LeaseExpired, Outcome, Unavailable

from cap_postgres_neon import errors
from cap_postgres_neon.database import Answer, Database, Mode, Refused
from cap_postgres_neon.dedupe_arguments import ARGUMENTS
from cap_postgres_neon.statements import Command
from cap_postgres_neon.tables import DEDUPE, ONE_PAYLOAD

__all__ = ["PostgresDedupe"]

ABANDONED_SECONDS = 86_400
"""So long after its lease a key is remembered that nobody came back for."""

_SWEPT = 100
"""Forgotten rows that a call removes in any case, beside two for each that it may add."""

_SWEEP = """
DELETE FROM _flows_dedupe WHERE key IN (SELECT key FROM _flows_dedupe
WHERE forget_at <= clock_timestamp() ORDER BY forget_at LIMIT $1 FOR UPDATE SKIP LOCKED)"""
"""It waits for nobody and comes last, so that nobody waits for what it holds."""

_DIFFERS = """(asked.payload <> '' AND held.payload <> '' AND asked.payload <> held.payload
AND held.forget_at > clock_timestamp())"""

_RESERVE = f"""
INSERT INTO _flows_dedupe AS held (key, payload, owner, until, forget_at)
SELECT key, payload, $3, clock_timestamp() + make_interval(secs => $4),
    clock_timestamp() + make_interval(secs => $4) + make_interval(secs => {ABANDONED_SECONDS})
FROM unnest($1::bytea[], $2::bytea[]) AS given (key, payload)
ON CONFLICT (key) DO UPDATE SET
    payload = CASE WHEN held.payload = '' OR held.result IS NOT NULL
        OR held.forget_at <= clock_timestamp() THEN excluded.payload ELSE held.payload END,
    owner = excluded.owner, until = excluded.until, forget_at = excluded.forget_at, result = NULL,
    collided = CASE WHEN {_DIFFERS.replace("asked", "excluded")} THEN true END
WHERE held.until <= clock_timestamp() OR (held.result IS NULL AND held.owner = excluded.owner)
    OR {_DIFFERS.replace("asked", "excluded")}"""  # noqa: S608 (of this module's own parts)
"""What is to be refused is taken as well: the table's own constraint then undoes all of it."""

_LOOK = """
SELECT number, extract(epoch FROM coalesce(held.until, clock_timestamp())), held.result
FROM unnest($1::bytea[]) WITH ORDINALITY AS asked (key, number)
LEFT JOIN _flows_dedupe AS held ON held.key = asked.key
WHERE held.key IS NULL OR held.result IS NOT NULL OR held.owner <> $2"""
"""Those that were not taken; one that vanished meanwhile was in progress until now."""

_COLLIDING = f"""
SELECT number FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS asked (key, payload, number)
JOIN _flows_dedupe AS held ON held.key = asked.key WHERE {_DIFFERS}"""  # noqa: S608

_MAY_COMMIT = """held.owner = $3
AND (held.result IS NULL OR (held.result = given.result AND held.until > clock_timestamp()))"""

_COMMIT = f"""
WITH given AS (SELECT * FROM unnest($1::bytea[], $2::bytea[]) AS given (key, result)),
mine AS (SELECT held.key, given.result FROM given JOIN _flows_dedupe AS held USING (key)
    WHERE {_MAY_COMMIT} ORDER BY held.key FOR UPDATE OF held)
UPDATE _flows_dedupe AS held SET result = mine.result,
    until = clock_timestamp() + make_interval(secs => $4),
    forget_at = clock_timestamp() + make_interval(secs => $4)
FROM mine WHERE held.key = mine.key
AND (SELECT count(*) FROM mine) = cardinality($1::bytea[])"""  # noqa: S608

_LOST = f"""
SELECT number FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS given (key, result, number)
LEFT JOIN _flows_dedupe AS held USING (key) WHERE NOT coalesce({_MAY_COMMIT}, false)"""  # noqa: S608

_RELEASE = """
WITH mine AS (SELECT key FROM _flows_dedupe
    WHERE key = ANY($1::bytea[]) AND owner = $2 AND result IS NULL ORDER BY key FOR UPDATE)
DELETE FROM _flows_dedupe AS held USING mine WHERE held.key = mine.key"""


class PostgresDedupe:
    """Dedupe on a database; the backends say which."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.__aexit__(*exc)

    async def reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Said:
        """Take the key if nobody has it, or say what became of it.

        Raises:
            KeyCollision: the key was seen with another payload (IDEM099); NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        reservations = [Reservation(key, payload)]
        return (
            await self._reserved("reserve", reservations, owner=owner, lease_seconds=lease_seconds)
        )[0]

    async def reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Said]:
        """`reserve` for several keys in one transaction, answered in their order; all or none.

        Raises:
            KeyCollision: keys were seen with other payloads; NOT_APPLIED, for any of them.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        return await self._reserved(
            "reserve_many", reservations, owner=owner, lease_seconds=lease_seconds
        )

    async def commit(
        self, key: str, *, owner: str, result: bytes = b"", ttl_seconds: float
    ) -> None:
        """Record that the work is done; until its time is up the key is answered Done.

        Raises:
            LeaseExpired: the key is not this owner's any more; `leases` names it. NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        commits = [Commit(key, result)]
        await self._committed("commit", commits, owner=owner, ttl_seconds=ttl_seconds)

    async def commit_many(
        self, commits: Sequence[Commit], *, owner: str, ttl_seconds: float
    ) -> None:
        """`commit` for several keys in one transaction; all or none.

        Raises:
            LeaseExpired: some keys are not this owner's; `leases` names them. NOT_APPLIED.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        await self._committed("commit_many", commits, owner=owner, ttl_seconds=ttl_seconds)

    async def release(self, key: str, *, owner: str) -> None:
        """Give the key back: the work was not done, and anybody may take it at once."""
        await self._released("release", [key], owner=owner)

    async def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        """`release` for several keys in one transaction."""
        await self._released("release_many", keys, owner=owner)

    async def _reserved(
        self,
        operation: str,
        reservations: Sequence[Reservation],
        *,
        owner: str,
        lease_seconds: float,
    ) -> list[Said]:
        asked = encoded(ARGUMENTS.reservations(reservations))
        name = ARGUMENTS.owner(owner).encode()
        lease = repr(checked_seconds(lease_seconds, "lease_seconds"))
        if not asked:
            return []
        keys = sorted(asked)
        both = (_array(keys), _array(asked[key] for key in keys))
        commands = [
            Command(_RESERVE, (*both, _binary(name), lease)),
            Command(_LOOK, (both[0], _binary(name))),
            Command(_SWEEP, (str(_SWEPT + 2 * len(keys)),)),
        ]
        try:
            _, others, _ = await self._run(operation, commands)
        except Refused as problem:
            if problem.constraint != ONE_PAYLOAD:
                raise errors.refused(operation, problem) from None
            raise await self._collision(operation, keys, both) from None
        found: dict[bytes, Said] = dict.fromkeys(keys, Fresh())
        for number, until, result in others.rows:
            assert number is not None
            assert until is not None
            said = InProgress(float(until)) if result is None else Done(unhexlify(result[2:]))
            found[keys[int(number) - 1]] = said
        return [found[key] for key in asked]

    async def _collision(
        self, operation: str, keys: Sequence[bytes], both: tuple[str, str]
    ) -> Exception:
        """The error for keys that were seen with another payload, all of them named."""
        [seen] = await self._answers(operation, [Command(_COLLIDING, both)], mode="reads")
        if not seen.rows:
            return Unavailable(
                f"{operation} met another payload, which is gone by now",
                hint="make the call again",
                outcome=Outcome.NOT_APPLIED,
            )
        colliding = _named(keys, seen)
        return KeyCollision(
            f"{len(colliding)} of {len(keys)} keys were seen with another payload",
            keys=colliding,
            hint="make the key of all that the work depends on",
        )

    async def _committed(
        self, operation: str, commits: Sequence[Commit], *, owner: str, ttl_seconds: float
    ) -> None:
        results = encoded(ARGUMENTS.commits(commits))
        name = ARGUMENTS.owner(owner).encode()
        ttl = repr(checked_seconds(ttl_seconds, "ttl_seconds"))
        if not results:
            return
        keys = sorted(results)
        given = (_array(keys), _array(results[key] for key in keys), _binary(name))
        kept, lost = await self._answers(
            operation, [Command(_COMMIT, (*given, ttl)), Command(_LOST, given)]
        )
        if kept.affected == len(keys):
            return
        leases = _named(keys, lost)
        raise LeaseExpired(
            f"{len(leases)} of {len(keys)} keys are not this owner's any more",
            leases=leases,
            hint="somebody else may have done the work: reserve the keys to learn what became "
            "of them",
        )

    async def _released(self, operation: str, keys: Sequence[str], *, owner: str) -> None:
        given = [key.encode() for key in ARGUMENTS.keys(keys)]
        name = ARGUMENTS.owner(owner).encode()
        if given:
            command = Command(_RELEASE, (_array(sorted(given)), _binary(name)))
            await self._answers(operation, [command])

    async def _answers(
        self, operation: str, commands: Sequence[Command], *, mode: Mode = "writes"
    ) -> Sequence[Answer]:
        try:
            return await self._run(operation, commands, mode=mode)
        except Refused as problem:
            raise errors.refused(operation, problem) from None

    async def _run(
        self, operation: str, commands: Sequence[Command], *, mode: Mode = "writes"
    ) -> Sequence[Answer]:
        # Each statement is to see what was committed before it, not before the first.
        return await self._database.run(
            operation, commands, mode=mode, isolation="read_committed", table=DEDUPE
        )


def _binary(value: bytes) -> str:
    return "\\x" + hexlify(value).decode()


def _array(values: Iterable[bytes]) -> str:
    """An array of bytea, as text."""
    parts = ['"\\\\x' + hexlify(value).decode() + '"' for value in values]
    return "{" + ",".join(parts) + "}"


def _named(keys: Sequence[bytes], numbered: Answer) -> list[str]:
    """The keys whose numbers, counted from 1, stand in the first column."""
    return [keys[int(number) - 1].decode() for number, *_ in numbered.rows if number is not None]
