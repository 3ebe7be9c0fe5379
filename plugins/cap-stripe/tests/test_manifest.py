"""The manifest says what the code does, and the plugin opens through `connect`."""

import asyncio
import dataclasses
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import cap_stripe
import pytest
from cap_stripe import limits
from core_caps import connect
from core_caps.capabilities.payments import Payments
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import FILE_NAME, claims_of, read
from core_caps.claims.operation import Repeat, spec_of
from core_caps.errors import ConfigInvalid, EffectTooSmall

FILE = Path(cap_stripe.__file__).parent / FILE_NAME
MANIFEST = read(FILE)
PROVIDED = MANIFEST.capabilities["payments"]
SPEC = spec_of(Payments)


@pytest.mark.feature("DC-03", "S4-04", "S4-08")
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


@pytest.mark.feature("DC-03")
def test_a_claim_that_does_not_match_its_hint_is_refused() -> None:
    lie = '\n[capabilities.payments.deviations.create_refund]\neffects = "read_only"\n'
    with pytest.raises(EffectTooSmall):
        claims_of(read(FILE.read_bytes() + lie.encode()), SPEC)


@pytest.mark.feature("DC-03")
def test_limits_are_the_codes_own() -> None:
    for name, limit in MANIFEST.limits.items():
        assert getattr(limits, name.upper()) == limit.value
        assert limit.source.startswith("https://docs.stripe.com/")
    assert set(MANIFEST.costs) == set(PROVIDED.operations)


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize("backend", MANIFEST.backends.values(), ids=lambda backend: backend.name)
def test_backends_have_the_operations_and_settings_that_are_declared(backend) -> None:
    module, _, name = backend.providers["payments"].partition(":")
    provider = getattr(importlib.import_module(module), name)
    for operation in PROVIDED.operations:
        method = getattr(provider, operation)
        assert inspect.iscoroutinefunction(method)
        assert inspect.signature(method) == inspect.signature(getattr(Payments, operation))
    fields = {field.name: field.default for field in dataclasses.fields(provider.Config)}
    assert set(backend.config) == set(fields)
    for setting in backend.config.values():
        if setting.default is not None:
            assert setting.default == fields[setting.name]


@pytest.mark.feature("DC-01", "DC-04", "MW-07")
def test_connect_opens_the_mock() -> None:
    async def main() -> str:
        async with connect(Payments, "stripe", backend="mock") as payments:
            made = await payments.create_customer(email="a@b.de", idempotency_key="k")
            return made.email

    assert asyncio.run(main()) == "a@b.de"


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


@pytest.mark.feature("DC-01")
def test_the_mock_needs_no_extra() -> None:
    heavy = ("httpx_aiohttp", "aiohttp", "pydantic")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({heavy!r}))\n"
        "import cap_stripe.plugin, cap_stripe.mock, cap_stripe.server\n"
        "assert 'core_caps.http.transports' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.feature("MW-07")
def test_readme_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(__file__).parents[1] / "README.md"
    if not readme.exists():
        pytest.skip("run from an installed wheel: the README is in the source tree")
    _, _, rest = readme.read_text().partition("```python\n")
    program, _, _ = rest.partition("```")
    exec(compile(program, str(readme), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "open 1999 42\n" * 2 + "1\n"
