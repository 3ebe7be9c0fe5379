"""No secret in any form stands in what is written, wherever it was put."""

import base64
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest
from flows_registry.evidence.files import as_files
from flows_registry.evidence.redaction import Redactor
from flows_registry.verdict import Certification, CheckResult

pytestmark = pytest.mark.feature("AC-07", "P4-05")

SECRET = "canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "quoted": lambda secret: quote(secret, safe=""),
    "in percent codes": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "in hexadecimal": lambda secret: secret.encode().hex(),
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in base64 after a letter": lambda secret: base64.b64encode(f"x{secret}".encode()).decode(),
    "in base64 after two": lambda secret: base64.urlsafe_b64encode(f"xy{secret}".encode()).decode(),
    "cut at its end": lambda secret: secret[:28],
    "cut at its beginning": lambda secret: secret[-20:],
    "backwards": lambda secret: secret[::-1],
}


def _planted(value: Any, text: str) -> Iterator[Any]:
    """The value, with the text in one of the texts that it holds; once for each of them."""
    match value:
        case str():
            yield f"before {text} after"
        case Mapping():
            for key, item in value.items():
                yield from ({**value, key: changed} for changed in _planted(item, text))
            yield {**value, f"a key {text}": 1}
        case list() | tuple():
            for at, item in enumerate(value):
                for changed in _planted(item, text):
                    yield type(value)((*value[:at], changed, *value[at + 1 :]))
        case _ if dataclasses.is_dataclass(value):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            yield from (replace(value, **changed) for changed in _planted_in(fields, text))


def _planted_in(fields: Mapping[str, Any], text: str) -> Iterator[dict[str, Any]]:
    for name, item in fields.items():
        yield from ({name: changed} for changed in _planted(item, text))


def _written(check: CheckResult) -> str:
    files = as_files(Certification("cap-x 1.0.0", (check,), {"seconds": 1.0}))
    return b"\n".join(files.values()).decode()


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_in_any_form_is_replaced(sample: ModuleType, form: str) -> None:
    text = FORMS[form](SECRET)
    check = sample.refused().checks[1]
    planted = replace(check, findings=(replace(check.findings[0], observed=f"got <{text}>!"),))
    assert text in json.dumps(planted.as_json())
    clean = Redactor({"api_token": [SECRET]}).result(planted)
    assert clean.findings[0].observed.startswith("got <")
    assert "{api_token}" in clean.findings[0].observed
    assert clean.findings[0].observed.endswith(">!")
    assert clean.facts["secrets_removed"] == ["{api_token}"]
    longest = max(text.split("="), key=len)[4:-4]
    assert longest not in _written(clean)


def test_it_is_found_in_every_text(sample: ModuleType) -> None:
    redactor = Redactor({"other": ["canary-" + "9" * 32], "api_token": [SECRET]})
    planted = [changed for check in sample.refused().checks for changed in _planted(check, SECRET)]
    assert len(planted) > 100
    for changed in planted:
        clean = redactor.result(changed)
        assert SECRET not in repr(clean)
        assert "{api_token}" in repr(clean)


def test_what_holds_none_is_left_alone(sample: ModuleType) -> None:
    redactor = Redactor({"api_token": [SECRET], "short": ["ab"]})
    for check in sample.certified().checks[1:]:
        assert redactor.result(check) is check


def test_a_secret_shorter_than_any_piece_is_replaced_and_no_more(sample: ModuleType) -> None:
    check = sample.refused().checks[1]
    planted = replace(check, findings=(replace(check.findings[0], observed="got s3cr3t s3cr"),))
    clean = Redactor({"s3cr3t": ["s3cr3t"]}).result(planted)
    assert clean.findings[0].observed == "got {s3cr3t} s3cr"
