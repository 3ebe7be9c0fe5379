"""A trigger in the words of a wrangler configuration, and what the vendor would not take."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from cap_cloudflare_queue.trigger import as_toml, pull_consumer, queue_tables
from core_caps.capabilities.queue import QueueTrigger
from core_caps.errors import ConfigInvalid

pytestmark = pytest.mark.feature("PH2-07", "W2-03")

ORDERS = QueueTrigger("orders", dead_letter_queue="orders-dead")
GOLDEN = """\
[[queues.producers]]
binding = "MAIL"
queue = "mail"

[[queues.consumers]]
queue = "orders"
max_batch_size = 10
max_batch_timeout = 5
max_retries = 3
dead_letter_queue = "orders-dead"

[[queues.consumers]]
queue = "bills"
max_batch_size = 100
max_batch_timeout = 60
max_retries = 100
"""
MOST = QueueTrigger(
    "bills", max_batch_size=100, max_batch_timeout_seconds=60, max_retries=100,
    visibility_timeout_seconds=43_200,
)  # fmt: skip


def test_a_workers_tables() -> None:
    tables = queue_tables([ORDERS, MOST], {"MAIL": "mail"})
    assert as_toml(tables) == GOLDEN
    assert tomllib.loads(as_toml(tables)) == {"queues": tables}


def test_who_pulls_has_a_visibility_timeout() -> None:
    assert pull_consumer(ORDERS) == {
        "type": "http_pull",
        "dead_letter_queue": "orders-dead",
        "settings": {"batch_size": 10, "max_retries": 3, "visibility_timeout_ms": 30_000},
    }
    assert "dead_letter_queue" not in pull_consumer(MOST)


def test_nothing_is_nothing() -> None:
    assert queue_tables([]) == {}
    assert as_toml({}) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_batch_size": 0},
        {"max_batch_size": 101},
        {"max_batch_size": True},
        {"max_batch_timeout_seconds": -1},
        {"max_batch_timeout_seconds": 61},
        {"max_batch_timeout_seconds": 1.5},
        {"max_retries": -1},
        {"max_retries": 101},
        {"visibility_timeout_seconds": 0},
        {"visibility_timeout_seconds": 43_201},
    ],
    ids=str,
)
def test_what_the_vendor_does_not_take_is_refused(wrong: dict[str, Any]) -> None:
    trigger = replace(ORDERS, **wrong)
    for rendered in (lambda: queue_tables([trigger]), lambda: pull_consumer(trigger)):
        with pytest.raises(ConfigInvalid, match=next(iter(wrong))) as refused:
            rendered()
        assert refused.value.code == "CAP105"
        assert refused.value.hint


@pytest.mark.parametrize("name", ["", "a" * 64, "-a", "a-", "a_b", "a.b", "é", "a\n", None])
def test_names_that_no_queue_has(name: Any) -> None:
    for triggers, producers in (
        ([QueueTrigger(name)], {}),
        ([replace(ORDERS, dead_letter_queue=name)], {}),
        ([], {"MAIL": name}),
    ):
        if name is None and triggers and triggers[0].queue_name:
            continue  # no dead letter queue at all
        with pytest.raises(ConfigInvalid, match="cannot be called"):
            queue_tables(triggers, producers)


@pytest.mark.parametrize("binding", ["", "1A", "MY-QUEUE", "A B", "É"])
def test_bindings_that_are_no_names(binding: str) -> None:
    with pytest.raises(ConfigInvalid, match="binding"):
        queue_tables([], {binding: "mail"})


def test_all_problems_are_told_at_once() -> None:
    broken = replace(ORDERS, max_retries=101, dead_letter_queue="orders")
    with pytest.raises(ConfigInvalid) as refused:
        queue_tables([broken, ORDERS], {"-": "mail"})
    for problem in ("max_retries", "its own dead letter queue", "2 consumers", "binding '-'"):
        assert problem in refused.value.message


def test_the_defaults_are_the_vendors() -> None:
    (consumer,) = queue_tables([QueueTrigger("orders")])["consumers"]
    assert consumer == {
        "queue": "orders",
        "max_batch_size": 10,
        "max_batch_timeout": 5,
        "max_retries": 3,
    }
