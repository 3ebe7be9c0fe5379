"""Ledger: accounts and what was posted to them; a posting happens once under its key."""

from dataclasses import dataclass
from typing import Protocol

from core_caps.claims.operation import Repeat, capability, operation

__all__ = ["Account", "Ledger"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it stands.

    Attributes:
        owner: whose it is.
        cents: the sum of its postings.
    """

    owner: str
    cents: int


@capability("ledger", version=1)
class Ledger(Protocol):
    """Accounts by name: 1 to 64 of a-z, 0-9 and -."""

    @operation("resource::ledger::read")
    async def account(self, name: str) -> Account | None:
        """The account, or None where there is none."""
        ...

    @operation("resource::ledger::write")
    async def assign(self, name: str, owner: str) -> None:
        """Give an account to an owner; a new one starts at 0 cents. Twice is once."""
        ...

    @operation("resource::ledger::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def post(self, name: str, cents: int, *, idempotency_key: str) -> int:
        """Add cents to an account; the balance after it.

        The same posting under the same key again changes nothing and gives the same answer.

        Raises:
            ContainerNotFound: there is no such account; NOT_APPLIED.
            Conflict: the key was used for another posting; NOT_APPLIED.
        """
        ...
