"""How long the service asks to wait."""

import email.utils

__all__ = ["wait"]


def wait(header: str | None, now: float) -> float | None:
    """The wait that a Retry-After header asks for, in seconds."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
    except ValueError:
        return None
