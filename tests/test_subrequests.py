"""What the manifest says an operation costs in requests is what it sends.

A Worker may make 50 of them on a free plan and 1000 on a paid one: who plans with that needs the
number, and a client that quietly sends more breaks a flow that worked on a laptop.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from core_caps import connect
from core_caps.capabilities.known import KNOWN
from core_caps.claims.manifest import Backend, Provided
from core_caps.contract.codec import load
from core_caps.contract.declared import Declared
from core_caps.contract.reference import Request
from core_caps.contract.suite import Call, Exercise, Result, Stream
from core_caps.http.testing import Script
from flows_registry.lab.references.known import reference_factory

pytestmark = pytest.mark.feature("CW-14")

PLUGINS = ("d1", "do", "kv", "queue", "r2")
SUBREQUESTS_MAX = 50
"""Of a Worker on the free plan: https://developers.cloudflare.com/workers/platform/limits/"""

AT_MOST = {"get_many"}
"""It costs so much at most: a request for each value that is no text, whatever the others are."""

IN_PARTS = "put stream in parts"


@dataclass(frozen=True)
class Remote:
    """A plugin's capability as its backend `remote` serves it."""

    plugin: Declared
    provided: Provided

    def __str__(self) -> str:
        return f"{self.plugin.manifest.name}-{self.provided.name}"

    @property
    def backend(self) -> Backend:
        return self.plugin.manifest.backends["remote"]

    @property
    def exercises(self) -> Sequence[Exercise]:
        found: Sequence[Exercise] = load(KNOWN[self.provided.contract].suite).exercises
        return [each for each in found if each.call.operation in self.provided.operations]

    def settings(self, url: str) -> tuple[dict[str, Any], dict[str, str]]:
        """The manifest's own examples and made-up secrets, for the service at that address."""
        config, secrets = {}, {}
        for name, setting in self.backend.config.items():
            if setting.type == "secret":
                secrets[name] = f"canary-{name}"
            elif setting.endpoint:
                config[name] = url
            elif setting.example is not None:
                config[name] = setting.example
        return config, secrets


def remotes() -> Iterator[Remote]:
    for name in PLUGINS:
        plugin = Declared.by(f"cap_cloudflare_{name}")
        yield from (Remote(plugin, each) for each in plugin.manifest.capabilities.values())


@asynccontextmanager
async def answering(remote: Remote) -> AsyncGenerator[Script]:
    """The vendor's reference behind a port; it notes the requests that come."""
    factory = reference_factory(str(remote.backend.wire))
    assert factory is not None
    reference = factory.create(*remote.settings(""), lambda: 0.0)

    async def answer(writer: asyncio.StreamWriter) -> None:
        came = script.requests[-1]
        headers = tuple(came.headers.items())
        host = came.headers["host"].partition(":")[0]
        told = reference.handle(Request(came.method, host, came.target, headers, came.body))
        head = [f"HTTP/1.1 {told.status} Status", f"content-length: {len(told.body)}"]
        head += [f"{name}: {value}" for name, value in told.headers]
        body = b"" if came.method == "HEAD" else told.body
        writer.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        await writer.drain()

    script = Script([answer])
    async with script.running():
        yield script


async def made(provider: Any, call: Call, results: list[Any]) -> None:
    """Make a call and note its result."""

    def given(value: object) -> Any:
        if isinstance(value, Result):
            return value.of(results)
        return value.open() if isinstance(value, Stream) else value

    named = {name: given(value) for name, value in call.kwargs.items()}
    pending = getattr(provider, call.operation)(*map(given, call.args), **named)
    if hasattr(pending, "__aiter__"):
        results.append([chunk async for chunk in pending])
    else:
        results.append(await pending)


async def sent_by(remote: Remote, exercise: Exercise) -> int:
    """How many requests the call of an exercise makes."""
    results: list[Any] = []
    async with answering(remote) as script:
        config, secrets = remote.settings(script.url)
        name, protocol = remote.plugin.manifest.name, remote.plugin.protocol(remote.provided)
        opened = connect(protocol, name, backend="remote", config=config, secrets=secrets)
        async with opened as provider:
            for call in exercise.setup:
                await made(provider, call, results)
            before = len(script.requests)
            await made(provider, exercise.call, results)
            return len(script.requests) - before


@pytest.mark.parametrize("remote", list(remotes()), ids=str)
async def test_an_operation_sends_what_it_costs(remote: Remote) -> None:
    sent = dict.fromkeys(remote.provided.operations, 0)
    for exercise in remote.exercises:
        if exercise.name != IN_PARTS:
            operation = exercise.call.operation
            sent[operation] = max(sent[operation], await sent_by(remote, exercise))
    costs = {name: remote.plugin.manifest.costs[name]["requests"] for name in sent}
    assert {name for name, cost in costs.items() if sent[name] > cost} == set()
    assert {name for name, cost in costs.items() if sent[name] < cost} <= AT_MOST


async def test_of_a_longer_stream_each_part_is_a_request() -> None:
    (remote,) = (each for each in remotes() if each.provided.name == "blob")
    (exercise,) = (each for each in remote.exercises if each.name == IN_PARTS)
    assert await sent_by(remote, exercise) in (2 + 2, 2 + 3)


def test_what_a_free_worker_cannot_afford_is_known_from_the_manifests() -> None:
    costs = {
        name: remote.plugin.manifest.costs[name]["requests"]
        for remote in remotes()
        for name in remote.provided.operations
    }
    assert {name for name, cost in costs.items() if cost > SUBREQUESTS_MAX} == AT_MOST
