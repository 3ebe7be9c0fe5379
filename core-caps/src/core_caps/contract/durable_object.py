"""durable_object/1: what every provider of DurableObject promises."""

from core_caps.capabilities.durable_object import DurableObject
from core_caps.claims.operation import spec_of
from core_caps.contract.object_storage import (
    alarms,
    arguments,
    clients,
    exercises,
    identity,
    limits,
    listing,
    model,
    transactions,
    values,
)
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=DurableObject,
    spec=spec_of(DurableObject),
    cases=(
        *values.CASES,
        *identity.CASES,
        *listing.CASES,
        *transactions.CASES,
        *alarms.CASES,
        *limits.CASES,
        *arguments.CASES,
        *clients.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=model.generate,
    model=model.ObjectModel,
    comparable=model.comparable,
    read_back=model.read_back,
)
