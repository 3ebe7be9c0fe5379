"""An operation says by what it may be repeated, and a claim tells it on."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from core_caps.calls.access import limited
from core_caps.claims.lattice import Determinism
from core_caps.claims.manifest import from_data
from core_caps.claims.manifest_shape import claims_of
from core_caps.claims.operation import (
    Repeat,
    capability,
    keys_given,
    operation,
    operations_of,
    spec_of,
)
from core_caps.errors import DeterminismTooStrong

pytestmark = pytest.mark.feature("CK-03", "DC-03")


@capability("mail", version=1)
class Mail(Protocol):
    @operation("resource::mail::write")
    async def file(self, folder: str) -> None: ...

    @operation("resource::mail::write", repeat=Repeat.KEYED, key="once")
    async def send(self, text: str, *, once: str) -> None: ...

    @operation("resource::mail::write", repeat=Repeat.KEYED)
    async def edit(self, text: str, *, if_match: str, note: str = "") -> None: ...

    @operation("resource::mail::write", repeat=Repeat.KEYED)
    async def forward(self, text: str) -> None: ...

    @operation("resource::mail::write", determinism=Determinism.NONDETERMINISTIC)
    async def draw(self) -> str: ...

    @operation("resource::mail::write", repeat=Repeat.UNSAFE, key="once")
    async def print(self, *, once: str = "") -> None: ...

    @operation("resource::mail::write", repeat=Repeat.KEYED, key="letters.once", travels=True)
    async def post(self, folder: str, letters: Sequence[object]) -> None: ...


MANIFEST: dict[str, Any] = {
    "schema": 1,
    "name": "mail",
    "hints": {"resource::mail::write": {"effects": "effectful", "determinism": "best_effort"}},
    "capabilities": {"mail": {"contract": "mail/1", "operations": list(operations_of(Mail))}},
    "backends": {"mock": {"providers": {"mail": "cap_mail.mock:Mail"}}},
}


def test_a_claim_says_what_makes_a_repeat_safe() -> None:
    claims = claims_of(from_data(MANIFEST, "mail"), spec_of(Mail))
    assert {name: claim.repeated_under for name, claim in claims.items()} == {
        "file": "nature",
        "send": "key once",
        "edit": "precondition if_match",
        "forward": "",
        "print": "",
        "post": "key letters.once",
        "draw": "nature",
    }
    assert claims["post"].travels
    assert not claims["send"].travels


def test_a_view_keeps_what_was_declared() -> None:
    class Provider:
        async def send(self, text: str, *, once: str) -> None: ...

    view = limited(Provider(), Mail)
    assert operations_of(type(view))["send"] == operations_of(Mail)["send"]


@pytest.mark.parametrize("key", ["twice", "twice.key", "self"])
def test_a_key_is_an_argument_of_the_method(key: str) -> None:
    with pytest.raises(ValueError, match=f"send has no argument '{key.partition('.')[0]}'"):

        @operation("resource::mail::write", repeat=Repeat.KEYED, key=key)
        async def send(self: object, text: str, *, once: str) -> None: ...


def test_an_operation_may_promise_less_than_its_hints_and_never_more() -> None:
    claims = claims_of(from_data(MANIFEST, "mail"), spec_of(Mail))
    assert claims["draw"].determinism is Determinism.NONDETERMINISTIC
    assert claims["file"].determinism is Determinism.BEST_EFFORT


def test_a_manifest_claims_no_more_than_its_capability_allows() -> None:
    told = {
        **MANIFEST["capabilities"]["mail"],
        "deviations": {"draw": {"determinism": "best_effort"}},
    }
    lying = from_data({**MANIFEST, "capabilities": {"mail": told}}, "mail")
    with pytest.raises(DeterminismTooStrong, match="at most nondeterministic") as refused:
        claims_of(lying, spec_of(Mail))
    assert refused.value.code == "DET302"


def letter(once: object) -> object:
    return SimpleNamespace(once=once)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "keys"),
    [
        ("send", ("text",), {"once": "k"}, ("k",)),
        ("send", ("text",), {"once": 0}, (0,)),
        ("send", ("text",), {"once": ""}, ()),
        ("send", ("text",), {"once": b""}, ()),
        ("send", ("text",), {"once": None}, ()),
        ("send", ("text",), {}, ()),
        ("file", ("folder",), {}, ()),
        ("post", ("folder", [letter("a"), letter("b")]), {}, ("a", "b")),
        ("post", ("folder",), {"letters": (letter("a"),)}, ("a",)),
        ("post", ("folder", [{"once": "a"}, {"once": b"b"}]), {}, ("a", b"b")),
        ("post", ("folder", [letter("a"), letter("")]), {}, ()),
        ("post", ("folder", [letter("a"), object()]), {}, ()),
        ("post", ("folder", []), {}, ()),
        ("post", ("folder", iter([letter("a")])), {}, ()),
        ("post", ("folder", "text"), {}, ()),
        ("post", ("folder",), {}, ()),
    ],
)
def test_a_call_is_keyed_when_each_thing_it_writes_has_a_key(
    name: str, args: tuple[object, ...], kwargs: dict[str, object], keys: tuple[object, ...]
) -> None:
    claims = claims_of(from_data(MANIFEST, "mail"), spec_of(Mail))
    assert keys_given(claims[name], args, kwargs) == keys
    assert keys_given(operations_of(Mail)[name], args, kwargs) == keys


def test_reading_the_keys_leaves_an_iterator_as_it_was() -> None:
    letters = iter([letter("a")])
    assert keys_given(operations_of(Mail)["post"], ("folder", letters), {}) == ()
    assert len(list(letters)) == 1
