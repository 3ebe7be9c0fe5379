"""One promise of a contract's suite, kept or broken, in the plugin's own environment."""

import asyncio
import time
import traceback
from typing import Any

from core_caps.clock import SystemClock
from core_caps.contract.codec import load
from core_caps.contract.suite import Contract, ContractViolation, World, selected

from .opening import opened

__all__ = ["keep", "promises_of"]


def promises_of(case: dict[str, Any]) -> list[str]:
    """The names of the promises that apply to what the manifest declares."""
    contract: Contract = load(case["suite"])
    chosen = selected(contract, _world(case, ""))
    return [promise.name for promise in chosen if not promise.courtesy]


async def keep(case: dict[str, Any]) -> dict[str, Any]:
    """Run one promise against a fresh provider; never raises for what the plugin does."""
    contract: Contract = load(case["suite"])
    promise = next(item for item in contract.cases if item.name == case["promise"])
    world = _world(case, f"{case['promise']}/")
    start = time.monotonic()
    try:
        async with opened(case) as provider:
            await promise.run(provider, world)
    except ContractViolation as violation:
        broken = {"promised": violation.promised, "observed": violation.observed}
    except Exception as error:
        broken = {
            "promised": "the case runs to its end",
            "observed": f"{type(error).__name__}: {error}",
            "text": "".join(traceback.format_exception(error))[-6000:],
        }
    else:
        return {"kept": True, "seconds": time.monotonic() - start}
    return {"kept": False, "seconds": time.monotonic() - start, **broken}


def _world(case: dict[str, Any], prefix: str) -> World:
    async def advance(seconds: float) -> None:
        await asyncio.sleep(seconds)  # the case's time is virtual: this is at once

    facts = case["world"]
    return World(
        backend=case["backend"],
        clock=SystemClock(),
        advance=advance,
        limits=facts["limits"],
        guarantees=facts["guarantees"],
        operations=frozenset(case["operations"]),
        reopen=lambda: opened(case),
        prefix=prefix,
    )
