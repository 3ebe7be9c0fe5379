"""What the log says of a request: enough to judge it by, and nothing that is secret."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from core_caps.contract.suite import PERSONAL

from flows_registry.lab.agent.canaries import Canaries
from flows_registry.lab.references.exchange import Request

__all__ = ["Notes"]

_CONTENT_MAX = 64 * 1024
"""So much of a content is searched: what is larger is no request for a token."""

_CREDENTIALS = ("x-amz-signature=", "x-amz-credential=", "x-amz-date=")


class Notes:
    """Writes the lines of the log.

    Args:
        headers: the headers to note where a request has them, as `Name: value`.
        secrets: what no line may show, by the setting's name.
    """

    def __init__(self, headers: Sequence[str], secrets: Mapping[str, str]) -> None:
        self._headers = headers
        self._secrets = [form for each in secrets.values() for form in {each, quote(each, "")}]
        self._canaries = Canaries(secrets)
        self._personal = Canaries(PERSONAL, parts=False)

    def line(
        self,
        request: Request,
        number: int,
        port: int,
        at_seconds: float,
        *,
        verified: bool,
        marks: Sequence[Sequence[str]],
        scopes: Sequence[str] | None,
    ) -> dict[str, Any]:
        """The line of a request that has no answer yet.

        Args:
            request: as it came.
            number: its place in the armed time.
            port: the vendor's, that it came to.
            at_seconds: when it came, in the case's time.
            verified: the client had accepted the server's certificate properly.
            marks: what to look for in it, each in all its forms.
            scopes: the permissions any one of which it needs, where the reference tells.
        """
        return {
            "number": number,
            "at_seconds": at_seconds,
            "method": request.method,
            "host": request.host,
            "port": port,
            "target": _redacted(request.target, self._secrets),
            "fault": None,
            "status": None,
            "committed": False,
            "changed": False,
            "answer_bytes": 0,
            "answer_type": "",
            "request_bytes": len(request.body),
            "body_sha256": hashlib.sha256(request.body).hexdigest(),
            "scheme": request.scheme,
            "verified": verified,
            "headers": [line for line in self._headers if _has(request, line)],
            "carried": _carried(request, marks),
            "scopes": scopes,
            "sightings": list(self._sightings(request)),
        }

    def _sightings(self, request: Request) -> Iterator[tuple[str, str, str]]:
        """Where credentials and personal data stand in it."""
        for name in self._canaries.seen_in(request.target):
            yield "secret", name, "url"
        for name in self._personal.seen_in(request.target):
            yield "personal", name, "url"
        for header, value in request.headers:
            for name in self._canaries.seen_in(value):
                yield "secret", name, f"header {header}"
        for name in self._canaries.seen_in(request.body[:_CONTENT_MAX]):
            yield "secret", name, "content"


def _has(request: Request, line: str) -> bool:
    name, _, value = line.partition(": ")
    return request.header(name.lower()) == value


def _carried(request: Request, marks: Sequence[Sequence[str]]) -> list[int]:
    """The marks that stand in the request in one of their forms, wherever a service may look."""
    places = [request.target, *(value for _, value in request.headers)]
    return [
        number
        for number, forms in enumerate(marks)
        if any(form.encode() in request.body or any(form in p for p in places) for form in forms)
    ]


def _redacted(target: str, secrets: Sequence[str]) -> str:
    """The target without secrets, and without the parts of a signed URL that act as a credential or
    change each time."""
    for secret in filter(None, secrets):
        target = target.replace(secret, "…")
    path, mark, query = target.partition("?")
    kept = [
        item.partition("=")[0] + "=…" if item.lower().startswith(_CREDENTIALS) else item
        for item in query.split("&")
    ]  # fmt: skip
    return path + mark + "&".join(kept)
