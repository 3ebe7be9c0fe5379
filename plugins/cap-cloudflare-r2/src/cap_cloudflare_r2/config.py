"""The settings of each backend, validated where they are made."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from core_caps.errors import ConfigInvalid
from core_caps.secret import Secret

from cap_cloudflare_r2.limits import MULTIPART_SOURCE, PART_SIZE_BYTES_MAX, PART_SIZE_BYTES_MIN

__all__ = ["MockConfig", "RemoteConfig"]

_MIB = 1024 * 1024
_WHERE = "copy it from the R2 API token, under 'S3 credentials'"

# https://developers.cloudflare.com/r2/buckets/create-buckets/#bucket-naming
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
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
        _check_bucket(self.bucket)
        _check_part_size(self.part_size_bytes)


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
        _check_bucket(self.bucket)
        _check_part_size(self.part_size_bytes)
        self._check_address()
        self._check_credentials()
        for name in ("connect_timeout_seconds", "timeout_seconds", "abort_timeout_seconds"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigInvalid(
                    f"{name} = {getattr(self, name)} must be above 0 and finite",
                    hint="give seconds",
                )
        for name in ("parts_in_flight", "threads"):
            if not 1 <= getattr(self, name) <= 64:
                raise ConfigInvalid(
                    f"{name} = {getattr(self, name)} must be between 1 and 64",
                    hint="leave it out for the default",
                )

    def _check_address(self) -> None:
        if not _LABEL.fullmatch(self.account_id):
            raise ConfigInvalid(
                f"account_id = {self.account_id!r} cannot be part of a host name",
                hint="copy the account id from the dashboard",
            )
        if self.addressing not in {"path", "virtual"}:
            raise ConfigInvalid(
                f"addressing = {self.addressing!r} is unknown", hint="use 'path' or 'virtual'"
            )
        if not _REGION.fullmatch(self.region):
            raise ConfigInvalid(f"region = {self.region!r} is no region", hint="R2's is 'auto'")
        if not _is_endpoint(self.endpoint):
            # Not shown: it may hold a password.
            raise ConfigInvalid(
                "base_url is not the address of a service",
                hint="write https://HOST, http:// on this machine alone, or leave it out",
            )

    def _check_credentials(self) -> None:
        if not self.access_key_id.isprintable() or not self.access_key_id.strip():
            raise ConfigInvalid("access_key_id is empty or not printable", hint=_WHERE)
        if not self.secret_access_key.reveal().strip():
            raise ConfigInvalid("secret_access_key is empty", hint=_WHERE)

    @property
    def endpoint(self) -> str:
        """The S3 endpoint, without a slash at its end."""
        address = self.base_url or f"https://{self.account_id}.r2.cloudflarestorage.com"
        return address.rstrip("/")


def _check_bucket(bucket: str) -> None:
    if not _BUCKET.fullmatch(bucket):
        raise ConfigInvalid(
            f"bucket = {bucket!r} is not a bucket's name",
            hint="3 to 63 lower-case letters, digits and '-', not at an end",
        )


def _check_part_size(part_size_bytes: int) -> None:
    if not PART_SIZE_BYTES_MIN <= part_size_bytes <= PART_SIZE_BYTES_MAX:
        raise ConfigInvalid(
            f"part_size_bytes = {part_size_bytes} must be between {PART_SIZE_BYTES_MIN} and "
            f"{PART_SIZE_BYTES_MAX}",
            hint=f"see {MULTIPART_SOURCE}",
        )


def _is_endpoint(address: str) -> bool:
    if not address.isascii() or not address.isprintable():
        return False
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError:
        return False
    if not url.hostname or url.query or url.fragment or url.username or url.password:
        return False
    return url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
