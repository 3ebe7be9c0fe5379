"""R2's documented limits, each with its source."""

__all__ = [
    "COPY_SIZE_BYTES_MAX",
    "EXTENSIONS_SOURCE",
    "KEY_SIZE_BYTES_MAX",
    "LIMITS_SOURCE",
    "LIST_LIMIT_MAX",
    "LIST_SOURCE",
    "METADATA_SIZE_BYTES_MAX",
    "MULTIPART_SOURCE",
    "OBJECT_SIZE_BYTES_MAX",
    "PARTS_MAX",
    "PART_SIZE_BYTES_MAX",
    "PART_SIZE_BYTES_MIN",
    "PRESIGN_SECONDS_MAX",
    "PRESIGN_SOURCE",
    "PUT_SIZE_BYTES_MAX",
    "PUT_WHOLE_BYTES_MAX",
]

_MIB = 1024 * 1024
_GIB = 1024 * _MIB
_TIB = 1024 * _GIB

LIMITS_SOURCE = "https://developers.cloudflare.com/r2/platform/limits/"
MULTIPART_SOURCE = "https://developers.cloudflare.com/r2/objects/multipart-objects/"
PRESIGN_SOURCE = "https://developers.cloudflare.com/r2/api/s3/presigned-urls/"
EXTENSIONS_SOURCE = "https://developers.cloudflare.com/r2/api/s3/extensions/"
LIST_SOURCE = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"

KEY_SIZE_BYTES_MAX = 1024
"""Of the key's UTF-8 form. Source: LIMITS_SOURCE."""

METADATA_SIZE_BYTES_MAX = 8192
"""Names and values of the custom metadata together, as UTF-8. Source: LIMITS_SOURCE."""

PUT_WHOLE_BYTES_MAX = 100 * _MIB
"""Ours: larger values are sent in parts, so that each request fits well into its deadline."""

OBJECT_SIZE_BYTES_MAX = 5 * _TIB - 5 * _GIB
"""5 GiB less than 5 TiB. Source: LIMITS_SOURCE."""

PUT_SIZE_BYTES_MAX = 5 * _GIB - 5 * _MIB
"""One request's body, which one part is too: 5 MiB less than 5 GiB. Source: LIMITS_SOURCE."""

PART_SIZE_BYTES_MIN = 5 * _MIB
"""Every part of an upload but the last. Source: MULTIPART_SOURCE."""

PART_SIZE_BYTES_MAX = PUT_SIZE_BYTES_MAX
"""Source: LIMITS_SOURCE."""

PARTS_MAX = 10_000
"""Of one upload; all but the last are of equal size. Source: MULTIPART_SOURCE."""

COPY_SIZE_BYTES_MAX = PUT_SIZE_BYTES_MAX
"""One copy is one request, so it is limited like an upload. Source: LIMITS_SOURCE."""

LIST_LIMIT_MAX = 1000
"""Objects and common prefixes together in one page. Source: LIST_SOURCE."""

PRESIGN_SECONDS_MAX = 604_800
"""Seven days. Source: PRESIGN_SOURCE."""
