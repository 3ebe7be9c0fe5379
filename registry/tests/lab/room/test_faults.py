"""Every fault is served as lab/faults.py says: what a client meets, what the service keeps."""

import hashlib
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from flows_registry.lab.agent.page import ORIGIN_SECONDS
from flows_registry.lab.case import CaseRun
from flows_registry.lab.faults import (
    COMMITTED,
    CONNECTION,
    FAULTS,
    MUTE,
    PINNED_ONLY,
    READS_ONLY,
    Fault,
)

from .conftest import TOKEN, act, value_of

pytestmark = pytest.mark.feature("AL-07", "P4-03")

Run = Callable[..., CaseRun]

VALUE = b"the value of the key" * 3
PATIENCE_SECONDS = 60.0


class Answer:
    """What a client met, parsed no further than it can be."""

    def __init__(self, met: dict[str, Any]) -> None:
        self.data: bytes = met["data"]
        self.ended: str = met["ended"]
        self.seconds: float = met.get("seconds", 0.0)
        head, self.parted, self.body = self.data.partition(b"\r\n\r\n")
        self.first, *self.lines = head.decode("latin-1").split("\r\n")

    def headers(self, name: str) -> list[str]:
        pairs = (line.partition(":") for line in self.lines)
        return [value.strip() for key, _, value in pairs if key.lower() == name]

    @property
    def status(self) -> int:
        found = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", self.first)
        assert found, self.data[:200]
        return int(found[1])

    @property
    def is_whole(self) -> bool:
        """Whether the body is as long as the head says."""
        lengths = set(self.headers("content-length"))
        return self.parted != b"" and lengths == {str(len(self.body))}


def waited(answer: Answer) -> bool:
    """Whether the client's own patience ended it, in the case's time."""
    return answer.ended == "timeout" and answer.seconds == pytest.approx(PATIENCE_SECONDS, abs=0.1)


def cut(answer: Answer, how: str) -> bool:
    """Whether the head arrived, and only a part of the body."""
    missing = len(answer.body) < int(answer.headers("content-length")[0])
    return answer.status == 200 and missing and answer.body != b"" and answer.ended == how


def chunked_badly(answer: Answer) -> bool:
    return answer.headers("transfer-encoding") == ["chunked"] and b"\r\nzz\r\n" in answer.body


def endless(answer: Answer) -> bool:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    return answer.ended == "enough" and answer.body.startswith(chunk * 3)


def undecodable(answer: Answer) -> bool:
    try:
        answer.body.decode()
    except UnicodeDecodeError:
        return answer.is_whole
    return False


SERVED: dict[str, Callable[[Answer], bool]] = {
    "reset before commit": lambda a: (a.data, a.ended) == (b"", "reset"),
    "reset after commit": lambda a: (a.data, a.ended) == (b"", "reset"),
    "closed before commit": lambda a: (a.data, a.ended) == (b"", "closed"),
    "closed after commit": lambda a: (a.data, a.ended) == (b"", "closed"),
    "stall": lambda a: waited(a) and a.data == b"",
    "stall after commit": lambda a: waited(a) and a.data == b"",
    "stall in body": lambda a: waited(a) and cut(a, "timeout"),
    "slow headers": lambda a: waited(a) and a.data == b"HTTP/1.1 200 OK\r\ncon",
    "slow body": lambda a: waited(a) and len(a.body) == 20,
    "html page": lambda a: a.status == 200 and a.body.startswith(b"<!doctype html>"),
    "empty answer": lambda a: a.status == 200 and a.is_whole and a.body == b"",
    "reset in body": lambda a: cut(a, "reset"),
    "truncated body": lambda a: cut(a, "closed"),
    "bad chunking": chunked_badly,
    "wrong content type": lambda a: a.is_whole and a.headers("content-type") == ["text/html"],
    "invalid body": lambda a: a.is_whole and a.body == b"{<not json, not xml",
    "invalid utf-8": undecodable,
    "conflicting lengths": lambda a: len(set(a.headers("content-length"))) == 2,
    "endless body": endless,
    "garbage status line": lambda a: a.data.startswith(b"\x00\x01"),
    "redirect": lambda a: a.headers("location") == ["https://elsewhere.example/stolen"],
    "bare status": lambda a: a.body == b"" and a.headers("content-type") == [],
    "status": lambda a: a.is_whole and a.body != b"",
}

ANSWERED = [fault for fault in FAULTS if fault.kind in SERVED]


def test_no_kind_is_left_out() -> None:
    apart = CONNECTION | PINNED_ONLY | READS_ONLY | {MUTE}
    assert {fault.kind for fault in FAULTS} == set(SERVED) | apart


def test_a_state_is_told_apart_however_large_it_is(run: Run) -> None:
    filled = [act("exchange", "PUT", f"{number:a>400}", b"first") for number in range(50)]
    done = run(act("exchange", "PUT", "z" * 400, b"second"), setup=filled)
    assert value_of(done)["data"].startswith(b"HTTP/1.1 200 ")
    assert done.state_text_before == done.state_text_after, "it is shown to a readable size"
    assert done.state_before != done.state_after
    assert 20_000 < done.state_bytes_before < done.state_bytes_after


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("fault", ANSWERED, ids=lambda fault: fault.name)
def test_a_write_meets_the_fault_and_is_committed_or_not(
    run: Run, fault: Fault, scheme: str
) -> None:
    asked = act("exchange", "PUT", "key", VALUE, scheme, True, PATIENCE_SECONDS)
    done = run(asked, faults=(fault,), probe=(act("exchange", "GET", "key"),))
    answer = Answer(value_of(done))
    if scheme == "https" and fault.kind.startswith("reset"):
        answer.ended = "reset"  # some Pythons take a reset under TLS for an end
    assert SERVED[fault.kind](answer), (answer.data[:500], answer.ended, answer.seconds)
    if fault.status is not None:
        assert answer.status == fault.status
    (seen,) = done.exchanges
    assert done.consumed == (True,)
    assert seen.fault == fault.kind
    assert seen.committed == seen.changed == (fault.kind in COMMITTED)
    assert (done.state_before != done.state_after) == (fault.kind in COMMITTED)
    for text, digest, size_bytes in (
        (done.state_text_before, done.state_before, done.state_bytes_before),
        (done.state_text_after, done.state_after, done.state_bytes_after),
    ):
        assert hashlib.sha256(text.encode()).hexdigest() == digest
        assert len(text) == size_bytes
    kept = Answer(done.probe[0].value)
    assert (kept.status, kept.body == VALUE) == (
        (200, True) if fault.kind in COMMITTED else (404, False)
    )


@pytest.mark.parametrize("after", ["2", "{date+3}", "soon", "86400", None])
def test_retry_after_is_sent_as_it_is_written(run: Run, after: str | None) -> None:
    fault = Fault("status", status=429, retry_after=after)
    done = run(act("sleep", 1000), act("exchange", "GET", "key"), faults=(fault,))
    told = Answer(value_of(done)).headers("retry-after")
    if after == "{date+3}":  # three seconds from now, in the case's time
        moment = parsedate_to_datetime(told[0]).timestamp()
        assert moment == pytest.approx(ORIGIN_SECONDS + 1003, abs=2)
    else:
        assert told == ([] if after is None else [after])


@pytest.mark.parametrize("at", [0, 1, 2])
def test_the_request_of_that_number_meets_it_and_no_other(run: Run, at: int) -> None:
    asked = act("exchange", "GET", "key")
    done = run(asked, asked, asked, faults=(Fault("status", at=at, status=503),))
    statuses = [Answer(step.value).status for step in done.steps]
    assert statuses == [503 if number == at else 404 for number in range(3)]
    assert [exchange.number for exchange in done.exchanges] == [0, 1, 2]
    assert done.consumed == (True,)


def test_a_fault_that_nobody_meets_is_not_consumed(run: Run) -> None:
    done = run(act("exchange", "GET", "key"), faults=(Fault("stall", at=1),))
    assert done.consumed == (False,)
    assert Answer(value_of(done)).status == 404


def test_setup_and_probe_meet_none(run: Run) -> None:
    asked = act("exchange", "GET", "key")
    done = run(faults=(Fault("status", status=503),), setup=(asked,), probe=(asked,))
    assert [Answer(step.value).status for step in (*done.setup, *done.probe)] == [404, 404]
    assert (done.consumed, done.exchanges) == ((False,), ())


def test_a_stale_read_is_what_a_new_replica_says(run: Run) -> None:
    put, get = act("exchange", "PUT", "key", VALUE), act("exchange", "GET", "key")
    done = run(get, get, setup=(put,), faults=(Fault("stale read"),))
    assert [Answer(step.value).status for step in done.steps] == [404, 200]
    assert [exchange.committed for exchange in done.exchanges] == [False, True]
    assert done.consumed == (True,)
    assert done.state_before == done.state_after


def test_no_secret_stands_in_what_was_seen(run: Run) -> None:
    done = run(act("exchange", "GET", f"{TOKEN}?again={TOKEN}"))
    (seen,) = done.exchanges
    assert seen.target.endswith("/values/…?again=…")


def test_a_corrupted_body_is_one_bit_off(run: Run) -> None:
    put, get = act("exchange", "PUT", "key", VALUE), act("exchange", "GET", "key")
    done = run(get, setup=(put,), faults=(Fault("corrupted body"),))
    answer = Answer(value_of(done))
    wrong = [a ^ b for a, b in zip(answer.body, VALUE, strict=True) if a != b]
    assert wrong == [1]
    assert answer.is_whole
    assert done.consumed == (True,)


def test_refused_is_an_attempt_and_nothing_else(run: Run) -> None:
    get = act("exchange", "GET", "key")
    done = run(get, setup=(get,), faults=(Fault("refused"),), probe=(get,))
    assert value_of(done)["ended"] == "refused"
    assert done.exchanges == ()
    assert ("api.cloudflare.com", 443) in done.egress
    assert Answer(done.probe[0].value).status == 404


def test_a_handshake_that_nobody_answers_is_ended_by_a_deadline(run: Run) -> None:
    get = act("exchange", "GET", "key", b"", "https", True, PATIENCE_SECONDS)
    done = run(get, setup=(get,), faults=(Fault(MUTE),), probe=(get,))
    assert done.steps[0].seconds == pytest.approx(PATIENCE_SECONDS, abs=1)
    assert (done.exchanges, done.consumed) == ((), (True,))
    assert Answer(done.probe[0].value).status == 404


CERTIFICATES = {
    "untrusted certificate": "unable to get local issuer",
    "other host's certificate": "mismatch",
}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_a_wrong_certificate_is_refused_by_who_verifies(run: Run, kind: str) -> None:
    put = act("exchange", "PUT", "key", VALUE)
    done = run(put, faults=(Fault(kind),), probe=(put,))
    met = value_of(done)
    assert met["ended"] == "untrusted"
    assert CERTIFICATES[kind] in met["why"]
    assert (done.exchanges, done.consumed) == ((), (True,))
    assert done.state_before == done.state_after
    assert Answer(done.probe[0].value).status == 200


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_a_wrong_certificate_that_is_accepted_is_noted(run: Run, kind: str) -> None:
    put = act("exchange", "PUT", "key", VALUE, "https", False)
    done = run(put, put, faults=(Fault(kind),))
    assert [exchange.verified for exchange in done.exchanges] == [False, True]
    assert done.consumed == (True,)


def test_the_right_certificate_verifies(run: Run) -> None:
    done = run(act("exchange", "GET", "key"))
    assert [exchange.verified for exchange in done.exchanges] == [True]
