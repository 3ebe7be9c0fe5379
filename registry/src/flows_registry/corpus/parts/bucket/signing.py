"""AWS Signature Version 4. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html"""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from urllib.parse import quote

__all__ = ["query_of", "presigned", "signed"]

UNSIGNED = "UNSIGNED-PAYLOAD"
_KIND = "AWS4-HMAC-SHA256"


def query_of(parameters: Mapping[str, str]) -> str:
    """The parameters as they are signed and sent."""
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parameters.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, *, key_id: str, secret: str, now: float
) -> dict[str, str]:
    """The headers, with those that sign the request."""
    digest, date = hashlib.sha256(body).hexdigest(), _date(now)
    every = {**headers, "x-amz-content-sha256": digest, "x-amz-date": date}
    names = ";".join(sorted(every))
    lines = "".join(f"{name}:{re.sub(' +', ' ', every[name].strip())}\n" for name in sorted(every))
    signature = _signature(f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}", date, secret)
    told = f"{_KIND} Credential={key_id}/{_scope(date)}, SignedHeaders={names}, Signature={signature}"
    return {**every, "Authorization": told}


def presigned(method: str, host: str, path: str, *, seconds: int, key_id: str, secret: str, now: float) -> str:
    """The path with the query that grants the request."""
    date = _date(now)
    query = query_of(
        {
            "X-Amz-Algorithm": _KIND,
            "X-Amz-Credential": f"{key_id}/{_scope(date)}",
            "X-Amz-Date": date,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
        }
    )
    text = f"{method}\n{path}\n{query}\nhost:{host}\n\nhost\n{UNSIGNED}"
    return f"{path}?{query}&X-Amz-Signature={_signature(text, date, secret)}"


def _date(now: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _scope(date: str) -> str:
    return f"{date[:8]}/auto/s3/aws4_request"


def _signature(canonical: str, date: str, secret: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in _scope(date).split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, f"{_KIND}\n{date}\n{_scope(date)}\n{digest}".encode(), "sha256").hex()
