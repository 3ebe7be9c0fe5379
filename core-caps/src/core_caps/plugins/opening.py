"""What a plugin is given to open one connection: where to find the class, and its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from core_caps.capabilities.known import load
from core_caps.claims.manifest import Backend, Manifest
from core_caps.errors import BackendNotInstalled, ManifestInvalid, PluginNotFound
from core_caps.plugins.settings import resolved

if TYPE_CHECKING:
    from core_caps.clock import Clock
    from core_caps.rng import Rng
    from core_caps.secret import Secret

__all__ = ["Opening"]

_Config = TypeVar("_Config")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One connection about to be opened.

    Attributes:
        capability: the capability's short name, `kv`.
        contract: the contract asked for, `kv/1`.
        backend: the backend's name.
        manifest: the plugin's manifest.
        distribution: the distribution that brought the plugin, for messages.
        config: the settings of the binding, as given.
        secrets: the secrets of the binding, as given; never shown.
        clock: where the provider takes the time from.
        rng: where the provider takes randomness from.
    """

    capability: str
    contract: str
    backend: str
    manifest: Manifest
    clock: "Clock"
    rng: "Rng"
    distribution: str = ""
    config: Mapping[str, object] = field(default_factory=dict[str, object])
    secrets: "Mapping[str, str | Secret]" = field(
        default_factory=dict[str, "str | Secret"], repr=False
    )

    @property
    def declared(self) -> Backend:
        """What the manifest says of this backend."""
        return self.manifest.backends[self.backend]

    def load(self) -> Any:
        """The provider class that the manifest names for this capability and backend.

        Raises:
            PluginNotFound: the backend does not serve this capability (CAP103).
            BackendNotInstalled: a module that the backend's extra brings is missing (CAP104).
            ManifestInvalid: the named module has no such class (CAP106).
            ImportError: the plugin's own import is broken; it surfaces as itself.
        """
        lazy = self.declared.providers.get(self.capability)
        if lazy is None:
            serving = [
                b.name for b in self.manifest.backends.values() if self.capability in b.providers
            ]
            raise PluginNotFound(
                f"backend {self.backend!r} of {self.manifest.name} does not serve {self.contract}",
                hint=f"use one of: {', '.join(serving)}" if serving else "",
            )
        try:
            return load(lazy)
        except ModuleNotFoundError as error:
            from core_caps.plugins.extras import missing_extra

            line = missing_extra(error, lazy, self.declared.extra, self.distribution)
            if line is None:
                raise
            raise BackendNotInstalled(
                f"backend {self.backend!r} of {self.manifest.name} needs {error.name}, which is "
                "not installed",
                hint=line,
            ) from error
        except AttributeError as error:
            module, _, attribute = lazy.partition(":")
            if getattr(error, "name", None) not in attribute.split("."):
                raise
            raise ManifestInvalid(
                f"{self.manifest.name} names {lazy} for backend {self.backend!r}, but {module} "
                f"has no {attribute}",
            ) from error

    def settings(self, config: type[_Config]) -> _Config:
        """The backend's Config, filled from the binding, the environment and the defaults.

        A setting's value comes from the binding, else from its environment variable, else from
        the manifest's default, else from the dataclass. `secret` settings arrive as Secret.

        Raises:
            ConfigInvalid: settings are missing, unknown or of the wrong type; all are listed, and
                no secret's value is ever shown (CAP105).
            ManifestInvalid: the manifest and the dataclass name different settings (CAP106).
        """
        subject = f"{self.manifest.name}, backend {self.backend!r}"
        return resolved(config, self.declared.config, self.config, self.secrets, subject=subject)
