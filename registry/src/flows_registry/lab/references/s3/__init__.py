"""The reference of wire "s3": the S3 API as R2 speaks it."""

from flows_registry.lab.references.s3.server import FACTORY, S3

__all__ = ["FACTORY", "S3"]
