"""Where a run went that nobody declared: by a request, by a connection, or by a name alone.

Looking a name up sends it to whoever answers for it, so a name can carry data out as well as a
connection can.
"""

from collections.abc import Mapping, Set

from flows_registry.lab.case import CaseRun

__all__ = ["declared", "strangers"]


_AROUND = " outside the call: at its import, opening or closing"


def strangers(run: CaseRun, egress: Set[tuple[str, int]], canaries: Mapping[str, str]) -> list[str]:
    """What a run did that leads to undeclared hosts: "goes to HOST:PORT", or "looks up NAME" where
    it went no further. A credential in a name is shown as its setting, `{api_token}`."""
    reached = {(e.host.lower(), e.port) for e in run.exchanges} | set(run.egress)
    around = set(run.egress_around) - reached
    known = {host for host, _ in reached | around | egress}
    lookups = set(run.lookups)
    deeds = [f"goes to {host}:{port}" for host, port in sorted(reached - egress)]
    deeds += [f"looks up {name}" for name in sorted(lookups - known)]
    deeds += [f"goes to {host}:{port}{_AROUND}" for host, port in sorted(around - egress)]
    deeds += [
        f"looks up {name}{_AROUND}" for name in sorted(set(run.lookups_around) - lookups - known)
    ]
    return [_redacted(deed, canaries) for deed in deeds]


def declared(egress: Set[tuple[str, int]]) -> str:
    """What a manifest declares, as it stands there."""
    return "egress = " + (", ".join(f"{host}:{port}" for host, port in sorted(egress)) or "nothing")


def _redacted(text: str, canaries: Mapping[str, str]) -> str:
    for setting, value in canaries.items():
        text = text.replace(value.lower(), f"{{{setting}}}")
    return text
