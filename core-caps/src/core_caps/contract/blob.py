"""blob/1: what every provider of BlobStore promises."""

from core_caps.capabilities.blob_store import BlobStore
from core_caps.claims.operation import spec_of
from core_caps.contract.blob_store import (
    arguments,
    clients,
    conditions,
    exercises,
    listing,
    metadata,
    model,
    ranges,
    streams,
    values,
)
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=BlobStore,
    spec=spec_of(BlobStore),
    cases=(
        *values.CASES,
        *ranges.CASES,
        *conditions.CASES,
        *streams.CASES,
        *metadata.CASES,
        *listing.CASES,
        *arguments.CASES,
        *clients.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=model.generate,
    model=model.BlobModel,
    comparable=model.comparable,
    read_back=model.read_back,
)
