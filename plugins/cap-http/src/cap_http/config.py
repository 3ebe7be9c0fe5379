"""The settings of each backend, validated when they are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from core_caps.errors import ConfigInvalid, EgressRefused
from core_caps.settings import need_flag, need_seconds, need_text, need_whole

from cap_http.egress import Egress, hosts_of, networks_of
from cap_http.routes import Routes, routes_of
from cap_http.urls import parsed

__all__ = ["MockConfig", "RemoteConfig"]

_Item = TypeVar("_Item")

REDIRECTS_MAX = 20
REQUEST_SIZE_BYTES_MAX = 16 * 1024 * 1024
"""Unless the binding says otherwise."""
SIZE_BYTES_MAX = 1 << 40

HOSTS_HINT = "name each host with its port, as in `api.example.com:443, files.example.com:8443`"
NETWORKS_HINT = "write networks and addresses, as in `10.1.0.0/16, 127.0.0.1`"
ROUTES_HINT = 'write JSON, as in {"GET https://api.example.com/a": {"status": 200, "body": "text"}}'


@dataclass(frozen=True, slots=True)
class MockConfig:
    """A web in this process's memory: a site that keeps what is put, and declared answers.

    Attributes:
        hosts: where requests may go, as `host:port`, separated by commas.
        plain_http: http:// is allowed, too.
        redirects_max: how many redirects of one read are followed; 0 makes each an answer.
        request_size_bytes_max: the largest content that is sent.
        store: clients of one process that name the same store share its site; "" is a site of
            one's own.
        routes: answers that are declared, as JSON: see `cap_http.routes`.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105).
    """

    hosts: str = "site.example:443, second.example:443"
    plain_http: bool = False
    redirects_max: int = 5
    request_size_bytes_max: int = REQUEST_SIZE_BYTES_MAX
    store: str = ""
    routes: str = ""

    def __post_init__(self) -> None:
        need_text(self, "store", "hosts", "routes")
        _need_bounds(self, "request_size_bytes_max")
        _ = self.egress, self.declared

    @property
    def egress(self) -> Egress:
        """What is allowed."""
        return Egress(_read(hosts_of, self.hosts, "hosts", HOSTS_HINT), self.plain_http)

    @property
    def declared(self) -> Routes:
        """The answers that are declared."""

        def reachable(text: str) -> Routes:
            routes = routes_of(text)
            for _, url in routes:
                self.egress.check(parsed(url))
            return routes

        return _read(reachable, self.routes, "routes", ROUTES_HINT)


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """Where requests may go, and how long and how large an answer may be.

    The process's proxy variables and .netrc are not read. Certificates come from the system's
    store, or from SSL_CERT_FILE.

    Attributes:
        hosts: where requests may go, as `host:port`, separated by commas.
        private_networks: networks and addresses that are not public and may be reached
            nevertheless, separated by commas: `10.1.0.0/16, 127.0.0.1`.
        plain_http: http:// is allowed, too.
        redirects_max: how many redirects of one read are followed; 0 makes each an answer.
        request_size_bytes_max: the largest content that is sent.
        body_size_bytes_max: the largest content that is given whole.
        stream_size_bytes_max: the largest that is streamed.
        timeout_seconds: the longest that one call waits, all its redirects and content included.
        connect_timeout_seconds: the longest wait for a connection within that.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105).
    """

    hosts: str
    private_networks: str = ""
    plain_http: bool = False
    redirects_max: int = 5
    request_size_bytes_max: int = REQUEST_SIZE_BYTES_MAX
    body_size_bytes_max: int = 16 * 1024 * 1024
    stream_size_bytes_max: int = 1024 * 1024 * 1024
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        need_text(self, "hosts", "private_networks")
        sizes = "request_size_bytes_max", "body_size_bytes_max", "stream_size_bytes_max"
        _need_bounds(self, *sizes)
        need_seconds(self, "timeout_seconds", "connect_timeout_seconds")
        _ = self.egress

    @property
    def egress(self) -> Egress:
        """What is allowed."""
        return Egress(
            _read(hosts_of, self.hosts, "hosts", HOSTS_HINT),
            self.plain_http,
            _read(networks_of, self.private_networks, "private_networks", NETWORKS_HINT),
        )


def _read(read: Callable[[str], _Item], text: str, setting: str, hint: str) -> _Item:
    try:
        return read(text)
    except (ValueError, EgressRefused) as problem:
        shown = problem.message if isinstance(problem, EgressRefused) else problem
    raise ConfigInvalid(f"the setting {setting} cannot be used: {shown}", hint=hint)


def _need_bounds(config: MockConfig | RemoteConfig, *sizes: str) -> None:
    need_flag(config, "plain_http")
    need_whole(config, "redirects_max", least=0, most=REDIRECTS_MAX)
    need_whole(config, *sizes, least=1, most=SIZE_BYTES_MAX)
