"""What the parity tests share: the real simulator, and a way to run providers in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from core_caps.contract.suite import Call, Result, Stream
from flows_registry.lab.case import ErrorFacts, Step
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.packages import MINIFLARE, fetch
from flows_registry.lab.simulators.sides import Run


@pytest.fixture(scope="session")
def simulator() -> str:
    """miniflare is on this machine; its label. Skips aloud where it cannot be."""
    node = find_node()
    if isinstance(node, Absent):
        pytest.skip(f"{node.reason}. {node.next_step}")
    installed = fetch(MINIFLARE, node=node)
    if isinstance(installed, Absent):
        pytest.skip(f"{installed.reason}. {installed.next_step}")
    return installed.label


@pytest.fixture(scope="session")
def running() -> Callable[..., Run]:
    """`running(mock=make, remote=make)`: a Run over providers in this process.

    `make(settings)` gives an async context manager: a fresh provider on an empty service, or on
    the service that the settings name.
    """

    def running(**makers: Callable[[Any], Any]) -> Run:
        def run(backend: str, histories: Sequence[Sequence[Call]], settings: Any) -> Any:
            async def all_of_them() -> list[list[Step]]:
                each = settings or [None] * len(histories)
                return [
                    await _played(makers[backend](own), calls)
                    for own, calls in zip(each, histories, strict=True)
                ]

            return asyncio.run(all_of_them())

        return run

    return running


async def _played(provider: Any, calls: Sequence[Call]) -> list[Step]:
    results: list[Any] = []
    steps: list[Step] = []
    async with contextlib.AsyncExitStack() as stack:
        if hasattr(provider, "__aenter__"):
            provider = await stack.enter_async_context(provider)
        for call in calls:
            try:
                value = await _made(provider, call, results)
            except Exception as error:
                results.append(None)
                steps.append(Step(error=_facts(error)))
            else:
                results.append(value)
                steps.append(Step(value=value))
    return steps


async def _made(provider: Any, call: Call, results: list[Any]) -> Any:
    def given(value: Any) -> Any:
        if isinstance(value, Stream):
            return value.open()
        return value.of(results) if isinstance(value, Result) else value

    pending = getattr(provider, call.operation)(
        *(given(value) for value in call.args),
        **{name: given(value) for name, value in call.kwargs.items()},
    )
    if isinstance(pending, AsyncIterator):
        return b"".join([chunk async for chunk in pending])
    return await pending


def _facts(error: Exception) -> ErrorFacts:
    outcome = getattr(error, "outcome", None)
    return ErrorFacts(
        name=type(error).__name__,
        code=getattr(error, "code", None),
        outcome=getattr(outcome, "value", None),
        message=str(error),
        ancestors=tuple(
            f"{cls.__module__}:{cls.__qualname__}"
            for cls in type(error).__mro__
            if cls.__module__.startswith("core_caps")
        ),
    )
