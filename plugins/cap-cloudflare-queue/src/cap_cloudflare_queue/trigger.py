"""How a queue calls a flow, in the words of a wrangler configuration.

    orders = QueueTrigger("orders", dead_letter_queue="orders-dead")
    print(as_toml(queue_tables([orders], {"MAIL": "mail"})))

wrangler itself lets most of the vendor's limits pass and the deployment fails; here they are
checked. https://developers.cloudflare.com/queues/configuration/configure-queues/

A consumer that pulls is nothing of a Worker's: wrangler refuses one in a configuration (4.164). It
is made with `wrangler queues consumer http add` or by the API, in the words of `pull_consumer`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from core_caps.capabilities.queue import QueueTrigger
from core_caps.errors import ConfigInvalid

from cap_cloudflare_queue import limits

__all__ = ["Tables", "as_toml", "pull_consumer", "queue_tables"]

Tables = Mapping[str, Sequence[Mapping[str, str | int]]]
"""What stands under `queues`: `producers` and `consumers`, each a list of tables."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
"""https://developers.cloudflare.com/queues/get-started/#2-create-a-queue"""

_BINDING = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
"""The name of a JavaScript variable, which is what a binding becomes."""

_RANGES: Mapping[str, tuple[int, int]] = {
    "max_batch_size": (1, limits.MAX_BATCH_SIZE_MAX),
    "max_batch_timeout_seconds": (0, limits.MAX_BATCH_TIMEOUT_SECONDS_MAX),
    "max_retries": (0, limits.RETRIES_MAX),
    "visibility_timeout_seconds": (1, limits.VISIBILITY_SECONDS_MAX),
}


def queue_tables(
    triggers: Iterable[QueueTrigger], producers: Mapping[str, str] | None = None
) -> Tables:
    """The tables of a Worker that consumes these queues and sends to others.

    A Worker has its messages for as long as it runs, so there is no visibility timeout in them.

    Args:
        triggers: the queues that call the flow.
        producers: the queues that it sends to, by the name of the binding.

    Raises:
        ConfigInvalid: a name, number or combination that the service does not take; the message
            tells all of them (CAP105).
    """
    consumed, bindings = list(triggers), producers or {}
    problems = [problem for trigger in consumed for problem in _problems(trigger)]
    counted = Counter(trigger.queue_name for trigger in consumed)
    problems += [f"{name!r} has {many} consumers" for name, many in counted.items() if many > 1]
    for binding, queue_name in bindings.items():
        problems += _name_problems("a producer's queue", queue_name)
        if not _BINDING.fullmatch(binding):
            problems.append(f"the binding {binding!r} is no name of a variable")
    _refuse(problems)
    made = {
        "producers": [{"binding": name, "queue": queue} for name, queue in bindings.items()],
        "consumers": [_consumer(trigger) for trigger in consumed],
    }
    return {name: tables for name, tables in made.items() if tables}


def as_toml(tables: Tables) -> str:
    """The tables as they stand in a wrangler.toml."""
    return "\n".join(
        "\n".join(
            (f"[[queues.{name}]]", *(f"{field} = {_shown(value)}" for field, value in each.items()))
        )
        + "\n"
        for name, entries in tables.items()
        for each in entries
    )


def pull_consumer(trigger: QueueTrigger) -> Mapping[str, object]:
    """The consumer of a queue that is pulled from, as the API creates it.

    https://developers.cloudflare.com/api/resources/queues/subresources/consumers/methods/create/

    Raises:
        ConfigInvalid: a name or number that the service does not take (CAP105).
    """
    _refuse(_problems(trigger))
    made: dict[str, object] = {
        "type": "http_pull",
        "settings": {
            "batch_size": trigger.max_batch_size,
            "max_retries": trigger.max_retries,
            "visibility_timeout_ms": trigger.visibility_timeout_seconds * 1000,
        },
    }
    if trigger.dead_letter_queue is not None:
        made["dead_letter_queue"] = trigger.dead_letter_queue
    return made


def _consumer(trigger: QueueTrigger) -> Mapping[str, str | int]:
    table: dict[str, str | int] = {
        "queue": trigger.queue_name,
        "max_batch_size": trigger.max_batch_size,
        "max_batch_timeout": trigger.max_batch_timeout_seconds,
        "max_retries": trigger.max_retries,
    }
    if trigger.dead_letter_queue is not None:
        table["dead_letter_queue"] = trigger.dead_letter_queue
    return table


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise ConfigInvalid(
            f"the queues cannot be configured so: {'; '.join(problems)}",
            hint="see https://developers.cloudflare.com/queues/platform/limits/",
        )


def _problems(trigger: QueueTrigger) -> list[str]:
    name = trigger.queue_name
    problems = _name_problems("a queue", name)
    for field, (least, most) in _RANGES.items():
        given: object = getattr(trigger, field)
        if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
            problems.append(f"{field} of {name!r} is {given!r}, not {least} to {most}")
    if trigger.dead_letter_queue is not None:
        problems += _name_problems("a dead letter queue", trigger.dead_letter_queue)
        if trigger.dead_letter_queue == name:
            problems.append(f"{name!r} is its own dead letter queue")
    return problems


def _name_problems(what: str, name: object) -> list[str]:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return []
    return [f"{what} cannot be called {name!r}: 1 to 63 letters, digits and inner dashes"]


def _shown(value: str | int) -> str:
    return str(value) if isinstance(value, int) else json.dumps(value)
