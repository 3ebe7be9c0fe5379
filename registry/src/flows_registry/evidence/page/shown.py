"""Numbers as people write them."""

__all__ = ["amount", "number", "seconds", "size"]


def amount(count: int, thing: str) -> str:
    """`1 check`, `2 checks`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def number(value: float) -> str:
    """At most two digits behind the point, and none where they say nothing."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def seconds(value: float) -> str:
    """A duration in the unit that fits."""
    if value >= 48 * 3600:
        return f"{number(round(value / 86400, 1))} days"
    if value >= 3600:
        return f"{number(round(value / 3600, 1))} h"
    if value >= 120:
        return f"{number(round(value / 60, 1))} min"
    if value >= 1 or value == 0:
        return f"{number(round(value, 1))} s"
    if value >= 0.001:
        return f"{number(round(value * 1000, 1))} ms"
    return f"{number(round(value * 1_000_000))} µs"


def size(value: float) -> str:
    """A number of bytes in the unit that fits."""
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{number(round(value, 1))} {unit}"
        value /= 1000
    return f"{number(round(value, 1))} GB"
