"""Every connection that is tried is seen, by whatever means, and every name can be told."""

import ipaddress
import socket
from collections.abc import Callable, Iterator

import pytest
from core_caps.contract.suite import Call
from flows_registry.lab.case import CaseRun

from .conftest import NOT_ISOLATED, Rooms, act, value_of

pytestmark = pytest.mark.feature("P4-01", "CK-04")

Run = Callable[..., CaseRun]

DOCUMENTED = "203.0.113.7"  # an address that is nobody's

isolated = pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED))


@isolated
@pytest.mark.parametrize(
    ("tried", "seen"),
    [
        (act("connect", "nobody.example", 8443), ("nobody.example", 8443)),
        (act("connect", DOCUMENTED, 8443), (DOCUMENTED, 8443)),
        (act("connect_below_python", DOCUMENTED, 8443), (DOCUMENTED, 8443)),
        (act("connect_from_subprocess", DOCUMENTED, 8443), (DOCUMENTED, 8443)),
        (act("send_datagram", DOCUMENTED, 4433), (DOCUMENTED, 4433)),
        (act("send_datagram", DOCUMENTED, 53), (DOCUMENTED, 53)),
        (act("connect_v6", "2001:db8::7", 8443), ("2001:db8::7", 8443)),
    ],
    ids=lambda each: each.args[0] if isinstance(each, Call) else "",
)
def test_the_wire_shows_it(run: Run, tried: Call, seen: tuple[str, int]) -> None:
    assert seen in run(tried).egress
    assert run(act("sleep", 0)).egress == ()  # and only in its own case


@isolated
@pytest.mark.parametrize("when", ["at opening", "at closing", "at exit"])
def test_what_goes_out_around_the_calls_is_shown_apart(run: Run, when: str) -> None:
    done = run(act("sleep", 0), setup=[act("later", when, "connect", "nobody.example", 8443)])
    assert done.egress == ()
    assert ("nobody.example", 8443) in done.egress_around
    assert "nobody.example" in done.lookups_around
    assert run(act("sleep", 0)).egress_around == ()  # and only in its own case


@isolated
def test_what_goes_out_at_the_import_is_shown(rooms: Rooms) -> None:
    with rooms.new(warm=["lab_prober.calling_home"]) as room:
        done = rooms.run(room, act("sleep", 0))
    assert ("nobody.example", 8443) in done.egress_around


@isolated
def test_each_unknown_name_has_an_address_of_its_own(run: Run) -> None:
    names = ["one.example", "two.example", "one.example", "localhost"]
    done = run(act("look_up", *names))
    assert done.egress == ()
    assert done.lookups == ("one.example", "two.example")
    assert run(act("sleep", 0)).lookups == ()  # and only in its own case
    first, second, again, here = value_of(done)
    assert first == again != second
    assert here == "127.0.0.1"
    for address in (first, second):
        assert ipaddress.ip_address(address) in ipaddress.ip_network("198.18.0.0/15")


@isolated
@pytest.mark.parametrize("kind", ["A", "AAAA", "TXT"])
def test_a_name_is_shown_whatever_is_asked_of_it(run: Run, kind: str) -> None:
    assert run(act("ask_for", kind, "Secret.Nobody.example")).lookups == ("secret.nobody.example",)


@isolated
def test_nobody_is_asked_for_the_machines_own_name(run: Run) -> None:
    done = run(act("own_name"))
    assert value_of(done).startswith("127.0.0.1 ")
    assert (done.lookups, done.egress) == ((), ())


@isolated
def test_a_name_that_a_process_looks_up_is_shown(run: Run) -> None:
    assert run(act("look_up_from_subprocess", "nobody.example")).lookups == ("nobody.example",)


@pytest.fixture(scope="module", params=["with a service", "without a service"])
def redirected(rooms: Rooms, request: pytest.FixtureRequest) -> Iterator[Run]:
    """Rooms without a network of their own, on any machine."""
    alone = request.param == "without a service"
    make = rooms.alone if alone else rooms.new
    backend = "mock" if alone else "remote"
    with make(isolated=False) as room:
        yield lambda *acts, **case: rooms.run(room, *acts, backend=backend, **case)


@pytest.mark.parametrize(
    ("tried", "came", "seen"),
    [
        (
            act("connect", "nobody.example", 8443),
            "ConnectionRefusedError",
            ("nobody.example", 8443),
        ),
        (act("connect", DOCUMENTED, 8443), "ConnectionRefusedError", (DOCUMENTED, 8443)),
        (
            act("connect_below_python", DOCUMENTED, 8443),
            "ConnectionRefusedError",
            (DOCUMENTED, 8443),
        ),
        (act("connect_without_raising", DOCUMENTED, 8443), 111, (DOCUMENTED, 8443)),
        (act("send_datagram", DOCUMENTED, 4433), "ConnectionRefusedError", (DOCUMENTED, 4433)),
        (
            act("connect_v6", "2001:db8::7", 8443),
            "ConnectionRefusedError",
            ("2001:db8::7", 8443),
        ),
    ],
    ids=lambda each: each.args[0] if isinstance(each, Call) else "",
)
def test_the_interpreter_shows_it_where_there_is_no_network_of_our_own(
    redirected: Run, tried: Call, came: object, seen: tuple[str, int]
) -> None:
    run = redirected(tried)
    assert value_of(run) == came
    assert run.egress == (seen,)
    assert redirected(act("sleep", 0)).egress == ()


@pytest.mark.parametrize("way", ["getaddrinfo", "gethostbyname", "gethostbyname_ex"])
@pytest.mark.parametrize("module", ["socket", "_socket"])
def test_the_interpreter_shows_a_name_that_is_looked_up(
    redirected: Run, module: str, way: str
) -> None:
    run = redirected(*[act("resolve", module, way, name) for name in ("One.example", "127.0.0.1")])
    assert (run.lookups, run.egress) == (("one.example",), ())
    assert redirected(act("sleep", 0)).lookups == ()


def test_the_interpreter_asks_nobody_for_the_machines_own_name(redirected: Run) -> None:
    done = redirected(act("resolve", "socket", "gethostbyname", socket.gethostname()))
    assert (done.lookups, done.egress) == ((), ())


def test_a_process_that_might_reach_out_is_shown(redirected: Run) -> None:
    run = redirected(act("connect_from_subprocess", "127.0.0.1", 9))
    assert "process" in {kind for kind, _ in run.watched}


def test_a_process_that_is_spoken_with_is_shown(redirected: Run) -> None:
    run = redirected(act("send_to_a_neighbour", "\0statistics"))
    assert run.watched == (("local socket", "\0statistics"),)


def test_a_database_in_memory_is_no_file(redirected: Run) -> None:
    assert redirected(act("keep_a_database", ":memory:")).watched == ()


def test_no_kind_of_event_takes_the_place_of_another(redirected: Run) -> None:
    many = [act("connect_without_raising", DOCUMENTED, 1000 + number) for number in range(300)]
    run = redirected(*many, act("connect_from_subprocess", "127.0.0.1", 9))
    assert "process" in {kind for kind, _ in run.watched}
    assert 100 < len(run.egress) < 300


def test_what_happens_again_is_shown_once(redirected: Run) -> None:
    tried = act("connect_without_raising", DOCUMENTED, 8443)
    assert redirected(tried, tried).egress == ((DOCUMENTED, 8443),)


def test_a_plugin_may_serve_itself(redirected: Run) -> None:
    run = redirected(act("serve_itself"))
    assert value_of(run) == "from within"
    assert run.egress == ()


def test_the_service_answers_wherever_it_is_asked_for(rooms: Rooms) -> None:
    with rooms.new(isolated=False) as room:
        run = rooms.run(room, act("exchange", "GET", "key"))
    assert value_of(run)["data"].startswith(b"HTTP/1.1 404 ")
    assert run.egress == (("api.cloudflare.com", 443),)
    assert [(each.host, each.port) for each in run.exchanges] == [("api.cloudflare.com", 443)]


@isolated
def test_a_backend_without_a_service_is_seen_in_a_network_of_its_own(rooms: Rooms) -> None:
    with rooms.alone() as room:
        run = rooms.run(room, act("connect", "nobody.example", 8443), backend="mock")
    assert value_of(run) == "ConnectionRefusedError"
    assert run.egress == (("nobody.example", 8443),)
