"""A case is data: state to start from, calls to make, faults to meet; and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core_caps.contract.codec import Foreign, decode
from core_caps.contract.suite import Call

from flows_registry.lab.faults import Fault
from flows_registry.lab.ran import NOTHING, Ran

__all__ = [
    "Answer",
    "Case",
    "CaseRun",
    "ErrorFacts",
    "Exchange",
    "Place",
    "Sighting",
    "Step",
    "Turn",
    "Use",
]


FORM_TEXT_MAX = 2000


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """An error that a call raised, as data.

    Attributes:
        name: the class's name, `RateLimited`.
        code: the diagnostic code, or None for an error that is not ours.
        outcome: "not_applied", "applied", "unknown", or None.
        message: what it says.
        ancestors: the core_caps classes it derives from, `core_caps.errors:ProviderError`.
        retry_after_seconds: the wait it passes on.
        text: traceback and arguments, to search for secrets.
    """

    name: str
    code: str | None = None
    outcome: str | None = None
    message: str = ""
    ancestors: tuple[str, ...] = ()
    retry_after_seconds: float | None = None
    text: str = field(default="", repr=False)

    @property
    def kind(self) -> str:
        """The nearest class of ours: a plugin's own subclass of TimedOut is a TimedOut."""
        return self.ancestors[0].rpartition(":")[2] if self.ancestors else self.name

    @property
    def is_provider_error(self) -> bool:
        """Whether a caller can read an outcome from it."""
        return "core_caps.errors:ProviderError" in self.ancestors


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one call: a value or an error.

    Attributes:
        value: the decoded result.
        error: the error, or None.
        seconds: how long it took, in the case's own time.
        at_seconds: when it began, in that time.
        cpu_seconds: the processor's time that went by in the whole process meanwhile.
        requests: how many armed requests had come when it began, and when it ended.
        moments: the place of its beginning and of its end among those of all calls.
        memory_bytes: where the case was measured, how much more memory was held at its highest.
        cancelled: the case cancelled it; `seconds` then counts from the cancellation.
    """

    value: object | None = None
    error: ErrorFacts | None = None
    seconds: float = 0.0
    at_seconds: float = 0.0
    cpu_seconds: float = 0.0
    requests: tuple[int, int] = (0, 0)
    moments: tuple[int, int] = (0, 0)
    memory_bytes: int = 0
    cancelled: bool = False

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> "Step":
        """From the agent's report."""
        times = {name: report[name] for name in _MEASURED}
        times |= {name: tuple(report[name]) for name in ("requests", "moments")}
        if "error" in report:
            facts = dict(report["error"], ancestors=tuple(report["error"]["ancestors"]))
            return cls(error=ErrorFacts(**facts), **times)
        if report.get("cancelled"):
            return cls(cancelled=True, **times)
        return cls(value=_shown(report["value"]), **times)


_MEASURED = ("seconds", "at_seconds", "cpu_seconds", "memory_bytes")


def _shown(form: object) -> object:
    """A result as its plugin's process sent it; what no codec wrote is kept as it came."""
    try:
        return decode(form, foreign=False)
    except (TypeError, ValueError, RecursionError):
        return Foreign("no result that can be read", {"form": repr(form)[:FORM_TEXT_MAX]})


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """A canary that stands where somebody may read it.

    Attributes:
        kind: "secret" or "personal".
        name: the setting whose value it is, or what of a person it is.
        place: where, to print: "the error of put".
    """

    kind: str
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that reached the fault server while the case was armed.

    Attributes:
        number: from 0.
        at_seconds: when it arrived, in the case's time.
        method, host, port, target: as sent; credentials in `target` are redacted.
        fault: the kind of fault it met, or None.
        status: what was answered, or None where nothing was.
        committed: the reference applied it.
        changed: and its state was different afterwards.
        answer_bytes: the size of the content of the honest answer.
        answer_type: its content type.
        request_bytes: the size of the request's content.
        body_sha256: its digest.
        scheme: "https", "http", or the name of another protocol.
        verified: the client had accepted the server's certificate properly.
        headers: those of its headers, as `Name: value`, that the lab was asked to note.
        scopes: the vendor's permissions any one of which the request needs, the least first; none
            where it needs none, and None where the reference does not tell.
        sightings: the canaries that stand in it, and where: "url", "header NAME" or "content".
        carried: which of the case's marks stood in its address, headers or content, by number.
    """

    number: int
    method: str
    host: str
    port: int
    target: str
    fault: str | None
    status: int | None
    committed: bool
    changed: bool
    answer_bytes: int
    answer_type: str
    body_sha256: str
    at_seconds: float = 0.0
    request_bytes: int = 0
    verified: bool = True
    carried: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    scheme: str = "https"
    scopes: tuple[str, ...] | None = None
    sightings: tuple["Sighting", ...] = ()

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two requests the same request."""
        return self.method, self.host, self.target, self.body_sha256


@dataclass(frozen=True, slots=True)
class Use:
    """What the holder of a URL that a call gave does with it.

    Attributes:
        method: the HTTP method.
        content: what is sent along, or None.
        after_seconds: how long it is held before, in the case's time.
    """

    method: str
    content: bytes | None = None
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Who makes a call, and when.

    Attributes:
        client: the client's number, from 0; each has a connection of its own.
        after_seconds: how long it waits, once its call before has ended, in the case's time.
    """

    client: int
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What that was answered with; status None says that nobody answered, and `content` why."""

    status: int | None
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether what was asked has been done."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An expression of the plugin's source: where it begins, and where it ends.

    Attributes:
        file: its path from where the package lies, `cap_x/remote.py`.
        line, column, end_line, end_column: as `ast` counts them.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a plugin in a room.

    Attributes:
        name: unique within its check; with the seed it reproduces the case.
        contract: the capability's contract id, `kv/1`.
        backend: the backend's name.
        calls: the calls under test.
        setup: calls made first, on a healthy service.
        use: what is done with the URL that the last of the calls gave.
        probe: calls made afterwards, on a healthy service again.
        faults: what the armed requests meet.
        turns: who makes each of the calls, where several clients do: all of them at once, each
            its own in order. One more client then looks.
        victim: calls made between the setup and the others by a client of its own, whose process
            ends without a word while the last of them is under way. The setup's results are gone
            with it.
        perturbation: for the server: `chunk_bytes`, `delay_seed`, `pace_seed` and
            `marks`, to look for in every request, each a list of the forms that it may have.
        cancel_after_seconds: cancel each call after so long, in the case's time.
        elapsed_seconds: let so much time pass between the setup and the calls.
        settle_seconds: after a cancellation, or after several clients, let so much time pass
            before looking.
        concurrent: make the calls all at once.
        promise: run this promise of the contract's suite instead of calls.
        config, secrets: settings besides those that the lab gives.
        real_seconds_max: kill the case after so long in real time.
        together: it may run in a process in which others ran before, if those left it as they
            found it. Quicker; what goes wrong there is to be tried again without.
        places: tell which of these run between setup and probe; telling slows the case down.
        followed: tell which lines and branches of the plugin's own source run; slower. It looks for
            no places.
        measured: tell how much memory each call takes; slower, and streams are only counted.
        listening: hear what every library logs at every level, and not only the plugin.
    """

    name: str
    contract: str
    backend: str
    calls: Sequence[Call]
    setup: Sequence[Call] = ()
    use: Use | None = None
    probe: Sequence[Call] = ()
    faults: Sequence[Fault] = ()
    turns: Sequence[Turn] = ()
    victim: Sequence[Call] = ()
    perturbation: Mapping[str, Any] = field(default_factory=dict[str, Any])
    elapsed_seconds: float = 0.0
    cancel_after_seconds: float | None = None
    settle_seconds: float = 0.0
    concurrent: bool = False
    promise: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    real_seconds_max: float = 30.0
    together: bool = False
    places: Sequence[Place] = ()
    followed: bool = False
    measured: bool = False
    listening: bool = False


@dataclass(frozen=True, slots=True)
class CaseRun:
    """What came of a case.

    Attributes:
        case: the case.
        setup, steps, probe: what came of its calls.
        answer: what the use of a URL was answered with, or None where there was none.
        opening: why the provider could not be opened or closed, or None.
        exchanges: the requests of the armed time, in order.
        consumed: for each fault, whether the server really served it.
        state_before, state_after: digests of the service's state around the armed calls.
        state_bytes_before, state_bytes_after: how large the states are.
        state_text_before, state_text_after: the states themselves, cut to a readable size.
        egress: (host or address, port) of every connection tried while armed, by whatever means.
        lookups: every name looked up while armed, whether or not anything went there.
        egress_around, lookups_around: the same of the time before and after: the plugin's import,
            its opening, other calls, its closing.
        watched: (kind, detail) of files, processes and connections the interpreter reported; an
            "own file" lies in a folder that a setting of the backend names.
        reached, reached_around: those of the case's places that ran in its calls, and around them.
        ran: of a case that is followed, which lines and branches of the plugin ran in it.
        sources: where its profile asks for that, the lines of the plugin that read along an axis.
        sightings: the canaries that the plugin's process showed.
        kept: for a promise, whether it was kept.
        broken: for a broken promise, what was promised and observed.
        died: whether the case's victim died in its last call, and not before or after.
        trouble: "hung", "crashed …", "killed …": the case has no steps to trust. Or None.
        stalled_connections: how many silent connections the client had not left at the end.
        virtual_seconds: how long it took in its own time, from its opening to its end.
        real_seconds: how long it really took.
    """

    case: Case
    setup: tuple[Step, ...] = ()
    steps: tuple[Step, ...] = ()
    probe: tuple[Step, ...] = ()
    answer: Answer | None = None
    opening: ErrorFacts | None = None
    exchanges: tuple[Exchange, ...] = ()
    consumed: tuple[bool, ...] = ()
    state_before: str = ""
    state_after: str = ""
    state_bytes_before: int = 0
    state_bytes_after: int = 0
    state_text_before: str = ""
    state_text_after: str = ""
    egress: tuple[tuple[str, int], ...] = ()
    lookups: tuple[str, ...] = ()
    egress_around: tuple[tuple[str, int], ...] = ()
    lookups_around: tuple[str, ...] = ()
    watched: tuple[tuple[str, str], ...] = ()
    reached: frozenset[Place] = frozenset()
    reached_around: frozenset[Place] = frozenset()
    ran: Ran = NOTHING
    sources: tuple[str, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    kept: bool | None = None
    broken: Mapping[str, str] = field(default_factory=dict[str, str])
    died: bool = False
    trouble: str | None = None
    stalled_connections: int = 0
    virtual_seconds: float = 0.0
    real_seconds: float = 0.0
