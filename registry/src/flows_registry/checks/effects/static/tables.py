"""Tables of names, written as text: one name after the other."""

__all__ = ["words"]


def words(names: str) -> tuple[str, ...]:
    """The names in a text, in order."""
    return tuple(names.split())
