"""A reader of plain TOML, for listings: reading all of TOML costs more than the rest of a start.

It reads what manifests are usually written in and nothing else: one-line strings without escapes,
numbers, booleans, arrays, inline tables, tables. On anything else, and on every error, it gives
up, and the caller reads the file with tomllib. What it does read, it reads as tomllib does.
"""

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["Unusual", "is_a", "plain_toml"]

_BLANK = " \t"
_ENDS = "#,]}"


class Unusual(Exception):
    """This is no plain TOML: let tomllib read it."""


def is_a(value: object, kind: type) -> bool:
    """As isinstance; checkers narrow by that what is plain data of any shape."""
    return isinstance(value, kind)


def plain_toml(text: str) -> "dict[str, Any]":
    """The tables of a plain TOML document.

    Raises:
        Unusual: it is not plain, or not TOML at all.
    """
    if not text.isprintable() and _strange(text):
        raise Unusual
    root: dict[str, Any] = {}
    table, headed = root, {id(root)}
    lines = iter(text.split("\n"))
    for raw in lines:
        line = raw.strip(_BLANK)
        if not line or line[0] == "#":
            continue
        if line[0] == "[":
            table = _headed(root, line, headed)
            continue
        key, equals, rest = line.partition("=")
        if not equals:
            raise Unusual
        value, end = _value(rest := _joined(rest, lines), _skip(rest, 0))
        _check_end(rest, end)
        _put(table, key, value)
    return root


def _strange(text: str) -> bool:
    """Whether there are control characters, which TOML forbids, or line ends of another kind."""
    return any(not letter.isprintable() and letter not in "\n\t" for letter in text)


def _headed(root: "dict[str, Any]", line: str, headed: "set[int]") -> "dict[str, Any]":
    """The table that a header begins."""
    rows = line.startswith("[[")
    closing = "]]" if rows else "]"
    inner, found, rest = line[2 if rows else 1 :].partition(closing)
    if not found:
        raise Unusual
    _check_end(rest, 0)
    *path, last = _path(inner)
    table = _below(root, path)
    if rows:
        array: Any = table.setdefault(last, [])
        if not is_a(array, list) or (array and id(array) not in headed):
            raise Unusual
        headed.add(id(array))
        row: dict[str, Any] = {}
        array.append(row)
        return row
    begun: Any = table.setdefault(last, {})
    # A table that is there already has only tables in it, or it was begun before.
    if not is_a(begun, dict) or id(begun) in headed or not _only_tables(begun):
        raise Unusual
    headed.add(id(begun))
    return begun


def _below(table: "dict[str, Any]", path: "list[str]") -> "dict[str, Any]":
    """The table at the path, made where it is not there."""
    for part in path:
        found: Any = table.setdefault(part, {})
        if not is_a(found, dict):
            raise Unusual
        table = found
    return table


def _only_tables(table: "dict[str, Any]") -> bool:
    return all(isinstance(each, dict) for each in table.values())


def _joined(rest: str, lines: "Iterator[str]") -> str:
    """The value's text, with the following lines where an array runs on."""
    if '"""' in rest or "'''" in rest or "\\" in rest:
        raise Unusual
    if rest.lstrip(_BLANK)[:1] != "[":
        return rest
    joined = _uncommented(rest)
    while joined.count("[") > joined.count("]"):
        following = next(lines, None)
        if following is None or "\\" in following or '"""' in following or "'''" in following:
            raise Unusual
        joined += " " + _uncommented(following)
    return joined


def _uncommented(line: str) -> str:
    """The line without its comment, where that is plain to see."""
    if "#" not in line:
        return line
    before, _, _ = line.partition("#")
    if before.count('"') % 2 or before.count("'"):
        raise Unusual
    return before


def _put(table: "dict[str, Any]", key: str, value: object) -> None:
    *path, last = _path(key)
    table = _below(table, path)
    if last in table:
        raise Unusual
    table[last] = value


def _path(dotted: str) -> "list[str]":
    parts = [part.strip(_BLANK) for part in dotted.split(".")]
    for part in parts:
        bare = part.replace("-", "").replace("_", "")
        if not part or not part.isascii() or (bare and not bare.isalnum()):
            raise Unusual
    return parts


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _check_end(text: str, at: int) -> None:
    rest = text[at:].lstrip(_BLANK)
    if rest and rest[0] != "#":
        raise Unusual


def _value(text: str, at: int) -> "tuple[Any, int]":
    """The value that begins at `at`, and where it ends."""
    first = text[at : at + 1]
    if first in ('"', "'"):
        end = text.find(first, at + 1)
        if not first or end < 0:
            raise Unusual
        return text[at + 1 : end], end + 1
    if first == "[":
        return _array(text, at + 1)
    if first == "{":
        return _inline(text, at + 1)
    end = at
    while end < len(text) and text[end] not in _ENDS and text[end] not in _BLANK:
        end += 1
    return _word(text[at:end]), end


def _word(word: str) -> object:
    if word in ("true", "false"):
        return word == "true"
    whole, point, fraction = word.partition(".")
    digits = whole.replace("_", "")
    if not digits.isascii() or not digits.isdigit() or (len(digits) > 1 and digits[0] == "0"):
        raise Unusual
    if "__" in whole or whole[0] == "_" or whole[-1] == "_":
        raise Unusual
    if not point:
        return int(digits)
    if not fraction.isascii() or not fraction.isdigit():
        raise Unusual
    return float(f"{digits}.{fraction}")


def _array(text: str, at: int) -> "tuple[list[Any], int]":
    values: list[Any] = []
    at = _skip(text, at)
    while text[at : at + 1] != "]":
        value, at = _value(text, at)
        values.append(value)
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise Unusual
    return values, at + 1


def _inline(text: str, at: int) -> "tuple[dict[str, Any], int]":
    table: dict[str, Any] = {}
    at = _skip(text, at)
    if text[at : at + 1] == "}":
        return table, at + 1
    while True:
        equals = text.find("=", at)
        if equals < 0:
            raise Unusual
        value, end = _value(text, _skip(text, equals + 1))
        key = text[at:equals]
        if "." in key:
            raise Unusual
        _put(table, key, value)
        at = _skip(text, end)
        if text[at : at + 1] == "}":
            return table, at + 1
        if text[at : at + 1] != ",":
            raise Unusual
        at = _skip(text, at + 1)
