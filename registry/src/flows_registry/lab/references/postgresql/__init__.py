"""The reference of wire "postgresql"."""

from flows_registry.lab.references.postgresql.server import FACTORY, PostgreSql

__all__ = ["FACTORY", "PostgreSql"]
