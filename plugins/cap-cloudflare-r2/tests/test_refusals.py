"""What is refused before it is sent says what to do; that it is refused is the contract's rule."""

import pytest
from cap_cloudflare_r2.config import MockConfig, RemoteConfig
from cap_cloudflare_r2.mock import MockR2
from cap_cloudflare_r2.remote import RemoteR2
from core_caps import Secret, SeededRng, VirtualClock
from core_caps.contract.blob_store.arguments import wrong_calls
from core_caps.contract.suite import Stream
from core_caps.errors import InvalidArgument, Outcome

# Nobody listens there: what is not refused is Unavailable.
NOWHERE = RemoteConfig(
    account_id="a",
    bucket="bucket",
    access_key_id="k",
    secret_access_key=Secret("s"),
    base_url="http://127.0.0.1:9",
)


async def refusal_of(client, call):
    args = [item.open() if isinstance(item, Stream) else item for item in call.args]
    answer = getattr(client, call.operation)(*args, **call.kwargs)
    with pytest.raises(InvalidArgument) as refused:
        await (anext(answer) if hasattr(answer, "__anext__") else answer)
    return refused.value


@pytest.mark.feature("PH2-03")
@pytest.mark.parametrize(
    ("provider", "config"), [(MockR2, MockConfig()), (RemoteR2, NOWHERE)], ids=["mock", "remote"]
)
async def test_every_refusal_says_what_to_do(provider, config):
    async with provider(config, clock=VirtualClock(), rng=SeededRng()) as client:
        refusals = [await refusal_of(client, call) for call in wrong_calls("key")]
    assert {error.outcome for error in refusals} == {Outcome.NOT_APPLIED}
    assert [error.message for error in refusals if not error.hint] == []
