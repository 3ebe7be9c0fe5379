"""A sound provider of Http on a site in memory, and providers with one defect each.

A suite is worth what it catches: every class below the sound one differs from it in one subtle
way, and `test_http.py` names the case that must notice.
"""

import asyncio
import email.utils
import hashlib
import ipaddress
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urljoin

from core_caps.capabilities.http import (
    KEY_HEADER,
    TRAVELLING_HEADERS,
    Response,
    status_error,
)
from core_caps.clock import VirtualClock
from core_caps.contract.web_site.site import NOTHING
from core_caps.errors import (
    ClientClosed,
    EgressRefused,
    InvalidArgument,
    Outcome,
    ProtocolViolation,
)

HOSTS = {("site.example", 443), ("second.example", 443)}
URL = re.compile(
    r"(?P<scheme>(?i:https?))://(?P<host>\[[0-9a-f:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:[/?](?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?)",
    re.ASCII,
)
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
KEY = re.compile(r"[!-~]*")
LIMITS = {"request_size_bytes_max": 4_000_000}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
RESERVED = {
    *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer"),
    *("proxy-connection", "proxy-authorization", "upgrade", "expect", "accept-encoding"),
    KEY_HEADER,
}


@dataclass
class Site:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    held: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    keyed: dict[str, tuple[object, Any]] = field(default_factory=dict)

    def answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        target = "/" + url.split("/", 3)[3]
        if target.startswith("/-/"):
            return self._on_demand(method, target, headers, body)
        if method in ("GET", "HEAD"):
            if url not in self.held:
                return 404, {}, NOTHING
            content, kind = self.held[url]
            etag = f'"{hashlib.sha256(content).hexdigest()}"'
            return 200, {"content-type": kind, "etag": etag}, content
        key, asked = headers.get(KEY_HEADER, ""), (method, url, body)
        if key in self.keyed:
            known, answer = self.keyed[key]
            return answer if known == asked else (422, {}, b"another")
        answer = self._write(method, url, target, headers, body or b"")
        if key and answer[0] < 400:
            self.keyed[key] = asked, answer
        return answer

    def _write(
        self, method: str, url: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        kind = headers.get("content-type", "application/octet-stream")
        there = url in self.held
        if method == "PUT":
            self.held[url] = body, kind
            return 204 if there else 201, {}, b""
        if method == "POST":
            self.made[url] += 1
            self.held[f"{url}/{self.made[url]}"] = body, kind
            return 201, {"location": f"{target}/{self.made[url]}"}, b""
        if not there:
            return 404, {}, NOTHING
        if method == "PATCH":
            self.held[url] = self.held[url][0] + body, self.held[url][1]
        else:
            del self.held[url]
        return 204, {}, b""

    def _on_demand(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        path, _, query = target.partition("?")
        _, _, what, *number = path.split("/")
        fields = parse_qs(query, keep_blank_values=True)
        if what == "echo":
            lines = sorted(f"{name}: {value}" for name, value in headers.items())
            head = "\n".join([f"{method} {target}", *lines])
            return 200, {}, head.encode() + b"\n\n" + (body or b"")
        names = {"retry-after": "retry-after", "to": "location"}
        found = {names[name]: values[0] for name, values in fields.items()}
        status = int(number[0])
        return status, found, b"" if status in (204, 304) else b"said"


def refuse(condition: object, problem: str) -> None:
    if condition:
        raise InvalidArgument(problem)


class SoundHttp:
    """Keeps every promise of http/1."""

    def __init__(self, site: Site) -> None:
        self.site, self.open_ = site, False

    async def __aenter__(self) -> Self:
        self.open_ = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open_ = False

    async def get(self, url: str, *, headers: Any = None) -> Response:
        return await self._call("GET", url, headers)

    async def head(self, url: str, *, headers: Any = None) -> Response:
        return await self._call("HEAD", url, headers)

    async def open(self, url: str, *, headers: Any = None) -> AsyncIterator[bytes]:
        found = await self._call("GET", url, headers)
        self._check_content(found)
        for start in range(0, len(found.body), 65536):
            yield found.body[start : start + 65536]
            await asyncio.sleep(0)

    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        refuse(not isinstance(digest, str) or not self._is_digest(digest), "no digest")
        found = await self._call("GET", url, None)
        if found.status in (404, 410):
            return None
        self._check_content(found)
        if f"sha256:{hashlib.sha256(found.body).hexdigest()}" != digest:
            raise ProtocolViolation("another", outcome=Outcome.NOT_APPLIED)
        return found.body

    async def post(
        self, url: str, body: bytes = b"", *, headers: Any = None, idempotency_key: str = ""
    ) -> Response:
        return await self._write("POST", url, body, headers, idempotency_key)

    async def put(
        self, url: str, body: bytes, *, headers: Any = None, idempotency_key: str = ""
    ) -> Response:
        return await self._write("PUT", url, body, headers, idempotency_key)

    async def patch(
        self, url: str, body: bytes, *, headers: Any = None, idempotency_key: str = ""
    ) -> Response:
        return await self._write("PATCH", url, body, headers, idempotency_key)

    async def delete(self, url: str, *, headers: Any = None, idempotency_key: str = "") -> Response:
        return await self._write("DELETE", url, None, headers, idempotency_key)

    async def _write(
        self, method: str, url: Any, body: Any, headers: Any, idempotency_key: Any
    ) -> Response:
        refuse(method != "DELETE" and not isinstance(body, bytes), "no body")
        self._check_size(body or b"")
        self._check_key(idempotency_key)
        return await self._call(method, url, headers, body, idempotency_key)

    async def _call(
        self, method: str, url: Any, headers: Any, body: bytes | None = None, key: str = ""
    ) -> Response:
        self._check_open()
        named = self._headers(headers)
        if key:
            named[KEY_HEADER] = key
        url = self._allowed(self._parsed(url))
        await asyncio.sleep(0)
        for _ in range(6):
            answer = self._sent(method, url, named, body)
            location = answer.headers.get("location")
            if not self._follows(method, answer) or location is None:
                return answer
            method, url, named = self._led(method, url, location, named, answer)
        raise ProtocolViolation("round and round", outcome=Outcome.NOT_APPLIED)

    def _follows(self, method: str, answer: Response) -> bool:
        return method in ("GET", "HEAD") and answer.status in (301, 302, 303, 307, 308)

    def _led(
        self, method: str, url: str, location: str, headers: dict[str, str], answer: Response
    ) -> tuple[str, str, dict[str, str]]:
        try:
            to = self._parsed(urljoin(url, location.partition("#")[0]))
        except (InvalidArgument, ValueError):
            raise ProtocolViolation("no URL", outcome=Outcome.NOT_APPLIED) from None
        to = self._allowed(to)
        if to.split("/")[2] != url.split("/")[2]:
            headers = self._for_others(headers)
        return method, to, headers

    def _for_others(self, headers: dict[str, str]) -> dict[str, str]:
        return {n: v for n, v in headers.items() if n in TRAVELLING_HEADERS}

    def _sent(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        sent = {"host": url.split("/")[2], **headers}
        if body is not None:
            sent["content-length"] = str(len(body))
        status, found, content = self.site.answer(method, url, sent, body)
        return Response(
            status=status,
            headers=found,
            body=b"" if method == "HEAD" else content,
            url=url,
            method=method,
            retry_after_seconds=self._wait(found.get("retry-after")),
        )

    def _wait(self, text: str | None) -> float | None:
        if text is None:
            return None
        if text.isdecimal():
            return float(text)
        try:
            date = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        return max(0.0, date.timestamp() - self.site.clock.now())

    def _check_content(self, found: Response) -> None:
        if found.status != 200:
            raise status_error(
                found.status, "GET", found.url, retry_after_seconds=found.retry_after_seconds
            )

    def _check_size(self, body: bytes) -> None:
        refuse(len(body) > LIMITS["request_size_bytes_max"], "too large")

    def _check_open(self) -> None:
        if not self.open_:
            raise ClientClosed("closed")

    def _is_digest(self, digest: str) -> bool:
        return DIGEST.fullmatch(digest) is not None

    def _check_key(self, key: Any) -> None:
        refuse(not isinstance(key, str) or not KEY.fullmatch(key), "no key")

    def _headers(self, headers: Any) -> dict[str, str]:
        refuse(headers is not None and not isinstance(headers, Mapping), "no headers")
        found: dict[str, str] = {}
        for name, value in (headers or {}).items():
            refuse(not isinstance(name, str) or not isinstance(value, str), "no text")
            self._check_header(name, value)
            refuse(name.lower() in found, "twice")
            found[name.lower()] = value
        return found

    def _check_header(self, name: str, value: str) -> None:
        refuse(not NAME.fullmatch(name) or not VALUE.fullmatch(value), "no header")
        refuse(name.lower() in RESERVED, "reserved")

    def _parsed(self, url: Any) -> str:
        refuse(not isinstance(url, str) or len(url) > 8000, "no URL")
        parts = URL.fullmatch(url)
        refuse(parts is None, "no URL")
        assert parts is not None
        scheme, host, target = parts["scheme"].lower(), parts["host"].lower(), parts["target"]
        port = int(parts["port"] or (443 if scheme == "https" else 80))
        self._check_host(host)
        refuse(not 0 < port < 65536, "no port")
        segments = unquote(target.partition("?")[0]).split("/")
        refuse("." in segments or ".." in segments, "dots")
        at = host if port == 443 else f"{host}:{port}"
        return f"{scheme}://{at}{target if target.startswith('/') else '/' + target}"

    def _check_host(self, host: str) -> None:
        try:
            if host.startswith("["):
                ipaddress.IPv6Address(host[1:-1])
            elif re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.split(".")[-1]):
                ipaddress.IPv4Address(host)
            else:
                refuse(not all(map(LABEL.fullmatch, host.split("."))), "no name")
        except ipaddress.AddressValueError:
            raise InvalidArgument("no address") from None

    def _allowed(self, url: str) -> str:
        at = url.split("/")[2]
        host, port = (at, 443) if ":" not in at.rpartition("]")[2] else at.rsplit(":", 1)
        if (host, int(port)) not in HOSTS or not url.startswith("https:"):
            raise EgressRefused("elsewhere", hint="name the host")
        return url


# Answers


class AbsenceIsAnError(SoundHttp):
    def _sent(self, *args: Any) -> Response:
        found = super()._sent(*args)
        if found.status == 404:
            raise status_error(404, "GET", found.url)
        return found


class FailuresAreErrors(SoundHttp):
    def _sent(self, *args: Any) -> Response:
        found = super()._sent(*args)
        if found.status >= 500:
            raise status_error(found.status, found.method, found.url)
        return found


class _Changed(SoundHttp):
    def change(self, found: Response) -> Response:
        raise NotImplementedError

    def _sent(self, *args: Any) -> Response:
        return self.change(super()._sent(*args))


class BodyOfErrorsIsDropped(_Changed):
    def change(self, found: Response) -> Response:
        return found if found.ok else replace(found, body=b"")


class TextInside(_Changed):
    def change(self, found: Response) -> Response:
        return replace(found, body=found.body.decode(errors="replace").encode())


class BodyIsABuffer(_Changed):
    def change(self, found: Response) -> Response:
        return replace(found, body=bytearray(found.body))  # type: ignore[arg-type]


class BodyIsCut(_Changed):
    def change(self, found: Response) -> Response:
        return replace(found, body=found.body[:65536])


class LineEndsAreTranslated(_Changed):
    def change(self, found: Response) -> Response:
        return replace(found, body=found.body.replace(b"\r\n", b"\n"))


class HeadersAsTheyCame(_Changed):
    def change(self, found: Response) -> Response:
        return replace(found, headers={n.title(): v for n, v in found.headers.items()})


class TypeWithoutParameters(_Changed):
    def change(self, found: Response) -> Response:
        kept = {n: v.partition(";")[0] for n, v in found.headers.items()}
        return replace(found, headers=kept)


class HeadersAreNotSent(SoundHttp):
    def _headers(self, headers: Any) -> dict[str, str]:
        return {n: v for n, v in super()._headers(headers).items() if not n.startswith("x-")}


class WaitIsForgotten(_Changed):
    def change(self, found: Response) -> Response:
        return replace(found, retry_after_seconds=None)


class DatesAreNoWaits(SoundHttp):
    def _wait(self, text: str | None) -> float | None:
        return float(text) if text is not None and text.isdecimal() else None


class WaitIsMadeUp(SoundHttp):
    def _wait(self, text: str | None) -> float | None:
        found = super()._wait(text)
        return 1.0 if text is not None and found is None else found


class HeadHasContent(SoundHttp):
    async def head(self, url: str, *, headers: Any = None) -> Response:
        return replace(await self.get(url, headers=headers), method="HEAD")


class HeadHasNoHeaders(_Changed):
    def change(self, found: Response) -> Response:
        return replace(found, headers={}) if found.method == "HEAD" and found.ok else found


class _Reads(SoundHttp):
    """Reads another URL than it was given."""

    def other(self, url: str) -> str:
        raise NotImplementedError

    def _sent(self, method: str, url: str, *rest: Any) -> Response:
        return replace(super()._sent(method, self.other(url), *rest), url=url)


class DecodesTargets(_Reads):
    def other(self, url: str) -> str:
        return url.replace("%2F", "/")


class DropsQueries(_Reads):
    def other(self, url: str) -> str:
        return url if "/-/" in url else url.partition("?")[0]


class FoldsSlashes(_Reads):
    def other(self, url: str) -> str:
        return re.sub(r"(?<!:)//+", "/", url)


class TakesHostsForOne(_Reads):
    def other(self, url: str) -> str:
        return url if "/-/" in url else url.replace("second.example", "site.example")


class PlusIsABlank(_Reads):
    def other(self, url: str) -> str:
        return url if "/-/" in url else url.replace("+", "%20")


class UrlWithoutQuery(_Changed):
    def change(self, found: Response) -> Response:
        return replace(found, url=found.url.partition("?")[0])


class HostsAreCompared(SoundHttp):
    def _parsed(self, url: Any) -> str:
        refuse(isinstance(url, str) and url != url.replace("SITE", "site"), "no URL")
        return super()._parsed(url)


class MixesConcurrentAnswers(SoundHttp):
    async def _call(self, *args: Any) -> Response:
        self.asked = args[1]
        await asyncio.sleep(0)
        return await super()._call(args[0], self.asked, *args[2:])


class RedirectWithoutLocationFails(SoundHttp):
    def _follows(self, method: str, answer: Response) -> bool:
        if super()._follows(method, answer) and "location" not in answer.headers:
            raise ProtocolViolation("nowhere", outcome=Outcome.NOT_APPLIED)
        return super()._follows(method, answer)


# Writes


class FirstPutWins(SoundHttp):
    async def put(self, url: str, body: bytes, **named: Any) -> Response:
        known = self.site.held.get(url, (body,))[0]
        return await super().put(url, known if isinstance(body, bytes) else body, **named)


class DeleteIsForgotten(SoundHttp):
    async def delete(self, url: str, **named: Any) -> Response:
        kept = dict(self.site.held)
        found = await super().delete(url, **named)
        self.site.held.update(kept)
        return found


class DeleteTakesWhatIsBeside(SoundHttp):
    async def delete(self, url: str, **named: Any) -> Response:
        found = await super().delete(url, **named)
        beside = url.rpartition("/")[0]
        for each in [each for each in self.site.held if each.startswith(f"{beside}/")]:
            del self.site.held[each]
        return found


class PostsOnce(SoundHttp):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.posted: dict[object, Response] = {}

    async def post(self, url: str, body: bytes = b"", **named: Any) -> Response:
        asked = url, body, str(named)
        if asked not in self.posted:
            self.posted[asked] = await super().post(url, body, **named)
        return self.posted[asked]


class PatchReplaces(SoundHttp):
    async def patch(self, url: str, body: bytes, **named: Any) -> Response:
        found = await super().patch(url, body, **named)
        if found.status == 204 and "/-/" not in url:
            self.site.held[url] = body, self.site.held[url][1]
        return found


class KeyIsAnotherEachTime(SoundHttp):
    tried = 0

    async def _write(self, method: str, url: Any, body: Any, headers: Any, key: Any) -> Response:
        self.tried += 1
        made = f"{key}{self.tried}" if isinstance(key, str) and key else key
        return await super()._write(method, url, body, headers, made)


class KeyIsHashed(SoundHttp):
    async def _write(self, method: str, url: Any, body: Any, headers: Any, key: Any) -> Response:
        self._check_key(key)
        made = hashlib.sha256(key.encode()).hexdigest() if key else ""
        return await super()._write(method, url, body, headers, made)


class KeyIsMadeUp(SoundHttp):
    async def _write(self, method: str, url: Any, body: Any, headers: Any, key: Any) -> Response:
        return await super()._write(method, url, body, headers, key or f"{id(body)}")


class KeyOfDeleteIsDropped(SoundHttp):
    async def delete(self, url: str, *, headers: Any = None, idempotency_key: str = "") -> Response:
        self._check_key(idempotency_key)
        return await super().delete(url, headers=headers)


class RefusedWritesAreErrors(SoundHttp):
    def _sent(self, *args: Any) -> Response:
        found = super()._sent(*args)
        if args[0] == "DELETE" and found.status in (409, 429):
            raise status_error(found.status, found.method, found.url)
        return found


class WritesAreRedirected(SoundHttp):
    def _follows(self, method: str, answer: Response) -> bool:
        return answer.status in (307, 308) or super()._follows(method, answer)


class SeeOtherIsFollowed(SoundHttp):
    def _follows(self, method: str, answer: Response) -> bool:
        return answer.status == 303 or super()._follows(method, answer)

    def _led(self, method: str, *rest: Any) -> tuple[str, str, dict[str, str]]:
        return super()._led("GET" if method not in ("GET", "HEAD") else method, *rest)


class TypeIsMadeUp(SoundHttp):
    async def post(self, url: str, body: bytes = b"", *, headers: Any = None, **named: Any) -> Any:
        given = headers or {"content-type": "application/x-www-form-urlencoded"}
        return await super().post(url, body, headers=given, **named)


class EmptyBodyIsNone(SoundHttp):
    def _sent(self, method: str, url: str, headers: Any, body: bytes | None) -> Response:
        return super()._sent(method, url, headers, body or None)


# Redirects


class FollowsNothing(SoundHttp):
    def _follows(self, method: str, answer: Response) -> bool:
        return False


class FollowsOnce(SoundHttp):
    async def _call(self, *args: Any) -> Response:
        self.hops = 0
        return await super()._call(*args)

    def _follows(self, method: str, answer: Response) -> bool:
        self.hops += 1
        return super()._follows(method, answer) and self.hops == 1


class PermanentIsNotFollowed(SoundHttp):
    def _follows(self, method: str, answer: Response) -> bool:
        return answer.status != 308 and super()._follows(method, answer)


class LocationsAreWhole(SoundHttp):
    def _led(self, method: str, url: str, location: str, *rest: Any) -> Any:
        if "://" not in location:
            raise ProtocolViolation("no URL", outcome=Outcome.NOT_APPLIED)
        return super()._led(method, url, location, *rest)


class FragmentsAreSent(SoundHttp):
    def _led(self, method: str, url: str, location: str, *rest: Any) -> Any:
        return super()._led(method, url, location.replace("#", "%23"), *rest)


class HeadBecomesGet(SoundHttp):
    def _led(self, method: str, url: str, location: str, headers: Any, answer: Any) -> Any:
        other = "GET" if answer.status == 303 else method
        return super()._led(other, url, location, headers, answer)


class ChecksTheFirstHostOnly(SoundHttp):
    def _led(self, method: str, url: str, location: str, headers: Any, answer: Any) -> Any:
        try:
            return super()._led(method, url, location, headers, answer)
        except EgressRefused:
            return method, urljoin(url, location), headers


class RedirectPortsAreForgotten(SoundHttp):
    def _led(self, method: str, url: str, location: str, *rest: Any) -> Any:
        return super()._led(method, url, location.replace(":8443", ""), *rest)


class GivesUpTls(SoundHttp):
    def _led(self, method: str, url: str, location: str, *rest: Any) -> Any:
        safe = re.sub(r"^http://([^/:]+)(:443)?", r"https://\1", location)
        return super()._led(method, url, safe, *rest)


class EndlessRedirectIsTheAnswer(SoundHttp):
    async def _call(self, *args: Any) -> Response:
        try:
            return await super()._call(*args)
        except ProtocolViolation as error:
            if "round" not in str(error):
                raise
            return Response(308, url=args[1])


class BadLocationIsAnArgument(SoundHttp):
    def _led(self, method: str, url: str, location: str, *rest: Any) -> Any:
        try:
            return super()._led(method, url, location, *rest)
        except ProtocolViolation as error:
            raise InvalidArgument(str(error)) from None


class CredentialsGoAlong(SoundHttp):
    def _for_others(self, headers: dict[str, str]) -> dict[str, str]:
        return headers


class CookiesGoAlong(SoundHttp):
    def _for_others(self, headers: dict[str, str]) -> dict[str, str]:
        return {n: v for n, v in headers.items() if n in {*TRAVELLING_HEADERS, "cookie"}}


class ApiKeysGoAlong(SoundHttp):
    """As most clients have it: the credentials are known by two names."""

    def _for_others(self, headers: dict[str, str]) -> dict[str, str]:
        return {n: v for n, v in headers.items() if n not in ("authorization", "cookie")}


class NamesAreComparedByTheirBeginning(SoundHttp):
    def _for_others(self, headers: dict[str, str]) -> dict[str, str]:
        return {n: v for n, v in headers.items() if n.startswith(tuple(TRAVELLING_HEADERS))}


class CredentialsComeBack(SoundHttp):
    """To the origin that they were given for, from wherever another one redirects."""

    async def _call(self, method: str, url: Any, headers: Any, *rest: Any) -> Response:
        self.given = self._headers(headers)
        self.origin = url.split("/")[2] if isinstance(url, str) and "//" in url else ""
        return await super()._call(method, url, headers, *rest)

    def _led(self, *args: Any) -> tuple[str, str, dict[str, str]]:
        method, url, headers = super()._led(*args)
        return method, url, self.given if url.split("/")[2] == self.origin else headers


class HeadersAreDroppedOnTheWay(SoundHttp):
    def _led(self, *args: Any) -> tuple[str, str, dict[str, str]]:
        method, url, headers = super()._led(*args)
        return method, url, self._for_others(headers)


class NothingGoesAlong(SoundHttp):
    def _for_others(self, headers: dict[str, str]) -> dict[str, str]:
        return {}


class ConditionsAreForgotten(SoundHttp):
    def _for_others(self, headers: dict[str, str]) -> dict[str, str]:
        return {n: v for n, v in super()._for_others(headers).items() if not n.startswith("if-")}


# Pinned reads and streams


class DigestIsIgnored(SoundHttp):
    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        refuse(not isinstance(digest, str) or not self._is_digest(digest), "no digest")
        found = await self._call("GET", url, None)
        if found.status in (404, 410):
            return None
        self._check_content(found)
        return found.body


class OtherContentIsAbsent(SoundHttp):
    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        try:
            return await super().get_pinned(url, digest)
        except ProtocolViolation as error:
            if error.status is not None:
                raise
            return None


class PinnedIsNotRedirected(SoundHttp):
    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        return None if "/-/redirect" in url else await super().get_pinned(url, digest)


class FailureIsAbsence(SoundHttp):
    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        try:
            return await super().get_pinned(url, digest)
        except ProtocolViolation:
            raise
        except InvalidArgument:
            raise
        except Exception:
            return None


class GoneIsAnError(SoundHttp):
    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        found = await self._call("GET", url, None)
        if found.status == 410:
            raise status_error(410, "GET", url)
        return await super().get_pinned(url, digest)


class AnySuccessIsContent(SoundHttp):
    def _check_content(self, found: Response) -> None:
        if not found.ok:
            super()._check_content(found)


class DigestsInAnyCase(SoundHttp):
    def _is_digest(self, digest: str) -> bool:
        return super()._is_digest(digest.lower())


class StreamIsCut(SoundHttp):
    async def open(self, url: str, *, headers: Any = None) -> AsyncIterator[bytes]:
        async for chunk in super().open(url, headers=headers):
            yield chunk
            if len(chunk) < 65536:
                return
            break


class StreamGivesBuffers(SoundHttp):
    async def open(self, url: str, *, headers: Any = None) -> AsyncIterator[Any]:
        async for chunk in super().open(url, headers=headers):
            yield bytearray(chunk)


class StreamOfTheAbsentIsEmpty(SoundHttp):
    async def open(self, url: str, *, headers: Any = None) -> AsyncIterator[bytes]:
        found = await self._call("GET", url, headers)
        if found.status not in (404, 410):
            async for chunk in super().open(url, headers=headers):
                yield chunk


class StreamsWhatFailureSays(SoundHttp):
    async def open(self, url: str, *, headers: Any = None) -> AsyncIterator[bytes]:
        found = await self._call("GET", url, headers)
        if found.status == 500:
            yield found.body
            return
        async for chunk in super().open(url, headers=headers):
            yield chunk


class StreamForgetsTheWait(SoundHttp):
    def _check_content(self, found: Response) -> None:
        super()._check_content(replace(found, retry_after_seconds=None))


class OneStreamAtATime(SoundHttp):
    streaming = False

    async def open(self, url: str, *, headers: Any = None) -> AsyncIterator[bytes]:
        refuse(self.streaming, "another stream is open")
        self.streaming = True
        async for chunk in super().open(url, headers=headers):
            yield chunk
        self.streaming = False


# What is sent at all


class GoesAnywhere(SoundHttp):
    def _allowed(self, url: str) -> str:
        return url


class PortsAreForgotten(SoundHttp):
    def _allowed(self, url: str) -> str:
        super()._allowed(url.replace(":8443", "").replace(":80", ""))
        return url


class SubdomainsToo(SoundHttp):
    def _allowed(self, url: str) -> str:
        host = url.split("/")[2]
        return url if host.endswith(".site.example") else super()._allowed(url)


class HostIsLookedForAnywhere(SoundHttp):
    def _allowed(self, url: str) -> str:
        return url if "//site.example" in url else super()._allowed(url)


class RefusalWithoutAdvice(SoundHttp):
    def _allowed(self, url: str) -> str:
        try:
            return super()._allowed(url)
        except EgressRefused:
            raise EgressRefused("elsewhere") from None


class SpeaksInClear(SoundHttp):
    def _allowed(self, url: str) -> str:
        super()._allowed(re.sub(r"^http://([^/:]+)(:80|:443)?/", r"https://\1/", url))
        return url


class UsersAreTaken(SoundHttp):
    def _parsed(self, url: Any) -> str:
        return super()._parsed(re.sub("//[^/?#]*@", "//", url) if isinstance(url, str) else url)


class FragmentsAreTaken(SoundHttp):
    def _parsed(self, url: Any) -> str:
        return super()._parsed(url.partition("#")[0] if isinstance(url, str) else url)


class BlanksAreStripped(SoundHttp):
    def _parsed(self, url: Any) -> str:
        return super()._parsed(url.strip() if isinstance(url, str) else url)


class LettersAreEncoded(SoundHttp):
    def _parsed(self, url: Any) -> str:
        return super()._parsed(url.replace("é", "%C3%A9") if isinstance(url, str) else url)


class DotsAreResolved(SoundHttp):
    def _parsed(self, url: Any) -> str:
        return super()._parsed(urljoin(url, url) if isinstance(url, str) else url)


class ErrorShowsTheUrl(SoundHttp):
    def _allowed(self, url: str) -> str:
        try:
            return super()._allowed(url)
        except EgressRefused as error:
            raise EgressRefused(f"{url} is elsewhere", hint=error.hint) from None


class HeadersAreInjected(SoundHttp):
    def _check_header(self, name: str, value: str) -> None:
        super()._check_header(name, value.replace("\n", " ").replace("\r", " "))


class HeadersAreStripped(SoundHttp):
    def _check_header(self, name: str, value: str) -> None:
        super()._check_header(name, value.strip())


class HostMayBeGiven(SoundHttp):
    def _check_header(self, name: str, value: str) -> None:
        super()._check_header("x-host" if name.lower() == "host" else name, value)


class KeyMayBeGivenAsHeader(SoundHttp):
    def _check_header(self, name: str, value: str) -> None:
        super()._check_header("x-key" if name.lower() == KEY_HEADER else name, value)


class KeyEndsItsHeader(SoundHttp):
    def _check_key(self, key: Any) -> None:
        super()._check_key(key.replace("\n", "") if isinstance(key, str) else key)


class SendsWhatIsTooLarge(SoundHttp):
    def _check_size(self, body: bytes) -> None:
        pass


class TextIsABody(SoundHttp):
    async def _write(self, method: str, url: Any, body: Any, headers: Any, key: Any) -> Response:
        given = body.encode() if isinstance(body, str) else body
        return await super()._write(method, url, given, headers, key)


class TripsOverHeaders(SoundHttp):
    def _headers(self, headers: Any) -> dict[str, str]:
        return super()._headers(dict(headers.items()) if headers is not None else None)


class OpenAfterClose(SoundHttp):
    def _check_open(self) -> None:
        pass


class KeepsCopies(SoundHttp):
    """A cache that nobody tells what others put."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.copies: dict[str, Response] = {}

    async def get(self, url: str, *, headers: Any = None) -> Response:
        self._check_open()
        if url in self.copies:
            return self.copies[url]
        found = await super().get(url, headers=headers)
        if found.status == 200 and "/-/" not in url:
            self.copies[url] = found
        return found

    async def _write(self, method: str, url: Any, *rest: Any) -> Response:
        found = await super()._write(method, url, *rest)
        self.copies.pop(url, None)
        return found


class ClosingClosesAll(SoundHttp):
    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        self.site.held.clear()
