"""What every provider of ledger/1 promises, ways to use it, and what a perfect one would answer."""

import random
from collections.abc import Sequence

from core_caps.claims.operation import spec_of
from core_caps.contract.suite import (
    Call,
    Contract,
    Exercise,
    World,
    expect,
    expect_error,
    promise,
)
from core_caps.errors import Conflict, ContainerNotFound, InvalidArgument

from .protocol import Account, Ledger

__all__ = ["CONTRACT"]


@promise("account")
async def an_absent_account_is_none(ledger: Ledger, world: World) -> None:
    """Nobody opened it: None, and no error."""
    found = await ledger.account(_name(world, "absent"))
    expect("an absent account is None", found is None, found)


@promise("account", "assign")
async def an_account_belongs_to_its_last_owner(ledger: Ledger, world: World) -> None:
    """Assigning twice is assigning once; the balance stays."""
    name = _name(world, "owner")
    for owner in ("Ada", "Grace Ö.", "Grace Ö."):
        await ledger.assign(name, owner)
    found = await ledger.account(name)
    expect("the last owner stands", found == Account("Grace Ö.", 0), found)


@promise("account", "assign", "post")
async def a_posting_happens_once_under_its_key(ledger: Ledger, world: World) -> None:
    """The same again changes nothing and answers the same, also later."""
    name = _name(world, "once")
    await ledger.assign(name, "Ada")
    answers = [await ledger.post(name, 500, idempotency_key=f"{name}-a") for _ in range(2)]
    answers.append(await ledger.post(name, -200, idempotency_key=f"{name}-b"))
    answers.append(await ledger.post(name, 500, idempotency_key=f"{name}-a"))
    expect("a repeat gives the first answer", answers == [500, 500, 300, 500], answers)
    found = await ledger.account(name)
    expect("and changes nothing", found == Account("Ada", 300), found)


@promise("assign", "post")
async def a_key_names_one_posting(ledger: Ledger, world: World) -> None:
    """Another amount under the same key is a mistake, and is told."""
    name = _name(world, "clash")
    await ledger.assign(name, "Ada")
    await ledger.post(name, 1, idempotency_key=f"{name}-a")
    await expect_error(
        Conflict,
        "a key that was used for another posting is refused",
        ledger.post(name, 2, idempotency_key=f"{name}-a"),
    )


@promise("account", "assign", "post")
async def what_cannot_be_is_refused(ledger: Ledger, world: World) -> None:
    """A name in capitals, no owner, no amount, no key, no account: nothing happens."""
    name = _name(world, "refused")
    for call in (
        ledger.account("Capital"),
        ledger.assign(name, ""),
        ledger.post(name, 0, idempotency_key="k"),
        ledger.post(name, 1, idempotency_key=""),
    ):
        await expect_error(InvalidArgument, "an argument that cannot be is refused", call)
    await expect_error(
        ContainerNotFound,
        "a posting needs an account",
        ledger.post(name, 1, idempotency_key=f"{name}-k"),
    )


class Model:
    """What a perfect ledger would answer."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._posted: dict[str, tuple[str, int, int]] = {}

    def apply(self, call: Call) -> object:
        """The answer, comparable."""
        return getattr(self, f"_{call.operation}")(*call.args, **call.kwargs)

    def state(self) -> object:
        """Every account."""
        return dict(sorted(self._accounts.items()))

    def _account(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def _assign(self, name: str, owner: str) -> None:
        held = self._accounts.get(name, Account(owner, 0))
        self._accounts[name] = Account(owner, held.cents)

    def _post(self, name: str, cents: int, *, idempotency_key: str) -> int:
        before = self._posted.get(idempotency_key)
        if before is not None and before[:2] != (name, cents):
            raise Conflict("the key was used for another posting")
        if before is not None:
            return before[2]
        if name not in self._accounts:
            raise ContainerNotFound(name)
        held = self._accounts[name]
        self._accounts[name] = Account(held.owner, held.cents + cents)
        self._posted[idempotency_key] = (name, cents, held.cents + cents)
        return held.cents + cents


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """Few accounts and few keys, so that calls meet."""
    return [
        _call(source, source.choice(("account", "assign", "post", "post"))) for _ in range(length)
    ]


def _call(source: random.Random, operation: str) -> Call:
    name = source.choice(("savings", "rent"))
    match operation:
        case "account":
            return Call("account", (name,))
        case "assign":
            return Call("assign", (name, source.choice(("Ada", "Grace"))))
        case _:
            cents, key = source.choice((100, -30)), f"key-{source.randrange(8)}"
            return Call("post", (name, cents), {"idempotency_key": key})


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Every account that the calls name."""
    return [Call("account", (name,)) for name in dict.fromkeys(call.args[0] for call in calls)]


def _name(world: World, name: str) -> str:
    return (world.prefix + name).lower().replace("_", "-").replace("/", "-")[-64:]


_ADA = Call("assign", ("savings", "Ada"))
_POST = Call("post", ("savings", 500), {"idempotency_key": "first"})
_LOOK = (Call("account", ("savings",)),)

CONTRACT = Contract(
    Ledger,
    spec_of(Ledger),
    cases=(
        an_absent_account_is_none,
        an_account_belongs_to_its_last_owner,
        a_posting_happens_once_under_its_key,
        a_key_names_one_posting,
        what_cannot_be_is_refused,
    ),
    exercises=(
        Exercise("account", Call("account", ("savings",)), (_ADA, _POST)),
        Exercise("account absent", Call("account", ("savings",))),
        Exercise("assign", _ADA, (), _LOOK),
        Exercise("assign again", Call("assign", ("savings", "Grace")), (_ADA, _POST), _LOOK),
        Exercise("post", _POST, (_ADA,), _LOOK),
    ),
    generate=generate,
    model=Model,
    read_back=read_back,
)
