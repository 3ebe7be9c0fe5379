"""boto3's S3 client, taught to send through an `Exchange` and to sign at our clock's time.

The client is built without credentials, environment or files of its own: it shapes requests and
reads answers. `before-send` is botocore's hook for sending by other means; what happens there is
one exchange, never a retry or a redirect.
"""
# boto3 carries no types. This module is the only one that touches it, and what it hands out is
# typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false
# pyright: reportMissingParameterType=false, reportUntypedBaseClass=false

import base64
import functools
import hashlib
import importlib.util
import os
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from core_caps.clock import Clock
from core_caps.errors import ConfigInvalid, ProviderError

from cap_cloudflare_r2 import errors
from cap_cloudflare_r2.config import RemoteConfig
from cap_cloudflare_r2.wire import Exchange

try:
    from isal.isal_zlib import crc32  # the extra `fast`: ten times as fast
except ImportError:
    from zlib import crc32

__all__ = ["S3", "content_crc32", "content_md5", "open_s3", "trusted"]

if importlib.util.find_spec("boto3") is None:  # imported in a thread, missed here and now
    raise ModuleNotFoundError("No module named 'boto3'", name="boto3")

_USER_AGENT = "cap-cloudflare-r2"
_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

# What botocore adds and we do not send: a random id, this machine's versions, and Expect, which
# R2 does not support (https://developers.cloudflare.com/r2/api/s3/extensions/).
_DROPPED = frozenset(
    {"amz-sdk-invocation-id", "amz-sdk-request", "user-agent", "expect", "content-length"}
)

# With one of these the service checks the body, and the signature covers the checksum: signing a
# digest of the body as well would cost more than sending it.
_GUARDS = frozenset({"content-md5", "x-amz-checksum-crc32"})

_UNREADABLE = (ValueError, KeyError, TypeError, ET.ParseError)
"""What botocore raises on an answer that it cannot read, beside its own errors."""

_building = threading.Lock()
_CLIENTS_MAX = 16
_current = threading.local()


class S3:
    """The client, the signers, and the exchange that this thread is performing."""

    def __init__(self, client: Any, config: RemoteConfig, clock: Clock) -> None:
        self.client = client
        self._config = config
        self._clock = clock

    @contextmanager
    def performing(self, exchange: Exchange) -> Generator[Any]:
        """The client, whose next call in this thread is this exchange."""
        from botocore.exceptions import BotoCoreError, ClientError

        _current.s3, _current.exchange = self, exchange
        try:
            yield self.client
        except ProviderError:  # some of ours are ValueErrors too
            raise
        except (BotoCoreError, ClientError, *_UNREADABLE) as error:
            if not exchange.status:
                raise  # our own mistake: the request could not even be shaped
            raise exchange.garbled(f"the answer cannot be read ({type(error).__name__})") from error
        finally:
            _current.s3 = _current.exchange = None

    def presigned(self, method: str, key: str, *, expires_in_seconds: int) -> str:
        """A URL with a signature that expires; nothing is sent."""
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method=method, url=self._url(key))
        signer = _pinned(S3SigV4QueryAuth)(
            self._credentials(), "s3", self._config.region, expires=expires_in_seconds
        )
        signer.sign(request, self._timestamp())
        return str(request.url)

    def send_part(
        self, exchange: Exchange, key: str, *, upload: str, number: int, crc32: str
    ) -> None:
        """UploadPart, shaped here: boto3 has nothing to decide, and takes longer than sending."""
        query = f"partNumber={number}&uploadId={quote(upload, safe='~')}"
        headers = {"x-amz-checksum-crc32": crc32}
        self._perform(exchange, "PUT", f"{self._url(key)}?{query}", headers)

    def send(self, request: Any) -> Any:
        """Send what botocore shaped, as the exchange that this thread is performing."""
        from botocore.awsrequest import AWSResponse

        exchange: Exchange = _current.exchange
        assert exchange.status == 0, "one exchange is one request"
        if request.body and not exchange.payload:
            exchange.payload = (request.body,)
        headers = {
            name: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
            if name.lower() not in _DROPPED
        }
        self._perform(exchange, request.method, request.url, headers)
        _check_document(exchange)
        # Only documents are botocore's to read: headers and bodies of objects are ours.
        return AWSResponse(request.url, exchange.status, {}, _Content(exchange.body))

    def _perform(self, exchange: Exchange, method: str, url: str, headers: dict[str, str]) -> None:
        """Sign a request and perform its exchange."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        parts = urlsplit(url)
        headers["Host"] = parts.netloc
        if exchange.payload or method in {"PUT", "POST"}:
            headers["Content-Length"] = str(exchange.payload_size_bytes)
        guarded = not _GUARDS.isdisjoint(name.lower() for name in headers)
        request = AWSRequest(method=method, url=url, headers=headers)
        _pinned(S3SigV4Auth)(self._credentials(), "s3", self._config.region).sign(
            request, self._timestamp(), payload=_payload_digest(exchange, guarded=guarded)
        )
        sent = [(name, str(value)) for name, value in request.headers.items()]
        sent += [("User-Agent", _USER_AGENT), ("Accept-Encoding", "identity")]
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        exchange.perform(method, target or "/", sent)

    def _url(self, key: str) -> str:
        base = urlsplit(self._config.endpoint)
        path = f"/{quote(key, safe='/~')}"
        if self._config.addressing == "virtual":
            base = base._replace(netloc=f"{self._config.bucket}.{base.netloc}")
        else:
            path = f"/{self._config.bucket}{path}"
        return base._replace(path=base.path + path).geturl()

    def _credentials(self) -> Any:
        from botocore.credentials import Credentials

        token = self._config.session_token
        return Credentials(
            self._config.access_key_id,
            self._config.secret_access_key.reveal(),
            None if token is None else token.reveal(),
        )

    def _timestamp(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")


class _Content:
    """A body in the shape that botocore reads answers from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._content


def open_s3(config: RemoteConfig, clock: Clock) -> S3:
    """Make the client; the first is slow (it reads the service's description): use a thread."""
    with _building:  # a session is not made for several threads at once
        return S3(_client(config.region, config.endpoint, config.addressing), config, clock)


@functools.lru_cache(maxsize=_CLIENTS_MAX)
def _client(region: str, endpoint: str, addressing: str) -> Any:
    """The client that shapes requests for an endpoint.

    It holds no credential and no connection, so every connection to that endpoint may share it.
    """
    from botocore.config import Config

    client = _session().client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        config=Config(
            signature_version=_unsigned(),  # we sign ourselves, at our own clock's time
            s3={"addressing_style": addressing},
            retries={"mode": "standard", "total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
            parameter_validation=False,  # what we pass was held against R2's limits
            user_agent=_USER_AGENT,
        ),
    )
    client.meta.events.register("before-send.s3", _sent)
    return client


def _sent(request: Any, **_: object) -> Any:
    """botocore's hook: whoever is performing in this thread sends."""
    s3: S3 = _current.s3
    return s3.send(request)


def trusted(ca_bundle: str) -> Any:
    """The TLS settings: the system's certificates (SSL_CERT_FILE included) and the bundle's.

    Raises:
        ConfigInvalid: the bundle cannot be read, or holds no certificates (CAP105).
    """
    import ssl

    from botocore.httpsession import get_cert_path

    context = ssl.create_default_context()
    if ca_bundle:
        try:
            context.load_verify_locations(cafile=ca_bundle)
        except OSError as error:  # ssl.SSLError is one, too
            raise ConfigInvalid(
                f"ca_bundle = {ca_bundle!r} cannot be used: {error.strerror or error}",
                hint="give a file of certificates in PEM form, or leave it out",
            ) from error
    elif not context.cert_store_stats()["x509_ca"] and not _has_system_certificates():
        context.load_verify_locations(cafile=get_cert_path(True))
    return context


def _has_system_certificates() -> bool:
    import ssl

    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or paths.capath)


@functools.cache
def _session() -> Any:
    """A boto3 session that reads no environment variable, no file and no metadata service.

    It is kept for the process: it holds the parsed description of S3, and no secret.
    """
    import boto3.session
    import botocore.session

    silent = {
        name: (None, None, os.devnull if name.endswith("_file") else default, convert)
        for name, (_, _, default, convert) in (botocore.session.Session.SESSION_VARIABLES.items())
    }
    return boto3.session.Session(botocore_session=botocore.session.Session(silent))


def _unsigned() -> Any:
    from botocore import UNSIGNED

    return UNSIGNED


@functools.cache
def _pinned(signer: Any) -> Any:
    """A botocore signer that is told the time instead of asking the machine for it.

    botocore's `add_auth` reads the clock and then does these same four steps; the steps are its
    subclasses' interface (its own presigning replaces two of them).
    """

    class Pinned(signer):
        def sign(self, request: Any, timestamp: str, payload: str | None = None) -> None:
            request.context["timestamp"] = timestamp
            self._payload = payload
            self._modify_request_before_signing(request)
            to_sign = self.string_to_sign(request, self.canonical_request(request))
            self._inject_signature_to_request(request, self.signature(to_sign, request))

        def payload(self, request: Any) -> str:
            return self._payload or super().payload(request)

    return Pinned


def _payload_digest(exchange: Exchange, *, guarded: bool) -> str:
    """What the signature says of the body: its digest, unless a checksum guards it already."""
    if exchange.payload and guarded:
        return _UNSIGNED_PAYLOAD
    digest = hashlib.sha256()
    for piece in exchange.payload:
        digest.update(piece)
    return digest.hexdigest()


def content_md5(pieces: Sequence[bytes | memoryview]) -> tuple[str, str]:
    """The MD5 of a body, in hexadecimal and as Content-MD5 has it."""
    digest = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest(), base64.b64encode(digest.digest()).decode()


def content_crc32(pieces: Sequence[bytes | memoryview]) -> str:
    """The CRC-32 of a body as x-amz-checksum-crc32 has it."""
    value = 0
    for piece in pieces:
        value = crc32(piece, value)
    return base64.b64encode(value.to_bytes(4, "big")).decode()


def _check_document(exchange: Exchange) -> None:
    """An answer with the wrong root element would be read as an empty one: refuse it here."""
    wanted = exchange.plan.document
    if wanted is None:
        return
    try:
        root = ET.fromstring(exchange.body)  # noqa: S314 (expat bounds expansion)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise exchange.garbled("the answer is not XML") from error
    found = root.tag.rpartition("}")[2]
    if found == "Error":  # S3 may say 200 first and fail while it copies or completes
        refusal = errors.refusal_of(200, exchange.headers, exchange.body, now=0.0)
        raise exchange.refuse(refusal)
    if found != wanted:
        raise exchange.garbled(f"the answer is <{found[:40]}>, not <{wanted}>")
