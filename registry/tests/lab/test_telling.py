"""What an error shows: all that a traceback would print of it, and what it holds itself."""

import pytest
from flows_registry.lab.agent.telling import told


class _Held(Exception):
    def __init__(self, message: str, held: str) -> None:
        super().__init__(message)
        self.held = held


def _raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@pytest.mark.feature("P4-05")
def test_the_whole_chain_and_its_groups_are_told() -> None:
    inner = ExceptionGroup("several", [ValueError("in the group"), KeyError("beside it")])
    inner.add_note("a note")
    text = told(_raised(RuntimeError("outside"), inner))
    for said in ("outside", "several", "in the group", "beside it", "a note"):
        assert said in text
    assert f"{__file__}:" in text
    assert "in _raised" in text


def test_its_own_arguments_and_fields_are_told_and_not_those_of_what_it_stands_on() -> None:
    text = told(_raised(_Held("outside", "my own"), _Held("inside", "another's")))
    assert "my own" in text
    assert "inside" in text
    assert "another's" not in text


def test_a_chain_that_bites_its_tail_ends() -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    assert told(one).count("RuntimeError: other") == 1
