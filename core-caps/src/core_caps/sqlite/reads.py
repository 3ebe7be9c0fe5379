"""Whether a command can be proven to only read, from its text alone.

Inside parentheses SQLite's grammar knows nothing that writes, so a command reads when its verb
does and every function it calls is known to. What is not proven is a write.
Grammar: https://www.sqlite.org/lang_select.html and https://www.sqlite.org/lang_with.html
"""

from collections.abc import Iterator, Sequence

from core_caps.errors import InvalidArgument
from core_caps.sqlite.commands import Command
from core_caps.sqlite.tokens import Token
from core_caps.sqlite.verbs import READS, WRITES, behind_group, refuse_control, verb_of

__all__ = ["need_read"]

_LANGUAGE = """
all and as between by case cast collate cross distinct else escape except exists filter from full
glob group having in inner intersect is isnull join left like limit match materialized natural not
notnull offset on or order outer over partition regexp right rows select then union using values
when where with
"""
_BEFORE_PARENTHESES = frozenset(_LANGUAGE.split())
"""Words of the language that a parenthesis may follow; none of them is a function that writes."""

_TO_WRITE = "run it through execute or batch"
_TO_SPELL = "check the name; if the database has this function, run it through execute or batch"
_INSTEAD = {"pragma": "read it as a table, as in SELECT * FROM pragma_table_info('t')"}


def need_read(command: Command, functions: frozenset[str] | None) -> None:
    """Refuse a command that is not proven to read.

    Args:
        command: the command.
        functions: those that only read, in lower case; None where SQLite itself is asked.

    Raises:
        InvalidArgument: its verb writes or is none, or it calls another function; NOT_APPLIED.
    """
    refuse_control(command)
    words = command.words
    verb = verb_of(words)
    if verb in WRITES:
        raise _unproven(f"{verb.upper()} is no read", _INSTEAD.get(verb, _TO_WRITE))
    if verb not in READS:
        said = next(token.text for token in words if verb in ("", token.name))
        raise InvalidArgument(
            f'near "{said}": syntax error',
            hint="a statement that reads begins with SELECT, VALUES, WITH or EXPLAIN",
        )
    if functions is None:
        return
    for called in _called(words):
        if called not in functions:
            raise _unproven(f"nobody knows that {called}() only reads", _TO_SPELL)


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
    behind = list(said[behind_group(said, at) :][:4])
    for optional in ("not", "materialized"):
        if optional in behind[1:2]:
            del behind[1]
    return behind[:2] == ["as", "("]


def _unproven(problem: str, hint: str) -> InvalidArgument:
    return InvalidArgument(f"the statement is not proven to read: {problem}", hint=hint)
