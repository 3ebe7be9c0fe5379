"""What a function does through the capabilities that it is given."""

import textwrap
from pathlib import Path
from typing import Protocol

import pytest
from core_caps.claims.lattice import Effects
from core_caps.claims.operation import operation
from flows_registry.checks.effects.static import Derived, derive_capability_calls

pytestmark = pytest.mark.feature("P4-01", "CK-01")

READ, WRITE = "resource::kv::read", "resource::kv::write"


def calls(
    folder: Path, body: str, *, around: str = "", parameters: str = "kv: KeyValue"
) -> Derived:
    source = (
        "from core_caps.capabilities.key_value import KeyValue\n"
        f"{textwrap.dedent(around)}\n"
        f"async def node({parameters}):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
    )
    (folder / "flow.py").write_text(source)
    return derive_capability_calls(folder, "flow:node")


@pytest.mark.parametrize(
    ("body", "hints"),
    [
        ("return await kv.get('a')", {READ}),
        ("z = kv\nz.put('a', b'')", {WRITE}),
        ("for z in [kv]:\n    await z.delete('a')", {WRITE}),
        ("put = kv.put\nawait put('a', b'')", {WRITE}),
        ("await getattr(kv, 'put')('a', b'')", {WRITE}),
        ("async def go(): await kv.put('a', b'')\nawait go()", {WRITE}),
        ("if await kv.get('a') is None:\n    await kv.put('a', b'')", {READ, WRITE}),
        ("import functools as f\nawait f.partial(kv.put, 'a')(b'')", {WRITE}),
        ("await {'w': kv.put}['w']('a', b'')", {WRITE}),
        ("import asyncio\nawait asyncio.gather(*map(kv.get, ['a']))", {READ}),
        ("return 1", set()),
    ],
)
def test_the_union_of_hints_used(tmp_path: Path, body: str, hints: set[str]) -> None:
    found = calls(tmp_path, body)
    assert found.hints == hints
    assert not found.top
    assert all(sink.kind == "capability" and sink.url == "KeyValue" for sink in found.sinks)


@pytest.mark.parametrize(
    "parameters",
    [
        "kv: 'KeyValue'",
        "kv: KeyValue | None",
        "kv: 'KeyValue | None' = None",
        "*, kv: typing.Annotated[KeyValue, 'x']",
        "kv: core_caps.capabilities.key_value.KeyValue",
        "kv: Store",
    ],
)
def test_the_annotation_is_what_it_means(tmp_path: Path, parameters: str) -> None:
    around = "import typing, core_caps.capabilities.key_value\nStore = KeyValue"
    found = calls(tmp_path, "await kv.put('a', b'')", around=around, parameters=parameters)
    assert found.hints == {WRITE}


def test_a_handle_kept_in_an_object(tmp_path: Path) -> None:
    around = """
    from dataclasses import dataclass
    @dataclass
    class Stores:
        kept: KeyValue
        async def save(self): await self.kept.put("a", b"")
    """
    assert calls(tmp_path, "await s.save()", around=around, parameters="s: Stores").hints == {WRITE}


def test_a_handle_named_by_the_caller(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(
        "def node(store, x):\n    z = store\n    return z.put(x, x)\n"
    )
    found = derive_capability_calls(tmp_path, "flow:node", {"store": "KeyValue"})
    assert found.hints == {WRITE}
    assert found.effects is Effects.EFFECTFUL
    assert found.sinks[0].path == ("flow:node", "node", "z.put")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("await getattr(kv, x)('a')", "getattr with a computed name"),
        ("kv.frobnicate()", "no operation 'frobnicate'"),
        ("import somewhere\nsomewhere.take(kv)", "unknown library somewhere"),
        ("x.take(kv)", "a handle is given to a callee that is not known"),
        ("exec('kv.put()')", "exec"),
        ("locals()['k' + 'v'].put('a', b'')", "locals() gives every name in scope"),
    ],
)
def test_what_cannot_be_known_is_top(tmp_path: Path, body: str, reason: str) -> None:
    found = calls(tmp_path, body, parameters="kv: KeyValue, x")
    assert any(reason in top.reason for top in found.top), found.top
    assert found.ceiling is Effects.EFFECTFUL


class Mailbox(Protocol):
    """A capability that somebody else brings."""

    @operation("resource::queue::publish")
    async def drop(self, letter: bytes) -> None: ...


def test_a_protocol_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text("async def node(box):\n    await box.drop(b'')\n")
    found = derive_capability_calls(tmp_path, "flow:node", {"box": Mailbox}, [Mailbox])
    assert found.hints == {"resource::queue::publish"}


def test_presigning_carries_what_it_delegates(tmp_path: Path) -> None:
    found = calls(
        tmp_path,
        "return await b.presign('a')",
        around="from core_caps.capabilities.blob_store import BlobStore",
        parameters="b: BlobStore",
    )
    assert "resource::blob::write" in found.hints
    assert found.effects is Effects.EFFECTFUL


def test_one_file_is_enough(tmp_path: Path) -> None:
    calls(tmp_path, "await kv.delete('a')")
    assert derive_capability_calls(tmp_path / "flow.py", "flow:node").hints == {WRITE}


def test_a_function_that_is_not_there_is_top(tmp_path: Path) -> None:
    calls(tmp_path, "pass")
    assert derive_capability_calls(tmp_path, "flow:other").top
