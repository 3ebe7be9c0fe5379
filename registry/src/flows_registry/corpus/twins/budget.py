"""Twins that the budget check must refuse."""

from flows_registry.corpus.places import EXCHANGE, GET, again
from flows_registry.corpus.twin import Edit, Twin
from flows_registry.corpus.twins.policy import ANY_POLICY

__all__ = ["TWINS"]

TWINS: tuple[Twin, ...] = (
    Twin(
        "twice the requests that it estimates",
        "urllib",
        (
            Edit("capability.toml", "[limits]\n", "[costs.get]\nrequests = 1\n\n[limits]\n"),
            Edit("remote.py", GET, GET.replace("return ", "") + GET),
        ),
        "budget",
        ("BUDGET101",),
    ),
    Twin(
        "repeats that multiply the requests",
        "urllib",
        (
            Edit("capability.toml", 'retry_owner = "caller"', 'retry_owner = "provider"'),
            Edit("remote.py", EXCHANGE, again("answer.status >= 500", "range(6)")),
        ),
        "budget",
        ("BUDGET102",),
    ),
    Twin(
        "a wait that the policy does not allow",
        "urllib",
        (Edit("capability.toml", 'summary = "a subject to certify"', 'summary = "a subject"'),),
        "budget",
        ("BUDGET102",),
        policy=ANY_POLICY + "[[budgets]]\nwait_seconds = 20\n",
    ),
    Twin(
        "memory that grows with the stream",
        "bucket",
        (
            Edit(
                "remote.py",
                "            async for chunk in data:\n",
                "            held = [b''.join([chunk async for chunk in data])]\n            for chunk in held:\n",
            ),
        ),
        "budget",
        ("BUDGET103",),
    ),
)
