"""Arithmetic on constants: what text, numbers and comparisons come to when they are known."""

import ast
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping

from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import (
    DATA,
    HOLE,
    NONE,
    UNKNOWN_DATA,
    Args,
    Atom,
    Coll,
    Const,
    Func,
    Klass,
    Obj,
    Text,
    Value,
    join,
    text,
)

__all__ = [
    "add",
    "compare",
    "concatenated",
    "constant",
    "percent",
    "plain",
    "sliced",
    "text_method",
    "texts",
    "truth",
    "unary",
]

COMBINATIONS_MAX = 24

_TEXT_METHODS = frozenset(
    words(
        "upper lower strip lstrip rstrip replace removeprefix removesuffix title "
        "capitalize swapcase casefold zfill center ljust rjust expandtabs"
    )
)
_TRUTHS = frozenset(words("startswith endswith isupper islower isdigit isalpha isidentifier"))


def constant(value: object) -> Atom:
    """The atom of a literal."""
    match value:
        case str():
            return text(value.replace(HOLE, "?"))
        case bytes():
            return text(value.decode("latin-1"), binary=True)
        case None | bool() | int() | float():
            return Const(type(value).__name__.replace("NoneType", "None"), value)
        case _:
            return DATA


def plain(atom: Atom) -> object:
    """The literal of an atom, or HOLE when it is not known."""
    match atom:
        case Const(value=value):
            return value
        case Text(pattern=pattern, binary=binary) if HOLE not in pattern:
            return pattern.encode("latin-1", "replace") if binary else pattern
        case _:
            return HOLE


def texts(value: Value) -> list[Text]:
    """Every text a value can be; what is not text is one hole."""
    found = sorted((atom for atom in value if isinstance(atom, Text)), key=lambda t: t.pattern)
    others = [atom for atom in value if not isinstance(atom, Text)]
    if others and not all(isinstance(atom, Const) and atom.nothing for atom in others):
        found.append(Text(HOLE))
    return found


def _formatted(value: Value) -> list[str]:
    """The texts a value becomes inside an f-string."""
    parts: set[str] = set()
    for atom in value:
        known = plain(atom)
        if isinstance(atom, Text) and not atom.binary:
            parts.add(atom.pattern)
        else:
            parts.add(HOLE if known is HOLE or isinstance(known, bytes) else str(known))
    return sorted(parts)


def concatenated(parts: Iterable[Value], *, binary: bool = False) -> Value:
    """The texts that parts make when they are put one after the other."""
    choices = [_formatted(part) if not binary else _bytes(part) for part in parts]
    if not all(choices):
        return frozenset()
    total = 1
    for choice in choices:
        total *= len(choice)
    if total > COMBINATIONS_MAX:
        choices = [choice if len(choice) == 1 else [HOLE] for choice in choices]
    return frozenset(text("".join(pieces), binary=binary) for pieces in itertools.product(*choices))


def _bytes(value: Value) -> list[str]:
    return sorted(
        {atom.pattern if isinstance(atom, Text) and atom.binary else HOLE for atom in value}
    )


def add(left: Value, right: Value) -> Value:
    """`left + right` where one of them is text; plain data otherwise."""
    either = [atom for atom in left | right if isinstance(atom, Text)]
    if not either:
        return UNKNOWN_DATA if left and right else frozenset()
    return concatenated((left, right), binary=either[0].binary)


def percent(template: Text, arguments: Value) -> Value:
    """`template % arguments`: every directive becomes a hole, or the one text given."""
    pieces = template.pattern.replace("%%", "\0").split("%")
    given = [atom.pattern for atom in arguments if isinstance(atom, Text)]
    single = len(pieces) == 2 and len(given) == len(arguments) == 1
    built = pieces[0]
    for piece in pieces[1:]:
        directive = piece.partition(")")[2] if piece.startswith("(") else piece
        built += (given[0] if single else HOLE) + directive.lstrip("#0123456789.-+ ")[1:]
    return frozenset({text(built.replace("\0", "%"), binary=template.binary)})


def text_method(
    receiver: Text, name: str, args: Args, ordered: Callable[[Atom], list[Value] | None]
) -> Value:
    """What a method of a known text gives; `ordered` gives the items of a sequence, if known."""
    if name in ("format", "format_map"):
        return frozenset({text(_braced(receiver.pattern, args))})
    if name == "join":
        return join(_joined(receiver, ordered(atom)) for atom in args.at(0))
    if name == "encode":
        return frozenset({Text(receiver.pattern, binary=True)})
    if name == "decode":
        return frozenset({Text(receiver.pattern, binary=False)})
    if name in _TEXT_METHODS:
        return frozenset(_applied(receiver, name, args))
    if name in _TRUTHS and receiver.exact and args.positional:
        found = {constant(result) for result in _results(receiver, name, args)}
        return frozenset(found)
    return UNKNOWN_DATA


def _joined(separator: Text, pieces: list[Value] | None) -> Value:
    if pieces is None:
        return UNKNOWN_DATA
    between: Value = frozenset({separator})
    parts = [part for piece in pieces for part in (between, piece)][1:]
    return concatenated(parts, binary=separator.binary)


def _applied(receiver: Text, name: str, args: Args) -> Iterator[Atom]:
    if not receiver.exact:
        folded = name in ("upper", "lower", "casefold") and not args.values()
        yield text(getattr(receiver.pattern, name)(), binary=receiver.binary) if folded else DATA
        return
    for result in _results(receiver, name, args):
        yield constant(result)


def _results(receiver: Text, name: str, args: Args) -> Iterator[object]:
    literal = plain(receiver)
    choices = [[plain(atom) for atom in value] for value in args.positional]
    if args.keywords or args.rest or len(choices) > 3:
        yield object()
        return
    for arguments in itertools.islice(itertools.product(*choices), COMBINATIONS_MAX):
        if HOLE in arguments or any(isinstance(x, int) and x > 200 for x in arguments):
            yield object()
            continue
        try:
            yield getattr(literal, name)(*arguments)
        except (TypeError, ValueError):
            yield object()


def _braced(template: str, args: Args) -> str:
    """`template.format(...)` with single known texts filled in and holes elsewhere."""
    built, count, rest = "", 0, template.replace("{{", "\0").replace("}}", "\1")
    while "{" in rest:
        before, _, rest = rest.partition("{")
        field, _, rest = rest.partition("}")
        name = field.split("!")[0].split(":")[0]
        if name.isdigit() or not name:
            value = args.at(int(name) if name else count)
            count += 1
        else:
            value = args.named(name)
        known = _formatted(value)
        built += before + (known[0] if len(known) == 1 and ":" not in field else HOLE)
    return (built + rest).replace("\0", "{").replace("\1", "}")


def sliced(receiver: Text, lower: object, upper: object, step: object) -> Value:
    """A slice of a known text."""
    bounds = (lower, upper, step)
    if receiver.exact and all(bound is None or isinstance(bound, int) for bound in bounds):
        try:
            return frozenset({constant(plain(receiver)[slice(*bounds)])})  # type: ignore[index]
        except (TypeError, ValueError):
            return UNKNOWN_DATA
    return UNKNOWN_DATA


def truth(value: Value) -> bool | None:
    """Whether a value is certainly true or certainly false."""
    answers = {_truth(atom) for atom in value}
    return answers.pop() if len(answers) == 1 else None


def _truth(atom: Atom) -> bool | None:
    match atom:
        case Const(kind=kind, value=value):
            return bool(value) if kind != "unset" else None
        case Text(pattern=pattern):
            return bool(pattern) if HOLE not in pattern else None
        case Func():
            return True
        case _:
            return None


def unary(operator: ast.unaryop, value: Value) -> Value:
    """`not value`, `-value` and so on."""
    if isinstance(operator, ast.Not):
        known = truth(value)
        return UNKNOWN_DATA if known is None else frozenset({constant(not known)})
    if isinstance(operator, ast.USub):
        known = {atom.value for atom in value if isinstance(atom, Const) and atom.kind == "int"}
        if len(known) == len(value) == 1:
            return frozenset({constant(-known.pop())})
    return UNKNOWN_DATA if value else frozenset()


_COMPARISONS: Mapping[type[ast.cmpop], Callable[[object, object], object]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Is: lambda left, right: left is right or left == right,
    ast.IsNot: lambda left, right: not (left is right or left == right),
}


def compare(operator: ast.cmpop, left: Value, right: Value) -> Value:
    """What a comparison of two values comes to, where both are known."""
    decide = _COMPARISONS.get(type(operator))
    if isinstance(operator, ast.Is | ast.IsNot) and _apart(left, right):
        return frozenset({constant(isinstance(operator, ast.IsNot))})
    if decide is None or len(left) * len(right) > COMBINATIONS_MAX:
        return UNKNOWN_DATA
    return join(frozenset({_compared(decide, one, other)}) for one in left for other in right)


def _apart(left: Value, right: Value) -> bool:
    """Whether one side is None and the other certainly is not."""
    for one, other in ((left, right), (right, left)):
        if one == NONE and other and all(isinstance(atom, _OBJECTS) for atom in other):
            return True
    return False


_OBJECTS = (Obj, Klass, Func, Coll, Text)


def _compared(decide: Callable[[object, object], object], one: Atom, other: Atom) -> Atom:
    first, second = plain(one), plain(other)
    if first is not HOLE and second is not HOLE:
        return constant(bool(decide(first, second)))
    return DATA
