"""What the readable files call things, the same in all of them."""

from collections.abc import Iterator, Mapping
from typing import Literal, cast

from flows_registry.verdict import CaseRecord, Certification, CheckResult, Finding, Level, Verdict

__all__ = [
    "LEVELS",
    "SHOWN_TEXT_MAX",
    "carried_from",
    "cut",
    "headline",
    "is_carried",
    "place",
    "safe",
    "standing",
    "stories",
    "verdict_word",
]

SHOWN_TEXT_MAX = 4000
"""No text of a plugin is shown longer."""

LEVELS = {
    Level.STATIC: "source was read",
    Level.INTERPRETER: "watched from inside the interpreter",
    Level.WIRE: "every byte on the wire and the service's state were seen",
    Level.ISOLATED: "as L2, inside kernel isolation whose denial was tested",
}
"""What each level means, in words."""

_CERTIFIED = (Verdict.PASSED, Verdict.WAIVED)

Standing = Literal["good", "bad", "open", "part"]


def standing(certification: Certification) -> Standing:
    """How it came out: certified, refused, inconclusive, or only a part was asked for."""
    if certification.verdict in _CERTIFIED:
        return "part" if certification.part else "good"
    return "bad" if certification.verdict is Verdict.REFUSED else "open"


def headline(certification: Certification) -> str:
    """The verdict in two or three words."""
    match standing(certification):
        case "good":
            waived = " with waivers" if certification.verdict is Verdict.WAIVED else ""
            return f"certified {certification.level}{waived}"
        case "part":
            return "part passed"
        case "bad":
            return "refused"
        case _:
            return "inconclusive"


def verdict_word(verdict: Verdict) -> str:
    """A verdict with its sign, for those who see no colour."""
    signs = {
        Verdict.PASSED: "✓ passed",
        Verdict.REFUSED: "✗ refused",
        Verdict.INCONCLUSIVE: "? inconclusive",
        Verdict.WAIVED: "~ waived",
    }
    return signs[verdict]


def place(check: CheckResult, finding: Finding | None = None) -> str:
    """Where a check looked: its name, the capability, the backend."""
    capability = finding.capability if finding is not None else ""
    return " ".join(
        filter(None, (check.check, "/".join(filter(None, (capability, check.backend)))))
    )


def is_carried(check: CheckResult) -> bool:
    """Whether it was not run again, because nothing that it depends on is different."""
    return bool(check.facts.get("carried"))


def carried_from(check: CheckResult) -> str:
    """The day on which what is carried was run; "" where nothing is."""
    origin = check.facts.get("carried")
    if not isinstance(origin, Mapping):
        return ""
    return str(cast("Mapping[str, object]", origin).get("from", ""))


def stories(check: CheckResult, finding: Finding) -> Iterator[CaseRecord]:
    """The cases of a finding whose story was kept, the plainest first."""
    kept = {record.name: record for record in reversed(check.records) if record.timeline}
    return (kept[name] for name in finding.cases if name in kept)


def safe(text: str) -> str:
    """The text without what no file of text may hold, or what turns its direction around."""
    return "".join(letter if _is_harmless(letter) else f"\\x{ord(letter):02x}" for letter in text)


def cut(text: str, size: int = SHOWN_TEXT_MAX) -> str:
    """The text, safe and no longer than this."""
    shown = safe(text[: size + 1])
    more = len(text) - size
    return shown if more <= 0 else f"{shown[:size]}… ({more} more characters)"


def _is_harmless(letter: str) -> bool:
    number = ord(letter)
    if number < 0x20:
        return letter in "\n\t"
    turns = 0x202A <= number <= 0x202E or 0x2066 <= number <= 0x2069 or number in (0x200E, 0x200F)
    nothing = 0x7F <= number <= 0x9F or 0xD800 <= number <= 0xDFFF or number & 0xFFFE == 0xFFFE
    return not turns and not nothing
