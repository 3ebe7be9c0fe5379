"""queue/1: what every provider of Queue promises."""

from core_caps.capabilities.queue import Queue
from core_caps.claims.operation import spec_of
from core_caps.contract.message_queue import (
    arguments,
    clients,
    exercises,
    limits,
    model,
    receiving,
    sending,
    settling,
)
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=Queue,
    spec=spec_of(Queue),
    cases=(
        *sending.CASES,
        *receiving.CASES,
        *settling.CASES,
        *limits.CASES,
        *arguments.CASES,
        *clients.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=model.generate,
    model=model.QueueModel,
    comparable=model.comparable,
    read_back=model.read_back,
)
