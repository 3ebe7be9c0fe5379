"""One authenticated call on a bucket, as the operations see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flows_registry.lab.references.exchange import Request
from flows_registry.lab.references.s3.payload import Payload, read_payload
from flows_registry.lab.references.s3.signing import Signed
from flows_registry.lab.references.s3.store import Bucket

__all__ = ["Call"]


@dataclass(frozen=True, slots=True)
class Call:
    """Attributes:
    bucket_named: any bucket of the account, or NoSuchBucket.
    key: the object's key, decoded; "" for a call on the bucket.
    query: decoded.
    now: seconds since 1970.
    """

    request: Request
    signed: Signed
    bucket: Bucket
    bucket_named: Callable[[str], Bucket]
    key: str
    query: Mapping[str, str]
    now: float

    def payload(self) -> Payload:
        """The body, decoded and verified against the signature."""
        return read_payload(self.request, self.signed)
