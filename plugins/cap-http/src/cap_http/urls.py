"""URLs, taken as they are or refused: nothing is guessed, completed or repaired.

Where two programs read one URL differently, a request goes where nobody allowed it to go. So a URL
is printable ASCII as RFC 3986 has it, and what the readers of URLs are known to disagree about is
refused: users before the host, backslashes, addresses that are not written in full, `..` in paths.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin

from core_caps.errors import InvalidArgument

__all__ = ["Url", "checked_host", "joined", "parsed", "shown"]

URL_CHARACTERS_MAX = 8000
"""https://www.rfc-editor.org/rfc/rfc9110#section-4.1-5"""

HOST_CHARACTERS_MAX = 253
PORT_MAX = 65535
PORTS = {"https": 443, "http": 80}

_TARGET = re.compile(r"(?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[0-9]{1,5}")
_LEFT_ALONE = "".join(chr(code) for code in range(0x21, 0x7F))


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts.

    Attributes:
        scheme: "https" or "http".
        host: a name in lower case, an IPv4 address, or an IPv6 address in brackets.
        port: its number, also where the URL leaves it to the scheme.
        target: path and query, as they are sent.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The host, and the port where it is not the scheme's own."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whom a header is meant for that may be a credential."""
        return self.scheme, self.host, self.port

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parsed(url: object) -> Url:
    """The URL in its parts.

    Raises:
        InvalidArgument: it is none; NOT_APPLIED.
    """
    if not isinstance(url, str):
        raise _refused(f"a URL is a str, not {type(url).__name__}")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise _refused("it holds a space, a control character or a letter beyond ASCII")
    if len(url) > URL_CHARACTERS_MAX:
        raise _refused(f"it is longer than {URL_CHARACTERS_MAX} characters")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in PORTS:
        raise _refused("it does not begin with https:// or http://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host, port = _host_and_port(authority, PORTS[scheme.lower()])
    return Url(scheme.lower(), host, port, _target(rest[len(authority) :]))


def joined(url: Url, location: str) -> Url:
    """Where a Location leads from there; its fragment is for readers and dropped.

    Raises:
        InvalidArgument: it leads to no URL.
    """
    to = quote(location.partition("#")[0], safe=_LEFT_ALONE)
    if _SCHEME.match(to):
        return parsed(to)
    try:
        led = urljoin(str(url), to)
    except ValueError:
        raise _refused("it cannot be read") from None
    return parsed(led)


def shown(url: str) -> str:
    """The URL for people, without what is often a credential: a user, a query, a fragment."""
    before, separator, rest = re.split(r"[?#]", url, maxsplit=1)[0][:200].rpartition("@")
    if not separator:
        return rest
    return f"{before.partition('://')[0]}://{rest}" if "://" in before else rest


def checked_host(host: str) -> str:
    """The host in the form in which hosts are compared.

    Raises:
        InvalidArgument: it is neither a name nor an address.
    """
    if host.startswith("["):
        return _address_in_brackets(host)
    name = host.lower()
    labels = name.split(".")
    if len(name) > HOST_CHARACTERS_MAX or not all(map(_LABEL.fullmatch, labels)):
        raise _refused("its host is no name; a name beyond ASCII is written xn--…")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise _refused("its host is no address of four decimal numbers") from None
    return name


def _host_and_port(authority: str, usual: int) -> tuple[str, int]:
    if "@" in authority:
        raise _refused("it names a user; give a credential in a header")
    at = authority.find(":", authority.rfind("]") + 1)
    if at < 0:
        return checked_host(authority), usual
    port = authority[at + 1 :]
    if not _PORT.fullmatch(port) or not 0 < int(port) <= PORT_MAX:
        raise _refused(f"its port is none of 1 to {PORT_MAX}")
    return checked_host(authority[:at]), int(port)


def _address_in_brackets(host: str) -> str:
    try:
        if "%" in host or not host.endswith("]"):
            raise ValueError
        return f"[{ipaddress.IPv6Address(host[1:-1])}]"
    except ValueError:
        raise _refused("what stands in its brackets is no IPv6 address") from None


def _target(rest: str) -> str:
    if "#" in rest:
        raise _refused("it has a fragment, which is never sent")
    if not _TARGET.fullmatch(rest):
        raise _refused("it holds what must be percent-encoded, or a % that encodes nothing")
    path = rest.partition("?")[0]
    if any(unquote(segment) in (".", "..") for segment in path.split("/")):
        raise _refused("its path holds . or ..")
    return rest if rest.startswith("/") else f"/{rest}"


def _refused(problem: str) -> InvalidArgument:
    return InvalidArgument(
        f"this is no URL to send a request to: {problem}",
        hint="write https://host/path?query, percent-encoded",
    )
