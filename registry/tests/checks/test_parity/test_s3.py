"""A remote backend is pointed at the simulator's S3 endpoint and compared there."""

import contextlib
import datetime as dt
import hashlib
import hmac
import http.client
from collections.abc import Callable, Mapping
from email.header import Header, decode_header, make_header
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from core_caps.capabilities.blob_store import Blob, HttpMetadata, ObjectInfo
from core_caps.contract.blob import CONTRACT
from core_caps.errors import InvalidArgument, PreconditionFailed, Unavailable
from core_caps.secret import Secret
from flows_registry.checks.parity import Effort, parity
from flows_registry.lab.simulators.miniflare import S3Credentials
from flows_registry.lab.simulators.sides import ParitySubject, Run, S3Target
from flows_registry.verdict import CheckResult, Verdict

OPERATIONS = frozenset({"get", "put", "head", "delete"})
CREDENTIALS = S3Credentials("c" * 32, Secret("d" * 64))
EDGES = Effort(histories=3, length=8, shrink_seconds=2.0)
FIELDS = {
    "content_type": "content-type",
    "content_language": "content-language",
    "content_disposition": "content-disposition",
    "content_encoding": "content-encoding",
    "cache_control": "cache-control",
}
Running = Callable[..., Run]


def encoded(text: str) -> str:
    """A header takes ASCII; other text travels as RFC 2047 has it."""
    plain = text.isascii() and not text.startswith("=?")
    return text if plain else Header(text, "utf-8", maxlinelen=8000).encode()


class OverS3:
    """A provider in a few lines: AWS Signature Version 4 over the standard library.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.url = urlsplit(settings["endpoint"])
        self.bucket = settings["bucket"]
        self.secret = settings["secret"]

    async def put(
        self, key: str, data: Any, *, if_match: str | None = None, if_none_match: Any = None,
        size_bytes: int | None = None, http: Any = None, metadata: Any = None,
    ) -> ObjectInfo:  # fmt: skip
        self.checked(key)
        whole = data if isinstance(data, bytes) else b"".join([chunk async for chunk in data])
        if size_bytes not in (None, len(whole)):
            raise InvalidArgument("size")
        if sum(len(k) + len(v) for k, v in (metadata or {}).items()) > 8192:
            raise InvalidArgument("metadata")
        headers = {f"x-amz-meta-{name}": encoded(text) for name, text in (metadata or {}).items()}
        for ours, theirs in FIELDS.items():
            if http is not None and getattr(http, ours) is not None:
                headers[theirs] = getattr(http, ours)
        if http is not None and http.expires_at is not None:
            moment = dt.datetime.fromtimestamp(http.expires_at, dt.UTC)
            headers["expires"] = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers |= self.conditions(if_match, if_none_match)
        _, told, _ = self.sent("PUT", key, headers, whole)
        info = ObjectInfo(key, len(whole), told["etag"].strip('"'), 0.0, http or HttpMetadata())
        return ObjectInfo(key, info.size_bytes, info.etag, 0.0, info.http, dict(metadata or {}))

    async def get(
        self, key: str, *, range: Any = None, if_match: Any = None, if_none_match: Any = None
    ) -> Blob | None:
        headers = self.conditions(if_match, if_none_match)
        if range is not None:
            if (range.offset or 0) < 0 or (range.length is not None and range.length < 1):
                raise InvalidArgument("range")
            last = "" if range.length is None else (range.offset or 0) + range.length - 1
            headers["range"] = (
                f"bytes=-{range.length}" if range.offset is None else f"bytes={range.offset}-{last}"
            )
        status, told, body = self.sent("GET", key, headers)
        return None if status == 404 else Blob(body, self.info(key, told))

    async def head(self, key: str) -> ObjectInfo | None:
        status, told, _ = self.sent("HEAD", key, {})
        return None if status == 404 else self.info(key, told)

    async def delete(self, key: str) -> None:
        self.sent("DELETE", key, {})

    def conditions(self, if_match: str | None, if_none_match: str | None) -> dict[str, str]:
        quoted = {"if-match": if_match, "if-none-match": if_none_match}
        return {n: v if v == "*" else f'"{v}"' for n, v in quoted.items() if v is not None}

    def checked(self, key: str) -> str:
        if not 0 < len(key.encode()) <= 1024:
            raise InvalidArgument("key")
        return key

    def info(self, key: str, told: Mapping[str, str]) -> ObjectInfo:
        size = told.get("content-range", "").rpartition("/")[2] or told["content-length"]
        expires = None
        with contextlib.suppress(KeyError):
            expires = int(parsedate_to_datetime(told["expires"]).timestamp())
        fields = {ours: told.get(theirs) for ours, theirs in FIELDS.items()}
        custom = {
            name[11:]: str(make_header(decode_header(text)))
            for name, text in told.items()
            if name.startswith("x-amz-meta-")
        }
        return ObjectInfo(
            key, int(size), told["etag"].strip('"'), 0.0,
            HttpMetadata(**fields, expires_at=expires), custom,
        )  # fmt: skip

    def sent(
        self, method: str, key: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        path = f"{self.url.path}/{self.bucket}/{quote(self.checked(key), safe='/~')}"
        connection = http.client.HTTPConnection(self.url.netloc, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, self.signed(method, path, headers, body))
            answer = connection.getresponse()
            content = answer.read()
        if answer.status in (304, 412):
            raise PreconditionFailed(f"{answer.status}")
        if answer.status in (400, 413, 416):
            raise InvalidArgument(content.decode())
        if answer.status >= 400 and answer.status != 404:
            raise Unavailable(f"{answer.status} {content!r}")
        return answer.status, {n.lower(): v for n, v in answer.getheaders()}, content

    def signed(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        every = {"host": self.url.netloc, "x-amz-content-sha256": digest, "x-amz-date": now}
        every |= headers
        names = ";".join(sorted(every))
        lines = "".join(f"{name}:{' '.join(every[name].split())}\n" for name in sorted(every))
        canonical = "\n".join([method, path, "", lines, names, digest])
        scope = f"{now[:8]}/auto/s3/aws4_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashed])
        key = b"AWS4" + self.secret.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"Credential={CREDENTIALS.access_key_id}/{scope}"
        every["authorization"] = (
            f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
        )
        return every


class ConditionNotSent(OverS3):
    def conditions(self, if_match: str | None, if_none_match: str | None) -> dict[str, str]:
        return super().conditions(None, if_none_match)


class EverythingIsText(OverS3):
    async def put(self, key: str, data: Any, *, http: Any = None, **named: Any) -> ObjectInfo:
        return await super().put(key, data, http=HttpMetadata("text/html"), **named)


def judged(
    running: Running, make: Any, secret: str = CREDENTIALS.secret_access_key.reveal()
) -> Any:
    def settings(url: str, bucket: str) -> Mapping[str, str]:
        return {"endpoint": url, "bucket": bucket, "secret": secret}

    target = S3Target(CREDENTIALS, settings)
    run = running(remote=make)
    subject = ParitySubject(
        CONTRACT, OPERATIONS, run, mock=None, remotes={"remote": "s3"}, s3={"remote": target}
    )
    results: tuple[CheckResult, ...] = parity(subject, effort=EDGES)
    assert [result.backend for result in results] == ["remote"]
    return results[0]


@pytest.mark.feature("DC-04")
def test_a_faithful_remote_passes(simulator: str, running: Running) -> None:
    result = judged(running, OverS3)

    assert result.verdict is Verdict.PASSED, result.findings
    assert set(result.facts["steps_by_operation"]) == OPERATIONS
    assert result.cases > 40


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize("twin", [ConditionNotSent, EverythingIsText])
def test_a_drifted_remote_is_refused(twin: type[OverS3], simulator: str, running: Running) -> None:
    result = judged(running, twin)

    assert result.verdict is Verdict.REFUSED
    assert {finding.code for finding in result.findings} == {"PARITY001"}
    assert f"remote on {simulator} (S3)" in result.findings[0].observed


@pytest.mark.feature("DC-04")
def test_a_wrong_signature_is_no_parity(simulator: str, running: Running) -> None:
    result = judged(running, OverS3, secret="e" * 64)

    assert result.verdict is Verdict.REFUSED
    assert "SignatureDoesNotMatch" in result.findings[0].observed
