"""What the wheel's own words must say: metadata, entry point, manifest, requirements."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from core_caps.capabilities.known import spec_for
from core_caps.claims.manifest import Manifest, invalid, read
from core_caps.claims.manifest_model import validate
from core_caps.claims.operation import CapabilitySpec
from core_caps.errors import ManifestInvalid
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from flows_registry.lab.wheel import ENTRY_POINT_GROUP, MANIFEST_NAME, Problem, Wheel
from flows_registry.verdict import Finding, Reproduction

__all__ = [
    "Plugin",
    "declared_extras",
    "dependencies",
    "from_problem",
    "manifest_findings",
    "metadata",
    "own_manifest",
    "the_plugin",
    "usable_manifest",
]

Plugin = tuple[str, str]
"""An entry point: its name, and `module` or `module:attribute`."""


def from_problem(problem: Problem, wheel: Path) -> Finding:
    """A problem of the archive as a finding."""
    return Finding(
        problem.code,
        problem.message,
        promised="a wheel as the binary distribution format describes it, holding its own package",
        observed=problem.observed or problem.message,
        reproduce=Reproduction(f"python -m zipfile -l dist/{wheel.name}"),
        fix=problem.fix or "build the wheel again with an unmodified build backend",
    )


def metadata(wheel: Wheel) -> Iterator[Finding]:
    """Licence, supported Python versions, and the marker that its types may be relied on."""

    def missing(what: str, fix: str) -> Finding:
        return Finding(
            "PACKAGE008",
            f"{wheel.path.name} does not state {what}",
            promised="whoever installs a plugin can read what they may do with it",
            observed="nothing in METADATA or in the package",
            reproduce=Reproduction(f"unzip -p dist/{wheel.path.name} '*/METADATA'"),
            fix=fix,
        )

    headers = wheel.metadata
    classified = any(
        str(each).startswith("License ::") for each in headers.get_all("Classifier") or ()
    )
    if not (headers["License-Expression"] or headers["License"] or classified):
        yield missing("a licence", 'write license = "Apache-2.0" (an SPDX expression) in [project]')
    if not headers["Requires-Python"]:
        yield missing("the Python versions it runs on", 'write requires-python = ">=3.11"')
    packages = wheel.packages
    if packages and not any(
        PurePosixPath(name).name == "py.typed" and name.partition("/")[0] in packages
        for name in wheel.files
    ):
        yield missing("that it is typed", "add an empty py.typed beside __init__.py")


def the_plugin(wheel: Wheel) -> tuple[Plugin | None, list[Finding]]:
    """The one plugin that the wheel registers."""
    plugins = list(wheel.plugins.items())
    if len(plugins) == 1:
        name, target = plugins[0]
        if _module_file(wheel, target) is not None:
            return (name, target), []
        observed = f"{target} is not among the wheel's files"
    else:
        names = ", ".join(name for name, _ in plugins) or "none"
        observed = f"entry points in {ENTRY_POINT_GROUP}: {names}"
    return None, [
        Finding(
            "PACKAGE011",
            f"the wheel does not register one plugin: {observed}",
            promised=f"one entry point in the group {ENTRY_POINT_GROUP} names the plugin's module",
            observed=observed,
            reproduce=Reproduction(f"unzip -p dist/{wheel.path.name} '*/entry_points.txt'"),
            fix=f'[project.entry-points."{ENTRY_POINT_GROUP}"] NAME = "cap_name.plugin"',
        )
    ]


def own_manifest(
    wheel: Wheel, plugin: Plugin | None
) -> tuple[tuple[str, bytes] | None, list[Finding]]:
    """The manifest beside the plugin's module: member name and content.

    Where no entry point says which module that is, one manifest is not blamed for its place.
    """
    listed = ", ".join(wheel.manifests) or "none"
    if plugin is not None:
        folder = PurePosixPath(plugin[1].partition(":")[0].replace(".", "/"))
        places = [str(each / MANIFEST_NAME) for each in (folder, *folder.parents)][:-1]
        found = next((each for each in places if each in wheel.manifests), None)
        if found is not None and len(wheel.manifests) == 1:
            return (found, wheel.manifests[found]), []
    elif len(wheel.manifests) == 1:
        return None, []
    return None, [
        Finding(
            "PACKAGE010",
            f"one {MANIFEST_NAME} beside the entry point's package is needed, found: {listed}",
            promised="what a plugin does can be read from its wheel without importing it",
            observed=f"manifests in the wheel: {listed}",
            reproduce=Reproduction(
                f"python -m zipfile -l dist/{wheel.path.name} | grep {MANIFEST_NAME}"
            ),
            fix=f"keep {MANIFEST_NAME} beside __init__.py and let the build include it",
        )
    ]


def usable_manifest(content: bytes, origin: str) -> Manifest:
    """The manifest as every reader of it needs it, whatever else may be wrong with it.

    Raises:
        ManifestInvalid: `connect` could not read it either; all that is wrong is listed (CAP106).
    """
    try:
        return read(content, origin)
    except ManifestInvalid as error:
        if error.findings:
            raise invalid(origin, validate(content, spec_for=spec_for, origin=origin)[1]) from None
        raise


def manifest_findings(
    wheel: Wheel,
    plugin: Plugin,
    member: str,
    content: bytes,
    own: Mapping[str, CapabilitySpec],
) -> Iterator[Finding]:
    """Everything that validation finds in a readable manifest, and whether the two names agree."""
    reproduce = Reproduction(f"unzip -p dist/{wheel.path.name} {member}")

    def known(contract: str) -> CapabilitySpec | None:
        return own.get(contract) or spec_for(contract)

    manifest, found = validate(content, spec_for=known, origin=member)
    for each in found:
        yield Finding(
            each.code,
            f"{each.location}: {each.message}" if each.location else each.message,
            promised="a manifest as docs/manifest.md describes it",
            observed=each.message,
            reproduce=reproduce,
            fix=each.fix or f"correct {each.location or member}",
        )
    if manifest.name and manifest.name != plugin[0]:
        yield Finding(
            "PACKAGE011",
            f"the entry point is called {plugin[0]!r}, the manifest says {manifest.name!r}",
            promised="the name under which a plugin is found is the name it gives itself",
            observed=f"{plugin[0]} = {plugin[1]} against name = {manifest.name!r}",
            reproduce=reproduce,
            fix="use one of the two names in both places",
        )


def declared_extras(wheel: Wheel, manifest: Manifest) -> Iterator[Finding]:
    """Every extra that a backend names must be one of the wheel's."""
    for backend in manifest.backends.values():
        if backend.extra is not None and canonicalize_name(backend.extra) not in wheel.extras:
            yield Finding(
                "PACKAGE013",
                f"backend {backend.name!r} needs the extra {backend.extra!r}, which the wheel "
                "does not have",
                promised=f"pip install '{wheel.name}[{backend.extra}]' brings what it needs",
                observed=f"extras: {', '.join(sorted(wheel.extras)) or 'none'}",
                reproduce=Reproduction(
                    f"unzip -p dist/{wheel.path.name} '*/METADATA' | grep Provides-Extra"
                ),
                fix=f"add {backend.extra} to [project.optional-dependencies]",
            )


def dependencies(wheel: Wheel, manifest: Manifest) -> Iterator[Finding]:
    """What is installed with the plugin can be required, and comes from an index."""
    used = {"", *(canonicalize_name(b.extra) for b in manifest.backends.values() if b.extra)}
    for line in wheel.requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            message = f"{line!r} is no requirement: {error}"
            yield _dependency(wheel, line, message, "correct it")
            continue
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if name == wheel.name or (
            marker is not None and not any(_may_hold(marker.evaluate, extra) for extra in used)
        ):
            continue
        if requirement.url is not None:
            message = f"{name} is taken from {requirement.url}"
            yield _dependency(wheel, line, message, f"require a released version: {name}>=…")


def _may_hold(evaluate: object, extra: str) -> bool:
    assert callable(evaluate)
    return bool(evaluate({"extra": extra}))


def _dependency(wheel: Wheel, line: str, message: str, fix: str) -> Finding:
    promised = "whoever installs the plugin gets what it requires from an index"
    reproduce = Reproduction(f"unzip -p dist/{wheel.path.name} '*/METADATA' | grep Requires-Dist")
    return Finding("PACKAGE009", message, promised, line, reproduce, fix)


def _module_file(wheel: Wheel, target: str) -> str | None:
    path = target.partition(":")[0].replace(".", "/")
    stems = {f"{path}.py", f"{path}/__init__.py"}
    compiled = (each for each in wheel.compiled if each.startswith(f"{path}."))
    return next((each for each in (*wheel.files, *compiled) if each in stems), None) or next(
        compiled, None
    )
