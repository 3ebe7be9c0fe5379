"""http/1: what every provider of Http promises."""

from core_caps.capabilities.http import Http
from core_caps.claims.operation import spec_of
from core_caps.contract.suite import Contract
from core_caps.contract.web_site import (
    answers,
    arguments,
    clients,
    egress,
    exercises,
    model,
    pinned,
    redirects,
    streams,
    writes,
)

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=Http,
    spec=spec_of(Http),
    cases=(
        *answers.CASES,
        *writes.CASES,
        *redirects.CASES,
        *pinned.CASES,
        *streams.CASES,
        *egress.CASES,
        *arguments.CASES,
        *clients.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=model.generate,
    model=model.SiteModel,
    comparable=model.comparable,
    read_back=model.read_back,
    answered=model.answered,
)
