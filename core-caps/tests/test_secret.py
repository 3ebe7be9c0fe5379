"""A secret shows itself to `reveal` and to nothing else."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import pytest
from core_caps import Secret

TEXT = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>20}",
        lambda secret: "{}".format(secret),  # noqa: UP032 (this way of formatting is under test)
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
        lambda secret: str([secret]) + str({"token": secret}),
    ],
)
def test_no_way_of_printing_shows_the_text(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(TEXT))
    assert TEXT not in shown
    assert "…" in shown or "\\u2026" in shown


def test_logs_and_tracebacks_do_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(TEXT)
    logging.getLogger("test").warning("connecting with %s", secret)
    assert TEXT not in caplog.text
    try:
        raise ValueError(secret)
    except ValueError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert "Secret(…)" in shown
    assert shown.count(TEXT) == 0


def test_it_does_not_leave_the_process_by_accident() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(TEXT))
    with pytest.raises(TypeError):
        copy.copy(Secret(TEXT))
    with pytest.raises(TypeError):
        json.dumps({"token": Secret(TEXT)})
    with pytest.raises(TypeError):
        vars(Secret(TEXT))


def test_reveal_gives_the_text() -> None:
    assert Secret(TEXT).reveal() == TEXT


def test_equality_is_of_texts_and_never_with_plain_text() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert hash(Secret(TEXT)) == hash(Secret(TEXT))
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT
    assert {Secret(TEXT): 1}[Secret(TEXT)] == 1


@pytest.mark.parametrize("given", [None, 5, TEXT.encode(), ["text"]])
def test_what_is_no_text_is_refused_and_not_shown(given: object) -> None:
    with pytest.raises(TypeError, match="a secret is text") as refused:
        Secret(given)  # type: ignore[arg-type]
    assert TEXT not in str(refused.value)
