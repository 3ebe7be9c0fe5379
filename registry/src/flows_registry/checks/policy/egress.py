"""The hosts that a backend declares, against those that it reaches and those that are allowed."""

from collections.abc import Iterator, Mapping

from core_caps.claims.egress import addresses

from flows_registry.checks.plan import Plan
from flows_registry.checks.ways_out import declared
from flows_registry.verdict import Finding

__all__ = ["NAME", "egress"]

NAME = "policy"

_EVERYWHERE = frozenset({"0.0.0.0", "[::]", ""})  # noqa: S104


def egress(plan: Plan, backend: str) -> Iterator[Finding]:
    """Every finding about where a backend goes."""
    yield from _too_wide(plan, backend)
    if not plan.only:
        yield from _never_reached(plan, backend)
    yield from _followed(plan, backend)
    yield from _not_allowed(plan, backend)


def _settings(plan: Plan, backend: str) -> Mapping[str, object]:
    return {
        setting.name: setting.default if setting.example is None else setting.example
        for setting in plan.backend(backend).config.values()
    }


def _too_wide(plan: Plan, backend: str) -> Iterator[Finding]:
    """What stands for more than one host is no declaration, not even as a setting's default."""
    entries = plan.backend(backend).egress
    defaults = {name: s.default or "" for name, s in plan.backend(backend).config.items()}
    for settings in (_settings(plan, backend), {**_settings(plan, backend), **defaults}):
        for host, port in addresses(entries, _without_gaps(entries, settings)):
            if "*" in host or host in _EVERYWHERE:
                yield Finding(
                    "EGRESS104",
                    f"{host}:{port} is no single host",
                    "egress names every host that is connected to, one by one",
                    declared(frozenset({(host, port)})),
                    plan.reproduce(NAME, ""),
                    "name the hosts, or let a setting name them that has no default",
                )
                return


def _without_gaps(entries: tuple[str, ...], settings: Mapping[str, object]) -> dict[str, object]:
    """The settings; one that has no value yet leaves an entry that is made of it alone empty."""
    return {
        name: value if value != "" or f"{{{name}}}" in entries else f"{name}.example"
        for name, value in settings.items()
    }


def _never_reached(plan: Plan, backend: str) -> Iterator[Finding]:
    """What is declared is needed: an entry of which no address was ever tried is not."""
    reached = plan.observations.reached(backend)
    for entry in plan.backend(backend).egress:
        named = addresses([entry], _settings(plan, backend))
        if named and not reached & set(named):
            yield Finding(
                "EGRESS103",
                f"it declares {entry!r} and never goes there",
                declared(frozenset(named)),
                f"in all cases it went to {_shown(reached)}",
                plan.reproduce(NAME, ""),
                "declare only what is connected to, or add an exercise that needs the host",
            )


def _followed(plan: Plan, backend: str) -> Iterator[Finding]:
    """A redirect leads only where the manifest says that the plugin goes."""
    egress = plan.egress(backend)
    for case, places in plan.observations.redirected(backend).items():
        if strange := places - egress:
            yield Finding(
                "EGRESS105",
                "it follows a redirect off its hosts",
                declared(egress),
                f"a redirect led it to {_shown(frozenset(strange))}",
                plan.reproduce(NAME, case),
                "follow no redirect to another host",
            )
            return


def _not_allowed(plan: Plan, backend: str) -> Iterator[Finding]:
    hosts = plan.policy.egress
    for host, port in sorted(plan.egress(backend) | plan.observations.reached(backend)):
        if problem := hosts.problem(host, port):
            told = "declares" if (host, port) in plan.egress(backend) else "goes to"
            yield Finding(
                "POLICY102",
                f"it {told} {host}:{port}, where the policy lets nobody go",
                f"the policy {plan.policy.name!r}: egress {problem}",
                f"it {told} {host}:{port}",
                plan.reproduce(NAME, ""),
                "do not go there, or let whoever keeps the policy allow it",
            )


def _shown(places: frozenset[tuple[str, int]]) -> str:
    return ", ".join(f"{host}:{port}" for host, port in sorted(places)) or "nowhere"
