"""An operation says by what it may be repeated, and a claim tells it on."""

from typing import Protocol

import pytest
from core_caps.calls.access import limited
from core_caps.claims.manifest import from_data
from core_caps.claims.manifest_shape import claims_of
from core_caps.claims.operation import Repeat, capability, operation, operations_of, spec_of

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

    @operation("resource::mail::write", repeat=Repeat.UNSAFE, key="once")
    async def print(self, *, once: str = "") -> None: ...


MANIFEST = {
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
    }


def test_a_view_keeps_what_was_declared() -> None:
    class Provider:
        async def send(self, text: str, *, once: str) -> None: ...

    view = limited(Provider(), Mail)
    assert operations_of(type(view))["send"] == operations_of(Mail)["send"]


@pytest.mark.parametrize("key", ["twice", "text"])
def test_a_key_is_a_keyword_argument_of_the_method(key: str) -> None:
    with pytest.raises(ValueError, match=f"send has no keyword argument '{key}'"):

        @operation("resource::mail::write", repeat=Repeat.KEYED, key=key)
        async def send(self: object, text: str, *, once: str) -> None: ...
