"""Statements as PostgreSQL reads them: how many commands, which parameters, and what kind it is.

Nothing is rewritten: the database gets the text as it was given. Only what it would do to the
transaction around the statement, and what has no meaning there, is refused here.
Lexical rules: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from core_caps.capabilities.sql import Statement
from core_caps.errors import InvalidArgument

from cap_postgres_neon.values import need_text, to_text

__all__ = [
    "COMMANDS",
    "Command",
    "checked_key",
    "checked_statements",
    "no_command",
    "reading",
    "tokens",
    "writing",
]

PARAMETERS_MAX = 65_535
"""The protocol counts them in 16 bits. https://www.postgresql.org/docs/current/limits.html"""

_TOKEN = re.compile(
    r"""
      (?P<blank>  \s+ | --[^\r\n]* )
    | (?P<quoted> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
                  | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$ )
    | (?P<open>   /\* | ['"] )
    | (?P<word>   [^\W\d][\w$]* )
    | (?P<number> \d[\w.]* )
    | (?P<place>  \$\d+ )
    | (?P<end>    ; )
    | (?P<other>  . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_PART = re.compile(r"/\*|\*/")

_READS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN"})
"""What a statement that reads may begin with; whether it does read, the database decides."""

_CHANGES = frozenset(
    {
        "ALTER", "ANALYZE", "CALL", "CHECKPOINT", "CLUSTER", "COMMENT", "CREATE", "DELETE", "DO",
        "DROP", "GRANT", "IMPORT", "INSERT", "LOCK", "MERGE", "NOTIFY", "REASSIGN", "REFRESH",
        "REINDEX", "REVOKE", "SECURITY", "TRUNCATE", "UPDATE", "VACUUM",
    }
)  # fmt: skip

_TRANSACTION = frozenset(
    {"ABORT", "BEGIN", "COMMIT", "END", "PREPARE", "RELEASE", "ROLLBACK", "SAVEPOINT", "START"}
)
_SESSION = frozenset(
    {
        "CLOSE", "COPY", "DEALLOCATE", "DECLARE", "DISCARD", "EXECUTE", "FETCH", "LISTEN", "LOAD",
        "MOVE", "RESET", "SET", "UNLISTEN",
    }
)  # fmt: skip
"""Commands about the transaction or the session: both are the provider's, and are shared."""

COMMANDS = _READS | _CHANGES | _TRANSACTION | _SESSION
"""What a command begins with. https://www.postgresql.org/docs/current/sql-commands.html"""

_TO_BATCH = "give each to `batch`, or to `query_batch` if they only read: one transaction holds all"


class Command(NamedTuple):
    """One command and its parameters, in PostgreSQL's text form."""

    text: str
    params: tuple[str | None, ...] = ()


class Token(NamedTuple):
    """A part of a statement.

    Attributes:
        kind: "word", "quoted", "place" ($1), "number", "end" (;) or "other".
        text: as it stands there.
        at: where it begins.
    """

    kind: str
    text: str
    at: int


def reading(text: object, params: object) -> Command:
    """A statement that reads, as the database takes it.

    Raises:
        InvalidArgument: it is no statement that could read, is several, or has another number of
            parameters; NOT_APPLIED.
    """
    command, first = _command(text, params)
    if first in _CHANGES:
        raise InvalidArgument(f"{first} is no read", hint="write through execute or batch")
    if first not in _READS:
        raise no_command(next(tokens(command.text)).text)
    return command


def writing(text: object, params: object) -> Command:
    """A statement that may write, as the database takes it.

    Raises:
        InvalidArgument: as for `reading`, or it is about the transaction or the session itself.
    """
    return _command(text, params)[0]


def no_command(said: object) -> InvalidArgument:
    """The error for a statement that begins like none, a slip of the pen for instance."""
    return InvalidArgument(
        f'syntax error at or near "{said}"',
        hint="a statement that reads begins with SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN; one "
        "that writes with INSERT, UPDATE, DELETE, MERGE, CREATE, …",
    )


def checked_statements(statements: object) -> list[Statement]:
    """The statements of a batch.

    Raises:
        InvalidArgument: they are no list of `Statement`s; NOT_APPLIED.
    """
    if not isinstance(statements, list | tuple):
        raise InvalidArgument(f"statements are a list, not {type(statements).__name__}")
    given = cast("Sequence[object]", statements)
    for each in given:
        if not isinstance(each, Statement):
            raise InvalidArgument(f"{type(each).__name__} is no Statement")
    return list(cast("Sequence[Statement]", given))


def checked_key(key: object) -> str:
    """An idempotency key, or "" for none.

    Raises:
        InvalidArgument: it is no text that can be stored; NOT_APPLIED.
    """
    if not isinstance(key, str):
        raise InvalidArgument(f"a key is text, not {type(key).__name__}")
    return need_text(key, "a key")


def _command(text: object, params: object) -> tuple[Command, str]:
    """The command, and its first word in upper case.

    Raises:
        InvalidArgument: it is none, several, has another number of parameters, or is about the
            transaction or the session itself; NOT_APPLIED.
    """
    if not isinstance(text, str):
        raise InvalidArgument(f"a statement is text, not {type(text).__name__}")
    need_text(text, "a statement")
    values = _values(params)
    places: set[int] = set()
    first, said, ended = "", False, False
    for kind, found, _ in tokens(text):
        if kind == "end":
            ended = said
            continue
        if ended:
            raise InvalidArgument("there are several commands in one statement", hint=_TO_BATCH)
        if kind == "place":
            places.add(int(found[1:]))
        if not first and kind == "word":
            first = found.upper()
        said = True
    if not said:
        raise InvalidArgument("there is no command in the statement", hint="give one command")
    _refuse_control(first)
    if places != set(range(1, len(values) + 1)):
        raise InvalidArgument(
            f"{len(values)} parameters were given, and the statement names {_shown(places)}",
            hint="give as many as it names, each of $1, $2, … in it",
        )
    return Command(text, values), first


def _refuse_control(first: str) -> None:
    if first in _TRANSACTION:
        raise InvalidArgument(
            f"{first} is not a statement's to say: it runs in a transaction that begins and ends "
            "with it",
            hint=_TO_BATCH,
        )
    if first in _SESSION:
        raise InvalidArgument(
            f"{first} is not a statement's to say: the session is shared",
            hint="leave it out; a setting for one transaction is SELECT set_config(name, value, "
            "true) in its `batch`",
        )


def tokens(text: str) -> Iterator[Token]:
    """What a statement is made of, blanks and comments left out.

    Raises:
        InvalidArgument: a quotation or a comment does not end; NOT_APPLIED.
    """
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token is not None, "the last alternative takes any character"
        at = token.end()
        kind, found = token.lastgroup or "other", token.group()
        if token["quoted"] is not None:
            kind = "quoted"
        if found == "/*":
            at = _after_comment(text, at)
        elif kind == "open":
            raise InvalidArgument(f"a quotation that begins with {found} does not end")
        elif kind != "blank":
            yield Token(kind, found, token.start())


def _after_comment(text: str, at: int) -> int:
    """Where the comment ends whose beginning was just read; comments nest."""
    depth = 1
    for part in _COMMENT_PART.finditer(text, at):
        depth += 1 if part.group() == "/*" else -1
        if not depth:
            return part.end()
    raise InvalidArgument("a comment that begins with /* does not end")


def _values(params: object) -> tuple[str | None, ...]:
    if not isinstance(params, list | tuple):
        raise InvalidArgument(f"parameters are a list or a tuple, not {type(params).__name__}")
    given = cast("Sequence[object]", params)
    if len(given) > PARAMETERS_MAX:
        raise InvalidArgument(f"{len(given)} parameters are more than {PARAMETERS_MAX}")
    return tuple(to_text(value, f"${number}") for number, value in enumerate(given, 1))


def _shown(places: set[int]) -> str:
    return ", ".join(f"${place}" for place in sorted(places)) or "none"
