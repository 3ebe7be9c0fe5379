"""Whether a command can be proven to only read, from its text alone.

Inside parentheses SQLite's grammar knows nothing that writes, so a command reads when its verb
does and every function it calls is known to. What is not proven is a write.
Grammar: https://www.sqlite.org/lang_select.html and https://www.sqlite.org/lang_with.html
"""

from collections.abc import Iterator, Sequence

from core_caps.errors import InvalidArgument
from core_caps.sqlite.commands import Command
from core_caps.sqlite.tokens import Token

__all__ = ["need_read", "verb_of"]

_VERBS = frozenset({"select", "values"})

_LANGUAGE = """
all and as between by case cast collate cross distinct else escape except exists filter from full
glob group having in inner intersect is isnull join left like limit match materialized natural not
notnull offset on or order outer over partition regexp right rows select then union using values
when where with
"""
_BEFORE_PARENTHESES = frozenset(_LANGUAGE.split())
"""Words of the language that a parenthesis may follow; none of them is a function that writes."""


def need_read(command: Command, functions: frozenset[str]) -> None:
    """Refuse a command that is not proven to read.

    Args:
        command: the command.
        functions: those that only read, in lower case.

    Raises:
        InvalidArgument: its verb writes, or it calls another function; NOT_APPLIED.
    """
    words = command.words
    verb = verb_of(words)
    if verb not in _VERBS:
        raise _unproven(f"{verb.upper() or 'this'} is no read")
    for called in _called(words):
        if called not in functions:
            raise _unproven(f"nobody knows that {called}() only reads")


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
        at = _behind_group(said, at + 1)
        if said[at : at + 1] != ["as"]:
            return len(said)
        at += 1
        at += said[at : at + 1] == ["not"]
        at += said[at : at + 1] == ["materialized"]
        at = _behind_group(said, at)
        if said[at : at + 1] != [","]:
            return at
        at += 1


def _behind_group(said: Sequence[str], at: int) -> int:
    """Where what is in parentheses here ends; the place itself where nothing is."""
    depth = 0
    for place in range(at, len(said)):
        depth += (said[place] == "(") - (said[place] == ")")
        if depth == 0:
            return place + 1 if said[place] == ")" else at
    return len(said)


def _called(words: Sequence[Token]) -> Iterator[str]:
    """The names in front of parentheses that are neither the language's nor a table's."""
    said = [token.name if token.kind != "sign" else token.text for token in words]
    for at, token in enumerate(words[:-1]):
        if not token.name or said[at + 1] != "(":
            continue
        if token.kind == "word" and token.name in _BEFORE_PARENTHESES:
            continue
        is_type = at > 0 and words[at - 1].text.lower() == "as"
        if not is_type and not _is_table(said, at + 1):
            yield token.name


def _is_table(said: Sequence[str], at: int) -> bool:
    """Whether the group here holds the columns of a table of WITH: `a (…) AS (…)`."""
    behind = list(said[_behind_group(said, at) :][:4])
    for optional in ("not", "materialized"):
        if optional in behind[1:2]:
            del behind[1]
    return behind[:2] == ["as", "("]


def _unproven(problem: str) -> InvalidArgument:
    return InvalidArgument(
        f"the statement is not proven to read: {problem}", hint="run it through execute or batch"
    )
