"""A lease that knows when it runs out.

The service takes the acknowledgement of a lease that ran out, even where the message was handed to
somebody else meanwhile, and says nothing:
https://developers.cloudflare.com/queues/configuration/pull-consumers/#4-acknowledge-messages
So the end is sealed beside the service's own name for the lease, where the pull said how long.
"""

from typing import NamedTuple

__all__ = ["Lease", "opened", "sealed"]

_BETWEEN = "~"


class Lease(NamedTuple):
    """A lease of ours, opened.

    Attributes:
        id: the service's name for it.
        ends_at: when it runs out, in seconds since 1970; None where the queue's own setting
            decides, which only the service knows.
    """

    id: str
    ends_at: float | None

    def holds(self, now: float) -> bool:
        """Whether it has not run out, as far as is known."""
        return self.ends_at is None or now < self.ends_at


def sealed(lease_id: str, ends_at: float | None) -> str:
    """The lease as a delivery carries it."""
    end = "" if ends_at is None else str(int(ends_at * 1000))
    return f"{end}{_BETWEEN}{lease_id}"


def opened(lease: str) -> Lease | None:
    """The lease, or None where it is none of ours."""
    end, between, lease_id = lease.partition(_BETWEEN)
    if not between or not lease_id or not lease_id.isascii() or not lease_id.isprintable():
        return None
    if not end:
        return Lease(lease_id, None)
    return Lease(lease_id, int(end) / 1000) if _is_number(end) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15
