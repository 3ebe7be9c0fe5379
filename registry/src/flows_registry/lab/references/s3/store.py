"""What a bucket holds: objects, uploads in progress, and how both look from outside."""

import hashlib
import unicodedata
from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Bucket", "Described", "Part", "StoredObject", "Upload", "etag_of"]


def etag_of(data: bytes) -> str:
    """The etag of bytes put in one piece: their MD5."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Described:
    """What is said about an object apart from its bytes.

    Attributes:
        http: the stored HTTP headers, by lower-case name.
        metadata: the custom metadata, decoded, by lower-case name without `x-amz-meta-`.
        storage_class: STANDARD or STANDARD_IA.
    """

    http: Mapping[str, str]
    metadata: Mapping[str, str]
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it stands.

    Attributes:
        key: as it was last written; lookups go by its NFC form.
        part_sizes: the sizes of its parts, where it was put in parts.
        sums: its checksums by algorithm, in base64 as headers carry them.
        digest: SHA-256 of the data, computed once.
    """

    key: str
    data: bytes
    etag: str
    modified: float
    described: Described
    sums: Mapping[str, str]
    part_sizes: tuple[int, ...] = ()
    digest: str = ""

    @classmethod
    def of(
        cls,
        key: str,
        data: bytes,
        described: Described,
        *,
        modified: float,
        etag: str | None = None,
        sums: Mapping[str, str] | None = None,
        part_sizes: tuple[int, ...] = (),
    ) -> "StoredObject":
        """An object with its hashes computed."""
        return cls(
            key,
            data,
            etag or etag_of(data),
            modified,
            described,
            sums or {},
            part_sizes,
            hashlib.sha256(data).hexdigest(),
        )

    def shown(self) -> dict[str, Any]:
        """The object as a state shows it: everything but bytes and times."""
        return {
            "etag": self.etag,
            "size_bytes": len(self.data),
            "sha256": self.digest,
            "http": dict(sorted(self.described.http.items())),
            "metadata": dict(sorted(self.described.metadata.items())),
            "storage_class": self.described.storage_class,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has arrived."""

    number: int
    data: bytes
    etag: str
    modified: float
    sums: Mapping[str, str]


@dataclass(slots=True)
class Upload:
    """A multipart upload in progress.

    Attributes:
        algorithm: the checksum algorithm announced for its parts, or "".
        full_object: whether the checksum is over the whole rather than over the parts' sums.
    """

    identifier: str
    key: str
    described: Described
    started: float
    algorithm: str = ""
    full_object: bool = False
    parts: dict[int, Part] = field(default_factory=dict[int, Part])

    def shown(self) -> dict[str, Any]:
        """The upload as a state shows it."""
        return {
            "key": self.key,
            "parts": {
                str(number): {"etag": part.etag, "size_bytes": len(part.data)}
                for number, part in sorted(self.parts.items())
            },
        }


@dataclass(slots=True)
class Bucket:
    """Objects by the NFC form of their keys, those forms in order, and uploads by id.

    R2 normalizes key names; listings show the last form written. Code point order is UTF-8 byte
    order. Source: https://developers.cloudflare.com/r2/reference/unicode-interoperability/
    """

    name: str
    objects: dict[str, StoredObject] = field(default_factory=dict[str, StoredObject])
    order: list[str] = field(default_factory=list[str])
    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])
    uploads_started: dict[str, int] = field(default_factory=dict[str, int])

    def get(self, key: str) -> StoredObject | None:
        """The object of that name, in whichever Unicode form."""
        return self.objects.get(normalized(key))

    def put(self, stored: StoredObject) -> None:
        """Store, over what was there."""
        name = normalized(stored.key)
        if name not in self.objects:
            insort(self.order, name)
        self.objects[name] = stored

    def delete(self, key: str) -> None:
        """Remove; nothing there is fine."""
        name = normalized(key)
        if self.objects.pop(name, None) is not None:
            del self.order[bisect_left(self.order, name)]

    def begin(
        self, key: str, described: Described, now: float, algorithm: str, full_object: bool
    ) -> Upload:
        """A new upload. Its id follows from the bucket, the key and how many the key has had."""
        count = self.uploads_started[key] = self.uploads_started.get(key, 0) + 1
        seed = f"{self.name}\n{key}\n{count}".encode()
        identifier = hashlib.blake2b(seed, digest_size=48).hexdigest()
        upload = Upload(identifier, key, described, now, algorithm, full_object)
        self.uploads[identifier] = upload
        return upload

    def shown(self) -> dict[str, Any]:
        """The bucket as a state shows it."""
        return {
            "objects": {self.objects[name].key: self.objects[name].shown() for name in self.order},
            "uploads": {
                identifier: upload.shown() for identifier, upload in sorted(self.uploads.items())
            },
        }


def normalized(key: str) -> str:
    """The form of a key that names the object."""
    return key if key.isascii() else unicodedata.normalize("NFC", key)
