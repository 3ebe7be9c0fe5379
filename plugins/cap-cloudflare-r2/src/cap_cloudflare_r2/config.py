"""The settings of each backend, validated where they are made."""

import re
from dataclasses import dataclass

from core_caps.http.settings import need_endpoint
from core_caps.secret import Secret
from core_caps.settings import (
    need,
    need_choice,
    need_match,
    need_seconds,
    need_secret,
    need_text,
    need_whole,
)

from cap_cloudflare_r2.limits import PART_SIZE_BYTES_MAX, PART_SIZE_BYTES_MIN

__all__ = ["MockConfig", "RemoteConfig"]

_MIB = 1024 * 1024
_WHERE = "copy it from the R2 API token, under 'S3 credentials'"

# https://developers.cloudflare.com/r2/buckets/create-buckets/#bucket-naming
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")
_KEY_ID = re.compile(r"[!-~]+")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class MockConfig:
    """Settings of the in-process bucket.

    Attributes:
        bucket: the bucket's name.
        store: clients with the same name share one bucket in this process; an empty name is a
            bucket of one's own.
        part_size_bytes: streams larger than this get the etag of a multipart upload.
    """

    bucket: str = "mock-bucket"
    store: str = ""
    part_size_bytes: int = 8 * _MIB

    def __post_init__(self) -> None:
        need_text(self, "store")
        _need_storage(self)


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """Settings of R2 over its S3 API.

    Attributes:
        account_id: the Cloudflare account's id.
        bucket: the bucket's name.
        access_key_id: the public half of the R2 API token's S3 credentials.
        secret_access_key: the secret half.
        session_token: goes with temporary credentials only.
        base_url: the S3 endpoint without the bucket; empty is the account's own.
        region: what the signature names; R2's is `auto`.
        addressing: `path` (…/bucket/key) or `virtual` (bucket.…/key).
        ca_bundle: a file of additional trusted certificates; empty trusts the system's.
        connect_timeout_seconds: for one connection, TLS included.
        timeout_seconds: for one whole request, body included; of a stream, for each chunk.
        abort_timeout_seconds: how long a failed or cancelled upload is cleaned up at most.
        part_size_bytes: streams larger than this are sent in parts of this size.
        parts_in_flight: parts of one upload sent at the same time.
        threads: requests of this client at the same time.
    """

    account_id: str
    bucket: str
    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None = None
    base_url: str = ""
    region: str = "auto"
    addressing: str = "path"
    ca_bundle: str = ""
    connect_timeout_seconds: float = 10.0
    timeout_seconds: float = 60.0
    abort_timeout_seconds: float = 3.0
    part_size_bytes: int = 8 * _MIB
    parts_in_flight: int = 3
    threads: int = 8

    def __post_init__(self) -> None:
        _need_storage(self)
        self._need_address()
        self._need_credentials()
        need_text(self, "ca_bundle")
        need_seconds(self, "connect_timeout_seconds", "timeout_seconds", "abort_timeout_seconds")
        need_whole(self, "parts_in_flight", "threads", least=1, most=64)

    def _need_address(self) -> None:
        where = "copy it from the dashboard"
        need_match(self, "account_id", pattern=_LABEL, form="an account's id", hint=where)
        need_choice(self, "addressing", "path", "virtual")
        need_match(self, "region", pattern=_REGION, form="a region; R2's is auto")
        if self.base_url != "":
            need_endpoint(self, "base_url")

    def _need_credentials(self) -> None:
        need_match(self, "access_key_id", pattern=_KEY_ID, form="printable ASCII", hint=_WHERE)
        need_secret(self, "secret_access_key")
        given = self.secret_access_key.reveal().strip() != ""
        need(given, "secret_access_key", "text", hint=_WHERE)

    @property
    def endpoint(self) -> str:
        """The S3 endpoint, without a slash at its end."""
        address = self.base_url or f"https://{self.account_id}.r2.cloudflarestorage.com"
        return address.rstrip("/")


def _need_storage(config: MockConfig | RemoteConfig) -> None:
    form = "3 to 63 lower-case letters, digits and -, with no - at an end"
    need_match(config, "bucket", pattern=_BUCKET, form=form)
    least, most = PART_SIZE_BYTES_MIN, PART_SIZE_BYTES_MAX
    need_whole(config, "part_size_bytes", least=least, most=most)
