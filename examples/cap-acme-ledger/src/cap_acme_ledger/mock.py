"""Acme Ledger in this process: its rules, and nothing random."""

import asyncio
from dataclasses import dataclass, field
from typing import Self

from core_caps.clock import Clock
from core_caps.errors import ClientClosed, Conflict, ContainerNotFound
from core_caps.rng import Rng

from . import rules
from .config import MockConfig
from .protocol import Account

__all__ = ["MockLedger"]


@dataclass(slots=True)
class _Store:
    accounts: dict[str, Account] = field(default_factory=dict)
    posted: dict[str, tuple[str, int, int]] = field(default_factory=dict)


_STORES: dict[str, _Store] = {}


class MockLedger:
    """The ledger as one client sees it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._store = _STORES.setdefault(config.store, _Store()) if config.store else _Store()
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def account(self, name: str) -> Account | None:
        """The account, or None where there is none."""
        await self._begin()
        return self._store.accounts.get(rules.name(name))

    async def assign(self, name: str, owner: str) -> None:
        """Give an account to an owner; a new one starts at 0 cents."""
        await self._begin()
        held = self._store.accounts.get(rules.name(name))
        self._store.accounts[name] = Account(rules.owner(owner), held.cents if held else 0)

    async def post(self, name: str, cents: int, *, idempotency_key: str) -> int:
        """Add cents to an account, once under the key; the balance after it."""
        await self._begin()
        posting = rules.name(name), rules.amount(cents)
        before = self._store.posted.get(rules.key(idempotency_key))
        if before is not None:
            if before[:2] != posting:
                raise Conflict("the idempotency key was used for another posting")
            return before[2]
        held = self._store.accounts.get(name)
        if held is None:
            raise ContainerNotFound(f"there is no account {name!r}")
        balance = held.cents + cents
        self._store.accounts[name] = Account(held.owner, balance)
        self._store.posted[idempotency_key] = (*posting, balance)
        return balance

    async def _begin(self) -> None:
        if not self._open:
            raise ClientClosed("this client is not open")
        await asyncio.sleep(0)
