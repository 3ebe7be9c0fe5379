"""The synchronous facade: everywhere a call may come from, and every way it may end."""

import asyncio
import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from core_caps import BlobStore, KeyValue, KeyValueReader, Policy, VirtualClock, retrying, sync
from core_caps.calls.observe import CallRecord
from core_caps.capabilities import (
    blob_store,
    cache,
    dedupe,
    durable_object,
    http,
    key_value,
    payments,
    queue,
    sequencer,
    sql,
    sync_blob_store,
    sync_cache,
    sync_dedupe,
    sync_durable_object,
    sync_http,
    sync_key_value,
    sync_payments,
    sync_queue,
    sync_sequencer,
    sync_sql,
)
from core_caps.claims.operation import operations_of
from core_caps.errors import (
    AccessDenied,
    ClientClosed,
    InvalidArgument,
    NotOpened,
    Outcome,
    PermissionDenied,
    RateLimited,
    Unavailable,
)

pytestmark = pytest.mark.feature("DC-02")

BLOB_MANIFEST = """
schema = 1
name = "blobs"
summary = "A test's store"
[capabilities.blob]
contract = "blob/1"
operations = ["get", "open", "head", "list", "get_by_hash", "put", "delete", "copy"]
[backends.mock]
providers.blob = "cap_blobs.mock:MockBlobs"
"""

BLOB_MOCK = """
import asyncio
from dataclasses import dataclass

@dataclass(frozen=True)
class Config: pass

TAG = None

class MockBlobs:
    Config = Config
    log = []

    def __init__(self, config, *, clock, rng):
        self.objects = {}

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        self.log.append("exit")

    async def get(self, key, *, range=None, if_match=None, if_none_match=None):
        if key == "wait":
            try:
                await asyncio.sleep(60)
            finally:
                self.log.append("cancelled")
        if key == "tag":
            return TAG.get()
        return self.objects.get(key)

    head = list = get_by_hash = delete = copy = get

    async def open(self, key, *, if_match=None):
        try:
            # A scope held open over the whole stream, as clients do.
            async with asyncio.timeout(60):
                for chunk in self.objects[key]:
                    yield chunk
        finally:
            self.log.append("stream closed")

    async def put(self, key, data, **options):
        chunks = []
        try:
            async for chunk in data:
                chunks.append(chunk)
        except BaseException as error:
            self.log.append(f"aborted by {type(error).__name__}")
            raise
        self.objects[key] = chunks
        return len(chunks)
"""


@pytest.fixture
def blobs(site: Any) -> Iterator[Any]:
    site.plugin("blobs", mock__py=BLOB_MOCK, capability__toml=BLOB_MANIFEST)
    with sync.connect(BlobStore, "blobs") as store:
        yield store


def log() -> list[str]:
    return sys.modules["cap_blobs.mock"].MockBlobs.log


def test_calls_are_plain_calls(site: Any) -> None:
    site.plugin("one")
    with sync.connect(KeyValue, "one") as kv:
        kv.put("greeting", b"hello")
        assert kv.get("greeting") == b"hello"
        assert kv.list(prefix="g").keys == ["greeting"]
        with pytest.raises(AccessDenied):
            kv.get_many(["a"])
        with pytest.raises(TypeError, match="required positional argument"):
            kv.get()  # type: ignore[call-arg]
    with pytest.raises(ClientClosed):
        kv.get("greeting")


@pytest.mark.parametrize("how", ["async with", "await", "get"])
def test_a_connection_used_by_other_words_says_which_are_its_own(site: Any, how: str) -> None:
    site.plugin("one")
    connection: Any = sync.connect(KeyValue, "one")

    async def misused() -> None:
        if how == "get":
            connection.get("greeting")
        if how == "await":
            await connection
        async with connection:
            pytest.fail("it opened")

    with pytest.raises(NotOpened) as refused:
        asyncio.run(misused())
    assert how in refused.value.message
    assert "`with core_caps.sync.connect(...) as client:`" in refused.value.hint
    with connection as kv:
        assert kv.get("absent") is None


def test_options_are_those_of_connect(site: Any) -> None:
    site.plugin("one")
    records: list[CallRecord] = []
    with sync.connect(
        KeyValueReader, "one", backend="mock", clock=VirtualClock(), observe=records.append
    ) as kv:
        kv.get("k")
        assert not hasattr(kv, "put")
    assert [record.operation for record in records] == ["get"]


def test_errors_arrive_as_they_are(site: Any) -> None:
    site.plugin(
        "one",
        mock__py="""
from core_caps.errors import InvalidArgument
from dataclasses import dataclass
@dataclass
class Config: stale_seconds: float
class MockKv:
    Config = Config
    def __init__(self, config, *, clock, rng): pass
    async def __aenter__(self): return self
    async def __aexit__(self, *exc): pass
    async def get(self, key): raise InvalidArgument("too long", status=414)
    get_with_metadata = list = put = delete = get
""",
    )
    with sync.connect(KeyValue, "one") as kv:
        with pytest.raises(InvalidArgument) as raised:
            kv.get("k")
        assert raised.value.status == 414


async def test_inside_a_running_loop(site: Any) -> None:
    site.plugin("one")
    with sync.connect(KeyValue, "one") as kv:
        kv.put("k", b"v")
        assert kv.get("k") == b"v"


def test_under_many_threads_there_is_one_loop(site: Any) -> None:
    site.plugin("one")
    failures: list[BaseException] = []
    with sync.connect(KeyValue, "one") as kv:

        def work(number: int) -> None:
            try:
                for turn in range(50):
                    kv.put(f"{number}/{turn}", b"%d" % turn)
                    assert kv.get(f"{number}/{turn}") == b"%d" % turn
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(kv.list().keys) == 400
        assert [t.name for t in threading.enumerate()].count("core-caps") == 1


def test_context_variables_of_the_caller_reach_the_call(blobs: Any) -> None:
    tag: ContextVar[str] = ContextVar("tag")
    tag.set("mine")
    sys.modules["cap_blobs.mock"].TAG = tag  # type: ignore[attr-defined]
    assert blobs.get("tag") == "mine"


class TestStreams:
    def test_an_iterator_is_an_argument_and_a_result(self, blobs: Any) -> None:
        threads: list[int] = []

        def chunks() -> Iterator[bytes]:
            for number in range(3):
                threads.append(threading.get_ident())
                yield b"%d" % number

        assert blobs.put("k", chunks()) == 3
        assert set(threads) == {threading.get_ident()}, "a generator runs where it was written"
        assert list(blobs.open("k")) == [b"0", b"1", b"2"]
        assert log()[-1] == "stream closed"

    def test_leaving_the_loop_closes_the_stream(self, blobs: Any) -> None:
        blobs.put("k", iter([b"x"] * 100))
        for _ in blobs.open("k"):
            break
        assert log()[-1] == "stream closed"
        before = len(log())
        blobs.open("k")  # never read: nothing was opened
        assert len(log()) == before

    def test_an_error_in_the_source_aborts_the_call(self, blobs: Any) -> None:
        def broken() -> Iterator[bytes]:
            yield b"1"
            raise OSError("the disk is gone")

        with pytest.raises(OSError, match="the disk is gone"):
            blobs.put("k", broken())
        assert log()[-1] == "aborted by OSError"

    def test_an_interrupt_in_the_source_cancels_the_call(self, blobs: Any) -> None:
        def interrupted() -> Iterator[bytes]:
            yield b"1"
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            blobs.put("k", interrupted())
        assert log()[-1] == "aborted by CancelledError"

    def test_an_error_of_the_stream_arrives(self, blobs: Any) -> None:
        with pytest.raises(KeyError, match="absent"):
            list(blobs.open("absent"))

    def test_ctrl_c_while_reading_closes_the_stream(self, blobs: Any) -> None:
        blobs.put("k", iter([b"x"] * 5))
        chunks = blobs.open("k")
        next(chunks)
        with pytest.raises(KeyboardInterrupt):
            chunks.throw(KeyboardInterrupt())
        assert log()[-1] == "stream closed"


def test_ctrl_c_cancels_the_call(blobs: Any) -> None:
    timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        blobs.get("wait")
    assert time.monotonic() - started < 5
    assert log()[-1] == "cancelled", "the call had come to its end when the interrupt was raised"
    assert blobs.get("absent") is None


FAILING_MOCK = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Config: pass

class MockBlobs:
    Config = Config
    errors = []

    def __init__(self, config, *, clock, rng): pass
    async def __aenter__(self): return self
    async def __aexit__(self, *exc): pass

    def fail(self, *errors):
        if self.errors:
            raise self.errors.pop(0)

    async def get(self, key, *, range=None, if_match=None, if_none_match=None):
        self.fail()
        return key.encode()

    head = list = get_by_hash = delete = copy = get

    async def open(self, key, *, if_match=None):
        self.fail()
        yield b"first"
        self.fail()
        yield b"last"

    async def put(self, key, data, *, if_none_match=None):
        if isinstance(data, bytes):
            self.fail()
            return data
        taken = [chunk async for chunk in data]
        self.fail()
        return taken
"""


@pytest.mark.feature("AL-07")
class TestRetries:
    @pytest.fixture
    def fails(self, site: Any) -> list[BaseException]:
        """The errors that the next calls of the plugin `blobs` meet, one each."""
        site.plugin("blobs", mock__py=FAILING_MOCK, capability__toml=BLOB_MANIFEST)
        with sync.connect(BlobStore, "blobs"):
            return sys.modules["cap_blobs.mock"].MockBlobs.errors

    def test_a_call_is_repeated_on_the_injected_clock(self, fails: Any) -> None:
        clock, records = VirtualClock(auto=True), list[CallRecord]()
        policy = Policy(base_seconds=0)
        with sync.connect(
            BlobStore, "blobs", clock=clock, retry=policy, observe=records.append
        ) as store:
            fails += [RateLimited("429", retry_after_seconds=7), Unavailable("503")]
            assert store.get("k") == b"k"
        assert clock.monotonic() == 7
        assert [(record.attempt, record.status) for record in records] == [
            (1, "error"),
            (2, "error"),
            (3, "ok"),
        ]

    def test_the_last_error_counts_the_attempts(self, fails: Any) -> None:
        clock = VirtualClock(auto=True)
        with sync.connect(BlobStore, "blobs", clock=clock, retry=Policy(max_attempts=2)) as store:
            fails += [Unavailable("503"), PermissionDenied("403")]
            with pytest.raises(PermissionDenied) as raised:
                store.put("k", b"v")
        assert (raised.value.attempts, raised.value.outcome) == (2, Outcome.UNKNOWN)

    def test_without_a_policy_every_call_is_made_once(self, fails: Any) -> None:
        with sync.connect(BlobStore, "blobs", clock=VirtualClock(auto=True)) as store:
            fails += [Unavailable("503")]
            with pytest.raises(Unavailable):
                store.get("k")
            assert store.get("k") == b"k"

    def test_a_stream_is_repeated_while_nothing_of_it_was_consumed(self, fails: Any) -> None:
        with sync.connect(
            BlobStore, "blobs", clock=VirtualClock(auto=True), retry=Policy()
        ) as store:
            fails += [RateLimited("429")]
            assert list(store.open("k")) == [b"first", b"last"]
            chunks = store.open("k")
            assert next(chunks) == b"first"
            fails += [Unavailable("reset")]
            with pytest.raises(Unavailable):
                next(chunks)
            fails += [Unavailable("reset")]
            with pytest.raises(Unavailable) as raised:
                store.put("k", iter([b"a", b"b"]))
            assert raised.value.attempts == 1

    def test_a_spoiled_condition_is_not_repeated(self, fails: Any) -> None:
        with sync.connect(
            BlobStore, "blobs", clock=VirtualClock(auto=True), retry=Policy()
        ) as store:
            fails += [Unavailable("answer lost")]
            with pytest.raises(Unavailable):
                store.put("k", b"v", if_none_match="*")

    def test_ctrl_c_ends_the_wait(self, fails: Any) -> None:
        clock = VirtualClock()  # it stands still: the wait would never end
        with sync.connect(BlobStore, "blobs", clock=clock, retry=Policy()) as store:
            fails += [RateLimited("429", retry_after_seconds=10)]
            timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                store.get("k")
            assert store.get("k") == b"k", "the loop goes on"

    def test_after_the_block_the_refusal_is_not_repeated(self, fails: Any) -> None:
        with sync.connect(BlobStore, "blobs", retry=Policy()) as store:
            pass
        with pytest.raises(ClientClosed) as raised:
            store.get("k")
        assert raised.value.attempts == 1

    def test_the_asynchronous_retrier_says_that_it_is_not_for_this(self, fails: Any) -> None:
        with (
            sync.connect(BlobStore, "blobs") as store,
            pytest.raises(TypeError, match="connected with retry="),
        ):
            retrying(store)


def test_a_call_on_the_background_loop_would_wait_for_itself(site: Any) -> None:
    site.plugin("one")
    caught: list[BaseException] = []

    def listen(record: CallRecord) -> None:
        try:
            kv.get("k")
        except RuntimeError as error:
            caught.append(error)

    with sync.connect(KeyValue, "one", observe=listen) as kv:
        kv.get("k")
    assert "would wait for itself" in str(caught[0])


def run(site: Any, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A script in a process of its own, in which every warning is an error."""
    path = [str(site.folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *options, "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONASYNCIODEBUG": "0"},
    )


PRELUDE = """
import os, sys, threading, time
from core_caps import KeyValue, BlobStore, sync
"""


class TestTheEndOfTheInterpreter:
    @pytest.mark.parametrize(
        "script",
        [
            "c = sync.connect(KeyValue, 'one'); kv = c.__enter__(); kv.get('k')",
            "c = sync.connect(KeyValue, 'one'); kv = c.__enter__(); sys.exit(0)",
            "with sync.connect(KeyValue, 'one') as kv: kv.get('k')",
            "b = sync.connect(BlobStore, 'blobs').__enter__(); b.put('k', iter([b'1', b'2']))\n"
            "stream = b.open('k'); next(stream)",
            "b = sync.connect(BlobStore, 'blobs').__enter__()\n"
            "t = threading.Thread(target=b.get, args=('wait',), daemon=True); t.start()\n"
            "threading.excepthook = lambda *a: None; time.sleep(0.2)",
            "import atexit\n"
            "b = sync.connect(BlobStore, 'blobs').__enter__()\n"
            "import cap_blobs.mock\n"
            "atexit._run_exitfuncs()\n"
            "assert cap_blobs.mock.MockBlobs.log == ['exit'], cap_blobs.mock.MockBlobs.log",
        ],
        ids=["open", "exit", "closed", "stream", "thread", "closed by exit"],
    )
    def test_it_is_quiet_and_prompt(self, site: Any, script: str) -> None:
        site.plugin("one")
        site.plugin("blobs", mock__py=BLOB_MOCK, capability__toml=BLOB_MANIFEST)
        started = time.monotonic()
        done = run(site, PRELUDE + script)
        assert (done.returncode, done.stderr) == (0, "")
        assert time.monotonic() - started < 10

    def test_a_call_afterwards_is_refused(self, site: Any) -> None:
        site.plugin("one")
        done = run(
            site,
            PRELUDE
            + """
import atexit
def late():
    try:
        kv.get("k")
    except Exception as error:
        print(type(error).__name__)
atexit.register(late)  # registered first, so called last
kv = sync.connect(KeyValue, "one").__enter__()
""",
        )
        assert (done.stdout, done.stderr) == ("ClientClosed\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_a_fork_the_child_connects_anew(site: Any) -> None:
    site.plugin("one")
    done = run(
        site,
        PRELUDE
        + """
with sync.connect(KeyValue, "one") as kv:
    kv.put("k", b"parent")
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            kv.get("k")
        except Exception as error:
            print("child:", type(error).__name__)
        with sync.connect(KeyValue, "one") as own:
            own.put("k", b"child")
            print("child:", own.get("k"))
    else:
        _, status = os.waitpid(child, 0)
        print("parent:", kv.get("k"), status)
""",
    )
    assert done.stdout.splitlines() == [
        "child: ClientClosed",
        "child: b'child'",
        "parent: b'parent' 0",
    ], done.stderr
    assert done.stderr == ""


PAIRS = [
    (key_value.KeyValue, sync_key_value.SyncKeyValue),
    (key_value.KeyValueReader, sync_key_value.SyncKeyValueReader),
    (key_value.KeyValueWriter, sync_key_value.SyncKeyValueWriter),
    (blob_store.BlobStore, sync_blob_store.SyncBlobStore),
    (blob_store.BlobReader, sync_blob_store.SyncBlobReader),
    (blob_store.BlobWriter, sync_blob_store.SyncBlobWriter),
    (sql.Sql, sync_sql.SyncSql),
    (sql.SqlReader, sync_sql.SyncSqlReader),
    (sql.SqlWriter, sync_sql.SyncSqlWriter),
    (queue.Queue, sync_queue.SyncQueue),
    (queue.QueueSender, sync_queue.SyncQueueSender),
    (queue.QueueReceiver, sync_queue.SyncQueueReceiver),
    (dedupe.Dedupe, sync_dedupe.SyncDedupe),
    (payments.Payments, sync_payments.SyncPayments),
    (payments.PaymentsReader, sync_payments.SyncPaymentsReader),
    (payments.PaymentsWriter, sync_payments.SyncPaymentsWriter),
    (payments.Webhooks, sync_payments.SyncWebhooks),
    (durable_object.DurableObject, sync_durable_object.SyncDurableObject),
    (durable_object.DurableObjectReader, sync_durable_object.SyncDurableObjectReader),
    (durable_object.DurableObjectWriter, sync_durable_object.SyncDurableObjectWriter),
    (sequencer.Sequencer, sync_sequencer.SyncSequencer),
    (cache.Cache, sync_cache.SyncCache),
    (http.Http, sync_http.SyncHttp),
    (http.HttpReader, sync_http.SyncHttpReader),
    (http.HttpWriter, sync_http.SyncHttpWriter),
]


@pytest.mark.parametrize(("asynchronous", "synchronous"), PAIRS)
def test_the_synchronous_protocols_are_the_asynchronous_ones(
    asynchronous: type, synchronous: type
) -> None:
    operations = operations_of(asynchronous)
    methods = {
        name
        for base in synchronous.__mro__
        for name, member in vars(base).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    assert methods == set(operations)
    for name in operations:
        theirs = str(inspect.signature(getattr(asynchronous, name)))
        ours = inspect.signature(getattr(synchronous, name))
        assert str(ours) == theirs.replace(
            "collections.abc.AsyncIterator", "collections.abc.Iterator"
        )
        assert not inspect.iscoroutinefunction(getattr(synchronous, name))


def test_the_facade_loads_nothing_until_it_is_used(tmp_path: Path) -> None:
    script = (
        "import sys, threading; from core_caps import sync; "
        "print([t.name for t in threading.enumerate()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['MainThread']\n"


async def test_a_blocked_loop_is_not_the_loop_that_works(blobs: Any) -> None:
    loop = asyncio.get_running_loop()
    assert blobs.put("k", iter([b"1"])) == 1
    assert asyncio.get_running_loop() is loop
