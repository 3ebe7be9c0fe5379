"""The settings of each backend, validated when they are made."""

from dataclasses import dataclass

from core_caps.http.settings import (
    Transport,
    need_connection,
    need_endpoint,
    need_identifier,
    need_token,
)
from core_caps.secret import Secret
from core_caps.settings import (
    need,
    need_flag,
    need_name,
    need_number,
    need_text,
    need_whole,
)

from cap_cloudflare_queue import limits

__all__ = ["MockConfig", "RemoteConfig"]

_SEED_MAX = 2**63 - 1
_RANGES = {
    "max_retries": (0, limits.RETRIES_MAX),
    "retry_delay_seconds": (0, limits.DELAY_SECONDS_MAX),
    "delivery_delay_seconds": (0, limits.DELAY_SECONDS_MAX),
    "visibility_timeout_seconds": (1, limits.VISIBILITY_SECONDS_MAX),
    "retention_seconds": (limits.RETENTION_SECONDS_MIN, limits.RETENTION_SECONDS_MAX),
}


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves: at least once, as the service is, and worse where it is told to.

    What goes wrong is drawn from `seed`, so that a run repeats itself.

    Attributes:
        store: clients of one process that name the same store share its queues; "" is a store of
            one's own.
        queue: the queue's name within the store.
        seed: the same seed and the same calls give the same deliveries.
        duplicate_rate: how many deliveries, of 1, leave the message for others to have, too.
        reorder: hand out what is due in any order; without it in the order in which it became due.
        lost_ack_rate: how many acknowledgements, of 1, are taken and then forgotten: the message
            comes again when its lease runs out.
        max_retries: deliveries after the first before a message is given up.
        dead_letter_queue: the queue of the store that gets what is given up; "" drops it.
        retry_delay_seconds: how long a retried message is hidden where the call does not say.
        delivery_delay_seconds: how long a sent one is.
        visibility_timeout_seconds: how long a lease holds where the pull does not say.
        retention_seconds: what is older is deleted.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    store: str = ""
    queue: str = "queue"
    seed: int = 0
    duplicate_rate: float = 0.05
    reorder: bool = True
    lost_ack_rate: float = 0.02
    max_retries: int = limits.RETRIES_DEFAULT
    dead_letter_queue: str = ""
    retry_delay_seconds: int = 0
    delivery_delay_seconds: int = 0
    visibility_timeout_seconds: int = limits.VISIBILITY_SECONDS_DEFAULT
    retention_seconds: int = limits.RETENTION_SECONDS_DEFAULT

    def __post_init__(self) -> None:
        need_text(self, "store", "dead_letter_queue")
        need_name(self, "queue")
        need(self.dead_letter_queue != self.queue, "dead_letter_queue", "another queue")
        need_number(self, "duplicate_rate", "lost_ack_rate", least=0, below=1)
        need_flag(self, "reorder")
        need_whole(self, "seed", least=-_SEED_MAX, most=_SEED_MAX)
        for name, (least, most) in _RANGES.items():
            need_whole(self, name, least=least, most=most)


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the public REST API is reached.

    The process's proxy variables and .netrc are not read: the environment cannot send the token
    elsewhere. Certificates come from the system's store, or from SSL_CERT_FILE.

    Attributes:
        account_id: the account's identifier.
        queue_id: the queue's identifier, not its name.
        api_token: a token with the scope "Queues Edit".
        base_url: where the API is; plain http only on this machine.
        timeout_seconds: the longest that one call takes, all its requests and bodies included.
        connect_timeout_seconds: the longest wait for a connection within that.
        transport: how HTTP is spoken.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105); no secret is shown.
    """

    account_id: str
    queue_id: str
    api_token: Secret
    base_url: str = "https://api.cloudflare.com/client/v4"
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        need_identifier(self, "account_id", "queue_id")
        need_token(self, "api_token")
        need_endpoint(self, "base_url")
        need_connection(self)
