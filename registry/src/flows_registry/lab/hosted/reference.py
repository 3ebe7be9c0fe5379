"""The reference server that a plugin brings for its own wire, as one of ours looks."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core_caps.contract.reference import Request, Response

from flows_registry.lab.hosted.hosting import Host, HostBroken, as_it_is, walls_of
from flows_registry.lab.references.exchange import ReferenceFactory

__all__ = ["HostedReference", "hosted_factory"]


@dataclass(frozen=True, slots=True)
class HostedReference:
    """A reference in the host; asking may raise HostBroken."""

    host: Host
    number: int
    now: Callable[[], float]
    scoped: bool = False

    def handle(self, request: Request) -> Response:
        """Let it apply one request and answer it."""
        sent = {**asdict(request), "body": base64.b64encode(request.body).decode()}
        return _response(self.host.ask("handle", number=self.number, now=self.now(), request=sent))

    def state(self) -> Mapping[str, Any]:
        """Its whole state."""
        return self.host.ask("state", number=self.number)

    def reset(self) -> None:
        """Back to the empty state."""
        self.host.ask("reset", number=self.number)

    def scopes(self, request: Request) -> Sequence[str] | None:
        """The permissions any one of which a request needs, or None where it does not tell."""
        if not self.scoped:
            return None
        sent = {**asdict(request), "body": base64.b64encode(request.body).decode()}
        return self.host.ask("scopes", number=self.number, request=sent)

    def failure(self, status: int) -> Response:
        """Its error answer for a status."""
        return _response(self.host.ask("failure", number=self.number, status=status))


def hosted_factory(furnished: Mapping[str, Any]) -> ReferenceFactory:
    """The factory of the reference that a plugin names, in a host of its own.

    Args:
        furnished: `wire`, `reference` (its lazy name), `python`, `config`, `secrets`, and `walls`,
            an empty folder for the walls around it, or "" for none.

    Raises:
        HostBroken: it cannot be imported, or made from these settings.
    """
    python, root = Path(furnished["python"]), str(furnished["walls"])
    entering = walls_of(python, Path(root), owner=False).within if root else as_it_is
    host = Host(python, "reference", furnished["reference"], entering=entering)

    def create(
        settings: Mapping[str, Any], secrets: Mapping[str, str], now: Callable[[], float]
    ) -> HostedReference:
        given = {"settings": dict(settings), "secrets": dict(secrets), "now": now()}
        number = host.ask("create", **given)
        return HostedReference(host, number, now, host.ask("is_scoped", number=number))

    vendor = create(furnished["config"], furnished["secrets"], lambda: 0.0)
    return ReferenceFactory(furnished["wire"], create, vendor.failure)


def _response(answer: Mapping[str, Any]) -> Response:
    try:
        headers = tuple((str(name), str(value)) for name, value in answer["headers"])
        return Response(int(answer["status"]), headers, base64.b64decode(answer["body"]))
    except (KeyError, TypeError, ValueError):
        raise HostBroken(f"the reference answered {answer!r:.200}, which is no response") from None
