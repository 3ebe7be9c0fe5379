"""payments/1: what every provider of Payments promises."""

from core_caps.capabilities.payments import Payments
from core_caps.claims.operation import spec_of
from core_caps.contract.payment_service import (
    arguments,
    checkout,
    clients,
    customers,
    events,
    exercises,
    histories,
    limits,
    model,
    paying,
    refunding,
    repeating,
)
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=Payments,
    spec=spec_of(Payments),
    cases=(
        *customers.CASES,
        *checkout.CASES,
        *paying.CASES,
        *refunding.CASES,
        *repeating.CASES,
        *events.CASES,
        *limits.CASES,
        *arguments.CASES,
        *clients.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=histories.generate,
    model=model.PaymentsModel,
    comparable=model.comparable,
    read_back=histories.read_back,
)
