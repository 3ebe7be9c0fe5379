"""The S3 API in R2's flavour over one state: buckets found, calls routed, answers dated.

Source: https://developers.cloudflare.com/r2/api/s3/api/
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response
from flows_registry.lab.references.s3 import listing, multipart, objects
from flows_registry.lab.references.s3.call import Call
from flows_registry.lab.references.s3.documents import answer, error_document, http_date, iso_date
from flows_registry.lab.references.s3.headers import refuse_unimplemented
from flows_registry.lab.references.s3.refusals import STATUS_CODES, Refusal
from flows_registry.lab.references.s3.signing import Credentials, Verifier
from flows_registry.lab.references.s3.store import Bucket

__all__ = ["FACTORY", "S3"]

_REGIONS: Final = frozenset({"auto", "", "us-east-1", "wnam", "enam", "weur", "eeur", "apac", "oc"})
"""Source: https://developers.cloudflare.com/r2/api/s3/api/#bucket-region"""
_READ_OBJECTS: Final = (
    "Object Read only", "Object Read & Write", "Admin Read only", "Admin Read & Write",
)  # fmt: skip
_WRITE_OBJECTS: Final = ("Object Read & Write", "Admin Read & Write")
"""Source: https://developers.cloudflare.com/r2/api/tokens/#permissions"""
_OF_BUCKETS: Final = frozenset({"cors", "lifecycle", "encryption", "location", "versioning"})
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\Z")
_VIRTUAL_HOST = re.compile(
    r"([a-z0-9-]+)\.(?:[0-9a-f]{32}\.(?:[a-z]+\.)?r2\.cloudflarestorage\.com|s3[.-].*amazonaws\.com)\Z"
)


class S3:
    """An account's buckets.

    Args:
        settings: every setting with "bucket" in its name names a bucket; without one, every valid
            name is a bucket. A setting with "region" in its name is a region that may be signed.
        secrets: `access_key_id` with `secret_access_key`; under other names, each value goes with
            each other one. An access key id may also stand among the settings.
        now: seconds since 1970; dates and the expiry of presigned URLs follow it.
        skew_seconds_max: how far a request's date may be from `now()` (S3 says 900); None does not
            compare, which is right where the signing clock is not `now()`.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        now: Callable[[], float],
        *,
        skew_seconds_max: float | None = None,
    ) -> None:
        texts = {name: value for name, value in settings.items() if isinstance(value, str)}
        regions = {value for name, value in texts.items() if "region" in name}
        self._names = frozenset(value for name, value in texts.items() if "bucket" in name)
        self._bases = _bases(texts.values())
        self._now = now
        self._verifier = Verifier(
            _credentials(texts, secrets), _REGIONS | regions, now, skew_seconds_max
        )
        self._buckets: dict[str, Bucket] = {}

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        now = self._now()
        request_id = _request_id(request, now)
        stamp = (("date", http_date(now)), ("x-amz-request-id", request_id))
        try:
            response = self._route(request, now)
        except Refusal as refusal:
            body = b""
            headers = refusal.headers
            if refusal.status != 304:
                headers = (("content-type", "application/xml"), *headers)
                body = error_document(refusal.code, refusal.message, request.raw_path, request_id)
            return Response(refusal.status, (*headers, *stamp), body)
        return Response(response.status, (*response.headers, *stamp), response.body)

    def state(self) -> Mapping[str, Any]:
        """Objects and uploads of every bucket that has any."""
        return {
            "buckets": {
                name: bucket.shown()
                for name, bucket in sorted(self._buckets.items())
                if bucket.objects or bucket.uploads
            }
        }

    def scopes(self, request: Request) -> tuple[str, ...]:
        """The permissions any one of which the request needs."""
        reads = request.method in ("GET", "HEAD")
        try:
            name, key = self._target(request)
        except Refusal:
            return ()  # it is refused whatever the credential may do
        asked = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True)).keys()
        listed = bool(name) and request.method in ("GET", "POST") and not asked & _OF_BUCKETS
        if key or listed:
            return _READ_OBJECTS if reads else _WRITE_OBJECTS
        return _READ_OBJECTS[2:] if reads else _WRITE_OBJECTS[1:]

    def reset(self) -> None:
        """Forget everything."""
        self._buckets.clear()

    def _route(self, request: Request, now: float) -> Response:
        signed = self._verifier.verify(request)
        refuse_unimplemented(request)
        name, raw_key = self._target(request)
        query = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
        if not name:
            if request.method == "GET":
                return self._list_buckets(now)
            raise Refusal("MethodNotAllowed")
        bucket = self._bucket(name)
        key = objects.checked_key(raw_key) if raw_key else ""
        call = Call(request, signed, bucket, self._bucket, key, query, now)
        operation = _object_operation(call) if raw_key else _bucket_operation(call)
        return operation(call)

    def _target(self, request: Request) -> tuple[str, bytes]:
        """The bucket and the raw key that host and path name."""
        raw_path = request.raw_path
        for base in self._bases:
            if raw_path == base or raw_path.startswith(base + "/"):
                raw_path = raw_path[len(base) :]
        path = unquote_to_bytes(raw_path).removeprefix(b"/")
        host = request.host.lower()
        virtual = _VIRTUAL_HOST.match(host)
        label = virtual[1] if virtual else host.partition(".")[0] if "." in host else ""
        if label and (label in self._names or (virtual and not self._names)):
            return label, path
        name, _, key = path.partition(b"/")
        return name.decode("utf-8", "replace"), key

    def _bucket(self, name: str) -> Bucket:
        if _BUCKET_NAME.match(name) is None and name not in self._names:
            raise Refusal("InvalidBucketName")
        if self._names and name not in self._names:
            raise Refusal("NoSuchBucket")
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(name)
        return bucket

    def _list_buckets(self, now: float) -> Response:
        names = sorted(self._names or self._buckets)
        buckets = [("Bucket", (("Name", name), ("CreationDate", iso_date(now)))) for name in names]
        owner = (("ID", "owner"), ("DisplayName", "owner"))
        return answer("ListAllMyBucketsResult", (("Owner", owner), ("Buckets", buckets)))


_Operation = Callable[[Call], Response]

_OPERATION_PARAMETERS: Final = frozenset(
    {
        "acl", "attributes", "legal-hold", "policy", "retention", "restore", "tagging", "torrent",
        "select", "versions", "versionId", "versioning", "website", "cors", "lifecycle", "logging",
        "notification", "encryption", "replication", "requestPayment", "accelerate", "analytics",
        "inventory", "metrics", "object-lock", "ownershipControls", "policyStatus",
        "publicAccessBlock", "intelligent-tiering", "renameObject",
    }
)  # fmt: skip
"""Parameters that make another operation of a call, none of which this reference has."""


def _object_operation(call: Call) -> _Operation:
    query, copies = call.query, call.request.header("x-amz-copy-source") is not None
    _refuse_other_operations(query)
    match call.request.method:
        case "PUT" if "uploadId" in query or "partNumber" in query:
            return multipart.upload_part_copy if copies else multipart.upload_part
        case "PUT":
            return objects.copy_object if copies else objects.put_object
        case "GET" if "uploadId" in query:
            return multipart.list_parts
        case "GET" | "HEAD":
            return objects.get_object
        case "POST" if "uploads" in query:
            return multipart.create_upload
        case "POST" if "uploadId" in query:
            return multipart.complete_upload
        case "DELETE" if "uploadId" in query:
            return multipart.abort_upload
        case "DELETE":
            return objects.delete_object
        case "POST":
            raise Refusal("NotImplemented")
        case _:
            raise Refusal("MethodNotAllowed")


def _bucket_operation(call: Call) -> _Operation:
    query = call.query
    _refuse_other_operations(query)
    match call.request.method:
        case "HEAD":
            return lambda _: Response(200, (("x-amz-bucket-region", "auto"),))
        case "GET" if "location" in query:
            return lambda _: answer("LocationConstraint", "auto")
        case "GET" if "uploads" in query:
            return listing.list_uploads
        case "GET" if query.get("list-type") == "2":
            return listing.list_objects_v2
        case "GET" if "list-type" in query:
            raise Refusal("NotImplemented", f"ListObjectsV{query['list-type']} not implemented")
        case "GET":
            return listing.list_objects
        case "POST" if "delete" in query:
            return objects.delete_objects
        case "PUT" | "POST" | "DELETE":
            raise Refusal("NotImplemented")
        case _:
            raise Refusal("MethodNotAllowed")


def _refuse_other_operations(query: Mapping[str, str]) -> None:
    for name in query:
        if name in _OPERATION_PARAMETERS:
            raise Refusal("NotImplemented", f"Query parameter '{name}' is not implemented")


def _credentials(settings: Mapping[str, str], secrets: Mapping[str, str]) -> Credentials:
    tokens = frozenset(secrets.values())
    identifier = secrets.get("access_key_id", settings.get("access_key_id"))
    secret = secrets.get("secret_access_key")
    if identifier is not None and secret is not None:
        return Credentials({identifier: (secret,)}, tokens)
    identifiers = {*secrets.values(), *settings.values()}
    pairs = {
        each: tuple(sorted(value for value in tokens if value != each)) for each in identifiers
    }
    return Credentials({each: others for each, others in pairs.items() if others}, tokens)


def _bases(texts: Iterable[str]) -> tuple[str, ...]:
    """The paths of the endpoints among the settings: clients put them in front of the bucket."""
    paths = {
        urlsplit(text).path.rstrip("/")
        for text in texts
        if text.startswith(("https://", "http://"))
    }
    return tuple(sorted(filter(None, paths), key=len, reverse=True))


def _request_id(request: Request, now: float) -> str:
    """From the request and the time alone, so that order and threads do not show."""
    seed = f"{request.method}\n{request.target}\n{now!r}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(seed, digest_size=8).hexdigest().upper()


def failure(status: int) -> Response:
    """R2's error document for a status; 502, 504 and 52x are the proxy's pages, not XML.

    Source: https://developers.cloudflare.com/r2/api/error-codes/
    """
    code = STATUS_CODES.get(status)
    if code is None and status >= 500:
        page = f"<!DOCTYPE html><html><body><h1>Error {status}</h1>cloudflare</body></html>\n"
        return Response(status, (("content-type", "text/html; charset=UTF-8"),), page.encode())
    refusal = Refusal(code or "InvalidRequest")
    body = error_document(refusal.code, refusal.message, "", "0000000000000000")
    return Response(status, (("content-type", "application/xml"),), body)


FACTORY = ReferenceFactory(wire="s3", create=S3, failure=failure)
