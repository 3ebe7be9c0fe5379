"""A policy file: what is read from it, and everything that is wrong with one told at once."""

import datetime as dt
from pathlib import Path

import pytest
from flows_registry.policy.policy import Policy
from flows_registry.policy.reading import PolicyInvalid, built_in, read, read_text
from flows_registry.verdict import Level, Severity

pytestmark = pytest.mark.feature("AL-04", "AC-07")

TODAY = dt.date(2026, 11, 1)

WHOLE = """
schema = 1
name = "acme"
level_min = "L2"

[egress]
allow = ["*.example.com:443"]
forbid = ["evil.example.com"]

[scopes]
forbid = ["Admin *"]

[severity.EFFECT204]
level = "warning"
reason = "estimates come next quarter"

[[budgets]]
requests = 10

[[budgets]]
capability = "kv"
requests = 5

[[budgets]]
operation = "put"
requests = 2
wait_seconds = 1

[[waivers]]
check = "contract"
code = "CONTRACT019"
plugin = "cloudflare-r2"
reason = "the SDK cannot"
owner = "storage@acme.example"
expires = 2027-01-15
"""


def _read(text: str) -> Policy:
    return read_text(text, "policy.toml", TODAY)


def _problems(text: str) -> str:
    with pytest.raises(PolicyInvalid) as caught:
        _read(text)
    assert caught.value.code == "POLICY001"
    assert caught.value.hint
    return str(caught.value)


def test_everything_that_is_said_is_read() -> None:
    policy = _read(WHOLE)
    assert policy.level_min is Level.WIRE
    assert not policy.egress.problem("a.example.com", 443)
    assert "forbid" in policy.egress.problem("evil.example.com", 443)
    assert policy.scopes.problem("Admin Read & Write")
    assert policy.severities["EFFECT204"].severity is Severity.WARNING
    assert policy.waivers[0].expires == dt.date(2027, 1, 15)


def test_the_closest_ceiling_wins() -> None:
    policy = _read(WHOLE)
    assert policy.ceilings("blob", "get") == {"requests": 10}
    assert policy.ceilings("kv", "get") == {"requests": 5}
    assert policy.ceilings("kv", "put") == {"requests": 2, "wait_seconds": 1}


def test_nothing_is_waived_or_forbidden_where_nobody_gives_a_policy() -> None:
    policy = built_in()
    assert not policy.waivers
    assert not policy.severities
    assert not policy.egress.problem("anywhere.example", 1)


@pytest.mark.parametrize("field", ["reason", "owner", "expires"])
def test_a_waiver_without_an_answer_is_no_policy(field: str) -> None:
    lines = [line for line in WHOLE.splitlines() if not line.startswith(f"{field} =")]
    if field == "reason":
        lines.insert(lines.index('level = "warning"') + 1, 'reason = "kept"')
    told = _problems("\n".join(lines))
    assert f"waivers[0].{field} is missing" in told
    assert f"line {lines.index('[[waivers]]') + 1}:" in told


def test_a_waiver_holds_for_no_longer_than_the_policy_lets_it() -> None:
    told = _problems(WHOLE.replace("2027-01-15", "2027-02-15"))
    assert "waivers[0].expires is more than waiver_days_max = 90 days away" in told
    assert "2027-01-30" in told


def test_an_error_is_lowered_for_a_reason_only() -> None:
    told = _problems(WHOLE.replace('reason = "estimates come next quarter"', ""))
    assert "severity.EFFECT204.reason is missing" in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "acme"', 'nome = "acme"', "nome is not a field of a policy"),
        ('name = "acme"', 'nome = "acme"', "name is missing"),
        ('"*.example.com:443"', '"exa*mple.com"', "egress.allow[0]"),
        ('"*.example.com:443"', '"https://example.com"', "egress.allow[0]"),
        ('code = "CONTRACT019"', 'code = "CONTRACT999"', "waivers[0].code is no code"),
        ("expires = 2027-01-15", 'expires = "2027-01-15"', "waivers[0].expires is no date"),
        ("requests = 10", "", "budgets[0] has no ceiling"),
        ("requests = 10", "requests = -1", "budgets[0].requests"),
        ("[severity.EFFECT204]", "[severity.POLICY106]", "severity.POLICY106 is no code"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_field(old: str, new: str, told: str) -> None:
    problems = _problems(WHOLE.replace(old, new))
    assert told in problems
    assert "line " in problems


def test_the_line_is_the_fields_own() -> None:
    told = _problems(WHOLE.replace("requests = 5", 'requests = "many"'))
    number = WHOLE.splitlines().index("requests = 5") + 1
    assert f"line {number}: budgets[1].requests" in told


def test_what_is_no_toml_is_told_with_its_line() -> None:
    assert "line 3" in _problems('schema = 1\nname = "x"\n[egress\n')


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="cannot be read"):
        read(tmp_path / "nothing.toml", TODAY)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyInvalid, match="UTF-8"):
        read(tmp_path / "bytes.toml", TODAY)
