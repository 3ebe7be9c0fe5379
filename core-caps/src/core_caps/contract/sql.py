"""sql/1: what every provider of Sql promises."""

from core_caps.capabilities.sql import Sql
from core_caps.claims.operation import spec_of
from core_caps.contract.sql_database import (
    arguments,
    batches,
    clients,
    commands,
    exercises,
    keyed,
    model,
    params,
    reads,
    results,
    values,
)
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=Sql,
    spec=spec_of(Sql),
    cases=(
        *params.CASES,
        *commands.CASES,
        *reads.CASES,
        *batches.CASES,
        *values.CASES,
        *keyed.CASES,
        *results.CASES,
        *clients.CASES,
        *arguments.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=model.generate,
    model=model.SqlModel,
    comparable=model.comparable,
    read_back=model.read_back,
)
