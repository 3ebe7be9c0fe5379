"""kv/1: what every provider of KeyValue promises."""

from core_caps.capabilities.key_value import KeyValue
from core_caps.claims.operation import spec_of
from core_caps.contract.key_value import (
    arguments,
    bulk,
    clients,
    exercises,
    expiry,
    listing,
    model,
    refusals,
    values,
)
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=KeyValue,
    spec=spec_of(KeyValue),
    cases=(
        *values.CASES,
        *listing.CASES,
        *expiry.CASES,
        *refusals.CASES,
        *arguments.CASES,
        *bulk.CASES,
        *clients.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=model.generate,
    model=model.KvModel,
    comparable=model.comparable,
    read_back=model.read_back,
)
