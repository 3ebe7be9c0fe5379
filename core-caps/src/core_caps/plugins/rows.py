"""`typing.NamedTuple` for the few modules that every start of a command reads, without typing.

Importing typing takes a third of the time that Python itself takes to start.
"""

from operator import itemgetter

__all__ = ["NamedTuple"]


class NamedTuple(tuple[object, ...]):
    """A tuple whose fields are the annotations of its class, in order, all required."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        for index, name in enumerate(cls._fields):
            setattr(cls, name, property(itemgetter(index)))

    def __new__(cls, *values: object, **named: object) -> "NamedTuple":
        """The row of these values.

        Raises:
            TypeError: a field is missing, given twice or unknown.
        """
        rest = cls._fields[len(values) :]
        if len(values) > len(cls._fields) or named.keys() != set(rest):
            raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
        return super().__new__(cls, (*values, *(named[name] for name in rest)))

    def __getnewargs__(self) -> tuple[object, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        fields = zip(self._fields, self, strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"
