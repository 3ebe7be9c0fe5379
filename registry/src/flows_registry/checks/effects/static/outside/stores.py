"""Databases by their statements, mail and FTP by their verbs."""

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.static.constants import texts
from flows_registry.checks.effects.static.outside.rules import (
    Call,
    Rule,
    TypeModel,
    both,
    constructs,
    does,
    harmless,
    itself,
    makes,
    run_attached,
    unknowable,
)
from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import UNKNOWN_DATA, Text, Value

__all__ = ["STORE_FUNCTIONS", "STORE_TYPES"]

_READS, _WRITES = Effects.READ_ONLY, Effects.EFFECTFUL


def _sql_connects(call: Call) -> Value:
    """A database; one that lives in memory is not the world."""
    place = call.args.at(0, "database")
    known = texts(place)
    if call.path.startswith("sqlite3") and known and all(t.pattern == ":memory:" for t in known):
        return makes("collections.deque")(call)
    shown = next((text.shown for text in known), "*")
    call.machine.sink(call.node, "sql", f"{call.path} {shown}", _READS)
    return constructs("sql.Connection")(call)


def _executes(call: Call) -> Value:
    """Runs a statement: its first word decides."""
    run_attached(call)
    for statement in texts(call.args.at(0)) or [Text("")]:
        terms = statement.shown.upper().replace("(", " ").split()
        first = terms[0] if statement.prefix.strip() and terms else ""
        if first in (
            "SELECT",
            "SHOW",
            "EXPLAIN",
            "VALUES",
            "PRAGMA",
            "WITH",
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "SET",
            "SAVEPOINT",
            "RELEASE",
            "DESCRIBE",
        ):
            writes = {"INSERT", "UPDATE", "DELETE", "INTO", "MERGE"} & set(terms)
            effects = _WRITES if writes else _READS
        elif first and first[0].isalpha():
            effects = _WRITES
        else:
            call.machine.top(f"an SQL statement that is not constant in {call.path}", call.node)
            effects = _READS
        detail = f"SQL {' '.join(terms[:6])}"
        call.machine.sink(call.node, "sql", detail, effects, method=first)
    harmless(call)
    return itself(call) | UNKNOWN_DATA


_SQL = TypeModel(
    dict.fromkeys(
        words("execute executemany executescript fetch fetchrow fetchval query query_one"),
        _executes,
    )
    | dict.fromkeys(("cursor", "acquire", "connection", "transaction", "pipeline"), itself)
    | {"copy": _executes, "create_function": constructs(), "set_trace_callback": constructs()},
    both(harmless),
)


def _verbs(kind: str, reads: str, writes: str) -> TypeModel:
    rules: dict[str, Rule] = dict.fromkeys(reads.split(), does(kind, _READS))
    rules |= dict.fromkeys(writes.split(), does(kind, _WRITES))
    quiet = "close quit set_pasv set_debuglevel __init__ __enter__ __exit__ size"
    rules |= dict.fromkeys(quiet.split(), harmless)
    return TypeModel(rules, unknowable("unknown method {path}"))


_SMTP = _verbs(
    "mail",
    "connect login starttls ehlo helo noop ehlo_or_helo_if_needed rset vrfy verify has_extn",
    "sendmail send_message mail rcpt data docmd",
)
_FTP = _verbs(
    "ftp",
    "connect login retrbinary retrlines nlst dir mlsd cwd pwd abort size prot_p getwelcome",
    "storbinary storlines delete mkd rmd rename sendcmd voidcmd transfercmd",
)


STORE_FUNCTIONS: dict[str, Rule] = {
    f"{library}.connect": _sql_connects
    for library in words("sqlite3 psycopg psycopg2 asyncpg pymysql MySQLdb aiosqlite")
} | {
    "asyncpg.create_pool": _sql_connects,
    "psycopg.Connection.connect": _sql_connects,
    "psycopg.AsyncConnection.connect": _sql_connects,
}

STORE_TYPES: dict[str, TypeModel] = {
    "sql.Connection": _SQL,
    "smtplib.SMTP": _SMTP,
    "smtplib.SMTP_SSL": _SMTP,
    "smtplib.LMTP": _SMTP,
    "ftplib.FTP": _FTP,
    "ftplib.FTP_TLS": _FTP,
}
