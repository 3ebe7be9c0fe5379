"""The manifest says what the code does, and the plugin opens through `connect`."""

import asyncio
from typing import Any

import pytest
from core_caps import connect
from core_caps.capabilities.payments import Payments
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import claims_of
from core_caps.claims.operation import Repeat, spec_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme
from core_caps.errors import ConfigInvalid

MANIFEST = Declared.by("cap_stripe").manifest
PROVIDED = MANIFEST.capabilities["payments"]
SPEC = spec_of(Payments)

pytestmark = pytest.mark.feature("DC-01", "DC-03", "DC-04", "MW-07")
test_manifest = enrol_manifest("cap_stripe")
test_readme = enrol_readme(prints="open 1999 42\nopen 1999 42\n1\n")


@pytest.mark.feature("S4-04", "S4-08")
def test_hints_floor_the_claims_and_every_write_has_a_key() -> None:
    claims = claims_of(MANIFEST, SPEC)
    assert set(claims) == set(SPEC.operations) == set(PROVIDED.operations)
    for name, claim in claims.items():
        if name.endswith("_webhook"):
            assert claim.effects is Effects.PURE
            assert claim.hints == ("resource::clock",)
            continue
        reads = name.startswith(("get_", "list_"))
        assert claim.hints == (f"resource::payment::{'read' if reads else 'write'}",)
        assert claim.effects is (Effects.READ_ONLY if reads else Effects.EFFECTFUL)
        assert claim.determinism is Determinism.BEST_EFFORT
        if not reads:
            assert (claim.repeat, claim.key) == (Repeat.KEYED, "idempotency_key")


@pytest.mark.feature("S4-16", "MW-12")
def test_a_missing_key_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    secrets = {"webhook_secret": "whsec_canary"}

    async def main() -> None:
        async with connect(Payments, "stripe", backend="remote", secrets=secrets):
            raise AssertionError("it must not open")

    with pytest.raises(ConfigInvalid, match="api_key") as refused:
        asyncio.run(main())
    assert "canary" not in str(refused.value)


@pytest.mark.feature("S4-16", "MW-12", "MW-14")
@pytest.mark.parametrize("call", [("parse_webhook", b"{}", "t=1"), ("sign_webhook", b"{}")])
def test_without_a_webhook_secret_only_webhooks_are_refused(
    call: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRET", raising=False)
    operation, *given = call

    async def main() -> None:
        secrets = {"api_key": "sk_test_canary"}
        async with connect(Payments, "stripe", backend="remote", secrets=secrets) as payments:
            await getattr(payments, operation)(*given)

    with pytest.raises(ConfigInvalid, match="webhook_secret") as refused:
        asyncio.run(main())
    assert "whsec_" in refused.value.hint
    assert "canary" not in str(refused.value)


@pytest.mark.feature("S4-16", "MW-12")
@pytest.mark.parametrize(
    "mistaken",
    [
        {"api_key": "pk_test_canary"},
        {"api_key": "whsec_canary"},
        {"webhook_secret": "sk_test_canary"},
        {"webhook_secret": "we_canary"},
    ],
    ids=str,
)
def test_a_secret_of_another_kind_is_refused(mistaken: dict[str, str]) -> None:
    secrets = {"api_key": "rk_live_canary", "webhook_secret": "whsec_canary", **mistaken}

    async def main() -> None:
        async with connect(Payments, "stripe", backend="remote", secrets=secrets):
            raise AssertionError("it must not open")

    with pytest.raises(ConfigInvalid, match=next(iter(mistaken))) as refused:
        asyncio.run(main())
    assert "canary" not in str(refused.value)


@pytest.mark.feature("S4-16")
@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://example.com"},
        {"base_url": "https://api.stripe.com/"},
        {"timeout_seconds": 0},
        {"webhook_tolerance_seconds": 0},
        {"webhook_tolerance_seconds": True},
        {"webhook_tolerance_seconds": 86_401},
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(wrong) -> None:
    async def main() -> None:
        secrets = {"api_key": "sk_test_canary", "webhook_secret": "whsec_canary"}
        async with connect(Payments, "stripe", backend="remote", config=wrong, secrets=secrets):
            raise AssertionError("it must not open")

    with pytest.raises(ConfigInvalid, match=next(iter(wrong))) as refused:
        asyncio.run(main())
    assert "canary" not in str(refused.value)
