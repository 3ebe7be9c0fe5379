"""dedupe/1: what every provider of Dedupe promises."""

from core_caps.capabilities.dedupe import Dedupe
from core_caps.claims.operation import spec_of
from core_caps.contract.dedupe_store import (
    arguments,
    batches,
    clients,
    committing,
    exercises,
    model,
    payloads,
    releasing,
    reserving,
)
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=Dedupe,
    spec=spec_of(Dedupe),
    cases=(
        *reserving.CASES,
        *committing.CASES,
        *releasing.CASES,
        *payloads.CASES,
        *batches.CASES,
        *arguments.CASES,
        *clients.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=model.generate,
    model=model.DedupeModel,
    comparable=model.comparable,
    read_back=model.read_back,
)
