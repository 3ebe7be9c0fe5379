"""What a manifest says of its plugin's code, as promises: whoever changes one changes the other.

`core_caps.contract.pytest_plugin.enrol_manifest` runs them in a plugin's own tests.
"""

import asyncio
import dataclasses
import importlib
import importlib.metadata
import importlib.util
import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core_caps.capabilities.known import KNOWN, load
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import FILE_NAME, Backend, Deviation, Manifest, Provided, read
from core_caps.claims.manifest_shape import claims_of
from core_caps.claims.operation import CapabilitySpec, spec_of
from core_caps.contract.suite import expect, violated
from core_caps.errors import DeterminismTooStrong, EffectTooSmall
from core_caps.plugins.connect import connect
from core_caps.plugins.extras import brought_by, missing_extra, normalised
from core_caps.plugins.scan import GROUP

__all__ = ["CASES", "CASES_OF_A_BACKEND", "Declared", "folder_of"]


@dataclass(frozen=True, slots=True)
class Declared:
    """A plugin as its manifest declares it.

    Attributes:
        package: its import name.
        manifest: what it declares.
    """

    package: str
    manifest: Manifest

    @classmethod
    def by(cls, package: str) -> "Declared":
        """The plugin that is installed under this import name; it is not imported.

        Raises:
            ManifestInvalid: the manifest cannot be used (CAP106).
            LookupError: there is no such package.
        """
        return cls(package, read(folder_of(package) / FILE_NAME))

    def distribution(self) -> importlib.metadata.Distribution:
        """The distribution whose entry point opens it under the manifest's name."""
        name = self.manifest.name
        found = [
            each.dist
            for each in importlib.metadata.entry_points(group=GROUP, name=name)
            if each.module.partition(".")[0] == self.package
        ]
        if not found or found[0] is None:
            violated(f"{self.package} has the entry point {name!r} in {GROUP}", found)
        return found[0]

    def missing_extra(self, backend: Backend) -> str | None:
        """The line that installs what a backend needs, or None where it is there."""
        for provider in backend.providers.values():
            try:
                load(provider)
            except ModuleNotFoundError as error:
                name = self.distribution().name
                line = missing_extra(error, provider, backend.extra, name)
                if line is None:
                    raise
                return line
        return None

    def protocol(self, provided: Provided) -> Any:
        """The protocol of a capability that it provides."""
        return load(provided.protocol or KNOWN[provided.contract].protocol)

    def capabilities(self) -> Iterator[tuple[Provided, CapabilitySpec]]:
        """What it provides, each with its specification."""
        for provided in self.manifest.capabilities.values():
            yield provided, spec_of(self.protocol(provided))

    def served(self, backend: Backend) -> Iterator[tuple[Provided, Any]]:
        """What a backend serves, each with the provider class."""
        for name, provider in backend.providers.items():
            yield self.manifest.capabilities[name], load(provider)


def folder_of(package: str) -> Path:
    """Where a package is, found without importing it.

    Raises:
        LookupError: there is no such package.
    """
    spec = importlib.util.find_spec(package.partition(".")[0])
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"no package {package!r} is installed")
    return Path(next(iter(spec.submodule_search_locations)))


def every_operation_claims_what_its_hints_allow(plugin: Declared) -> None:
    """And a manifest that claims more, for any operation, is refused."""
    for provided, spec in plugin.capabilities():
        for operation, claim in claims_of(plugin.manifest, spec).items():
            if claim.effects is not Effects.PURE:
                bolder = Deviation(effects=Effects.PURE)
                _refused(plugin, provided, spec, operation, bolder, EffectTooSmall)
            if claim.determinism is not Determinism.STRICT:
                bolder = Deviation(determinism=Determinism.STRICT)
                _refused(plugin, provided, spec, operation, bolder, DeterminismTooStrong)


def _refused(
    plugin: Declared,
    provided: Provided,
    spec: CapabilitySpec,
    operation: str,
    bolder: Deviation,
    error: type[Exception],
) -> None:
    lying = dataclasses.replace(provided, deviations={**provided.deviations, operation: bolder})
    others = plugin.manifest.capabilities
    manifest = dataclasses.replace(plugin.manifest, capabilities={**others, provided.name: lying})
    try:
        claimed = claims_of(manifest, spec)[operation]
    except error:
        return
    violated(f"{operation} may claim no more than its hints allow", claimed)


def every_limit_has_its_source_and_is_the_codes_own(plugin: Declared) -> None:
    """Where the package has a module `limits`, each limit is the constant of its name there."""
    code = f"{plugin.package}.limits"
    known = importlib.util.find_spec(code) is not None
    constants = vars(importlib.import_module(code)) if known else None
    for provided in (None, *plugin.manifest.capabilities.values()):
        for name, limit in (provided or plugin.manifest).limits.items():
            expect(f"the limit {name} has a source", limit.source.startswith("https://"), limit)
            if constants is not None:
                own = constants.get(name.upper())
                expect(f"limits.{name.upper()} is the limit {name}", own == limit.value, own)


def every_operation_has_a_cost_or_none_has(plugin: Declared) -> None:
    """What is told of costs is told of every operation."""
    provided = plugin.manifest.capabilities.values()
    operations = {name for each in provided for name in each.operations}
    costs = set(plugin.manifest.costs)
    expect("costs are those of the operations", not costs or costs == operations, costs)


def it_is_installed_under_its_name_with_its_extras(plugin: Declared) -> None:
    """The entry point has the manifest's name, and the distribution every backend's extra."""
    extras = plugin.distribution().metadata.get_all("Provides-Extra") or ()
    for backend in plugin.manifest.backends.values():
        declared = backend.extra is None or backend.extra in extras
        expect(f"the extra of {backend.name} is one of the distribution's", declared, extras)


CASES = (
    every_operation_claims_what_its_hints_allow,
    every_limit_has_its_source_and_is_the_codes_own,
    every_operation_has_a_cost_or_none_has,
    it_is_installed_under_its_name_with_its_extras,
)
"""What is promised of a plugin."""


def providers_have_the_operations_of_their_protocol(plugin: Declared, backend: Backend) -> None:
    """Each is defined on the class, under the protocol's own signature."""
    for provided, provider in plugin.served(backend):
        protocol = plugin.protocol(provided)
        for operation in provided.operations:
            method = f"{provider.__name__}.{operation}"
            expect(f"{method} is there", hasattr(provider, operation), provider)
            ours = _parameters(getattr(provider, operation))
            theirs = _parameters(getattr(protocol, operation))
            expect(f"{method} is called as the protocol says", ours == theirs, ours)


def _parameters(method: Any) -> list[tuple[str, object, object]]:
    parameters = inspect.signature(method).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters]


def settings_are_the_fields_of_the_configuration(plugin: Declared, backend: Backend) -> None:
    """By name; those without a default are required, and defaults are the same."""
    for _, provider in plugin.served(backend):
        fields = {each.name: each for each in dataclasses.fields(provider.Config)}
        expect("the settings are the fields", set(backend.config) == set(fields), sorted(fields))
        for name, setting in backend.config.items():
            default = fields[name].default
            needed = default is dataclasses.MISSING
            needed &= fields[name].default_factory is dataclasses.MISSING
            expect(f"{name} is required, or has a default", setting.required == needed, default)
            same = setting.default is None or setting.default == default
            expect(f"{name} has the default of the manifest", same, default)


def what_has_no_extra_needs_none(plugin: Declared, backend: Backend) -> None:
    """It can be imported where nothing is installed that only an extra brings."""
    if backend.extra is not None:
        return
    modules = {provider.partition(":")[0] for provider in backend.providers.values()}
    named = [f"{plugin.package}.plugin", *sorted(modules)]
    program = f"import sys; sys.modules.update(dict.fromkeys({_optional(plugin)}))\n"
    program += f"import {', '.join(named)}"
    command = [sys.executable, "-W", "error", "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(f"{', '.join(named)} need no extra", ran.returncode == 0, ran.stderr[-500:])


def _optional(plugin: Declared) -> list[str]:
    """The modules of all distributions that an extra of the plugin's brings."""
    distribution = plugin.distribution()
    extras = distribution.metadata.get_all("Provides-Extra") or ()
    names = {name for extra in extras for name in brought_by(distribution.name, extra)}
    modules = importlib.metadata.packages_distributions().items()
    return sorted(module for module, owners in modules if names.issuperset(map(normalised, owners)))


def the_mock_opens_through_connect(plugin: Declared, backend: Backend) -> None:
    """As it is, without a setting; what it provides is there."""
    if backend.name != "mock":
        return

    async def opened(provided: Provided) -> None:
        protocol = plugin.protocol(provided)
        async with connect(protocol, plugin.manifest.name, backend=backend.name) as provider:
            missing = [each for each in provided.operations if not hasattr(provider, each)]
            expect(f"the mock of {provided.name} has every operation", not missing, missing)

    for provided, _ in plugin.served(backend):
        asyncio.run(opened(provided))


CASES_OF_A_BACKEND = (
    providers_have_the_operations_of_their_protocol,
    settings_are_the_fields_of_the_configuration,
    what_has_no_extra_needs_none,
    the_mock_opens_through_connect,
)
"""What is promised of each backend."""
