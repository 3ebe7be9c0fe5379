"""What is refused before it is sent says what to do; that it is refused is the contract's rule."""

import pytest
from cap_cloudflare_d1.config import MockConfig, RemoteConfig
from cap_cloudflare_d1.mock import MockSql
from cap_cloudflare_d1.remote import RemoteSql
from core_caps import Secret, SeededRng, VirtualClock
from core_caps.contract.sql_database.arguments import wrong_calls
from core_caps.errors import InvalidArgument, Outcome

# Nobody listens there: what is not refused is Unavailable.
NOWHERE = RemoteConfig(
    account_id="a", database_id="d", api_token=Secret("t"), base_url="http://127.0.0.1:9/v4"
)


async def refusal_of(client, call):
    with pytest.raises(InvalidArgument) as refused:
        await getattr(client, call.operation)(*call.args, **call.kwargs)
    return refused.value


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize(
    ("provider", "config"),
    [(MockSql, MockConfig()), (RemoteSql, NOWHERE)],
    ids=["mock", "remote"],
)
async def test_every_refusal_says_what_to_do(provider, config):
    async with provider(config, clock=VirtualClock(), rng=SeededRng()) as client:
        refusals = [await refusal_of(client, call) for call in wrong_calls()]
    assert {error.outcome for error in refusals} == {Outcome.NOT_APPLIED}
    assert [error.message for error in refusals if not error.hint] == []
