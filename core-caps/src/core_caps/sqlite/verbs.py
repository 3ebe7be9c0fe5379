"""What a command does, by the word that says it, and what is not for a command to do.

Grammar: https://www.sqlite.org/lang.html
"""

from collections.abc import Mapping, Sequence

from core_caps.errors import InvalidArgument
from core_caps.sqlite.commands import Command
from core_caps.sqlite.tokens import Token

__all__ = ["READS", "WRITES", "behind_group", "refuse_control", "verb_of"]

READS = frozenset({"select", "values"})

WRITES = frozenset(
    {
        "alter", "analyze", "create", "delete", "drop", "insert", "pragma", "reindex", "replace",
        "update",
    }
)  # fmt: skip

_TO_BATCH = "give the statements of one transaction to batch, or to query_batch if they only read"
_TO_CONNECT = "connect to each database by itself: a statement knows one"

_CONTROL: Mapping[str, str] = {
    **dict.fromkeys(("begin", "commit", "end", "release", "rollback", "savepoint"), _TO_BATCH),
    **dict.fromkeys(("attach", "detach"), _TO_CONNECT),
    "vacuum": "leave it out: what is deleted leaves room for what comes",
}
"""What a statement inside a transaction of one database cannot do, and what to do instead."""


def refuse_control(command: Command) -> None:
    """Refuse what begins or ends a transaction, or is about other files.

    Raises:
        InvalidArgument: it does; NOT_APPLIED.
    """
    verb = verb_of(command.words)
    if verb in _CONTROL:
        raise InvalidArgument(f"{verb.upper()} is not for statements", hint=_CONTROL[verb])


def verb_of(words: Sequence[Token]) -> str:
    """What the command does, in lower case, whatever stands before it; "" where that is unclear."""
    said = [token.name if token.kind != "sign" else token.text for token in words]
    at = 0
    if said[:1] == ["explain"]:
        at = 3 if said[1:3] == ["query", "plan"] else 1
    if said[at : at + 1] == ["with"]:
        at = _behind_tables(said, at + 1)
    return words[at].text.lower() if at < len(words) and words[at].kind == "word" else ""


def _behind_tables(said: Sequence[str], at: int) -> int:
    """Where the command itself begins behind `WITH a (…) AS (…), b AS (…)`."""
    at += said[at : at + 1] == ["recursive"]
    while True:
        at = behind_group(said, at + 1)
        if said[at : at + 1] != ["as"]:
            return len(said)
        at += 1
        at += said[at : at + 1] == ["not"]
        at += said[at : at + 1] == ["materialized"]
        at = behind_group(said, at)
        if said[at : at + 1] != [","]:
            return at
        at += 1


def behind_group(said: Sequence[str], at: int) -> int:
    """Where what is in parentheses here ends; the place itself where nothing is."""
    depth = 0
    for place in range(at, len(said)):
        depth += (said[place] == "(") - (said[place] == ")")
        if depth == 0:
            return place + 1 if said[place] == ")" else at
    return len(said)
