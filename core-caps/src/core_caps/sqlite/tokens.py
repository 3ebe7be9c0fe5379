"""A statement's tokens, as SQLite sees them; what it would see otherwise is refused.

Tokens: https://www.sqlite.org/lang_expr.html and tokenize.c of its source.
"""

import re
from typing import NamedTuple

from core_caps.errors import InvalidArgument

__all__ = ["Token", "need_utf8", "tokens_of"]

_TOKEN = re.compile(
    r"""
      (?P<blank>    [ \t\n\f\r\ufeff]+ | --[^\n]* | /\*(?:.*?\*/|.*\Z) )
    | (?P<string>   '(?:[^']|'')*' )
    | (?P<quoted>   "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
    | (?P<word>     [A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]* )
    | (?P<number>   [0-9][\w$.\x80-\U0010ffff]* )
    | (?P<place>    \$[1-9][0-9]*(?![\w$\x80-\U0010ffff]) )
    | (?P<foreign>  \?[0-9]* | [$:@\#][\w$\x80-\U0010ffff]+ )
    | (?P<end>      ; )
    | (?P<sign>     [-+*/%<>=!|&~,.()] )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Token(NamedTuple):
    """A piece of a statement.

    Attributes:
        kind: "blank", "string", "quoted" (a name), "word", "number", "place" (of a parameter),
            "end" or "sign".
    """

    kind: str
    text: str

    @property
    def name(self) -> str:
        """What a word or a quoted name names, in lower case; "" for everything else."""
        if self.kind == "word":
            return self.text.lower()
        if self.kind != "quoted":
            return ""
        mark = self.text[-1]
        return self.text[1:-1].replace(mark * 2, mark).lower()

    @property
    def place(self) -> int:
        """The number of a parameter's place."""
        return int(self.text[1:])


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, blanks and comments included.

    Raises:
        InvalidArgument: a quote is not closed, something is no SQL at all, or a parameter is not
            numbered `$1`, `$2`, …; NOT_APPLIED.
    """
    need_utf8(text, "a statement")
    found: list[Token] = []
    at = 0
    while at < len(text):
        matched = _TOKEN.match(text, at)
        if matched is None:
            raise InvalidArgument(f"unrecognized token {text[at]!r}", hint="close every quote")
        assert matched.lastgroup is not None
        found.append(Token(matched.lastgroup, matched[0]))
        if matched.lastgroup == "foreign":
            raise InvalidArgument(
                f"{matched[0]} is no parameter here", hint="number parameters: $1, $2, …"
            )
        at = matched.end()
    return found


def need_utf8(text: str, what: str) -> None:
    """Refuse text that not every database keeps as it is.

    Raises:
        InvalidArgument: it holds a NUL, or has no UTF-8 form; NOT_APPLIED.
    """
    if "\0" in text:
        raise InvalidArgument(
            f"{what} has a NUL inside, which no database keeps", hint="pass it as bytes"
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{what} has no UTF-8 form", hint="pass it as bytes") from error
