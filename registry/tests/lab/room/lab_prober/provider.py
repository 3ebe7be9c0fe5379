"""The two providers: one with a service, one without."""

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from core_caps.secret import Secret

from lab_prober import acts

__all__ = ["Alone", "Files", "Provider"]


@dataclass(frozen=True)
class Settings:
    account_id: str
    namespace_id: str
    api_token: Secret


@dataclass(frozen=True)
class NoSettings:
    """Nothing to set."""


class Alone:
    """Acts without a service."""

    Config: type = NoSettings

    def __init__(self, config: Any) -> None:
        self.config = config

    async def __aenter__(self) -> Self:
        (Path.home() / acts.CACHE).mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *exc: object) -> None:
        while acts.AT_CLOSING:
            acts.AT_CLOSING.pop()()

    async def act(self, name: str, *args: Any) -> Any:
        done = getattr(acts, name)(*args)
        return await done if inspect.isawaitable(done) else done


@dataclass(frozen=True)
class FileSettings:
    path: str


class Files(Alone):
    """Acts on a folder of its own."""

    Config = FileSettings

    async def act(self, name: str, *args: Any) -> Any:
        return getattr(acts, name)(self.config.path, *args)


class Provider(Alone):
    """Acts that speak with the key-value service, one raw exchange each."""

    Config = Settings

    async def act(self, name: str, *args: Any) -> Any:
        if name not in ("exchange", "leave_open", "leave_under_way"):
            return await super().act(name, *args)
        path = (
            f"/client/v4/accounts/{self.config.account_id}"
            f"/storage/kv/namespaces/{self.config.namespace_id}/values/"
        )
        return getattr(acts, name)(path, self.config.api_token.reveal(), *args)
