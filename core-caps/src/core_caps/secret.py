"""A secret that does not print: the one way a credential travels through this code."""

__all__ = ["Secret"]


class Secret:
    """Text that shows itself only to `reveal`; printing, formatting and repr give dots.

    Two secrets are equal when their texts are; a secret never equals plain text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Hide the text.

        Raises:
            TypeError: it is no text; what it is is not shown.
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a secret is text, not {type(text).__name__}")
        self._text = text

    def reveal(self) -> str:
        """The text itself; call it only where it is sent."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled")
