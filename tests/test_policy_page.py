"""The page of the policy and its published schema say what the model says."""

import datetime as dt
import inspect
import json
import re
from pathlib import Path

import pytest
from flows_registry.policy import model
from flows_registry.policy.model import json_schema
from flows_registry.policy.policy import UNITS
from flows_registry.policy.reading import built_in, read_text
from pydantic import BaseModel

pytestmark = pytest.mark.feature("AL-04", "AC-07")

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "policy.md").read_text("utf-8")
SECTIONS = {
    "PolicyModel": "`(top)`",
    "HostsModel": "`egress`",
    "WordsModel": "`scopes`, `residency`, `data_classes`",
    "SeverityModel": "`severity.CODE`",
    "BudgetModel": "`budgets[]`",
    "WaiverModel": "`waivers[]`",
}


def test_the_published_schema_is_the_models() -> None:
    published = (DOCS / "policy.schema.json").read_text("utf-8")
    assert published == json_schema(), (
        "write it anew: python -m flows_registry.policy.model > docs/policy.schema.json"
    )
    assert json.loads(published)["properties"]["schema"]["const"] == 1


def test_every_field_is_documented_in_its_section() -> None:
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    models = {
        name: member
        for name, member in inspect.getmembers(model, inspect.isclass)
        if issubclass(member, BaseModel) and name in SECTIONS
    }
    assert models.keys() == SECTIONS.keys()
    for name, section in SECTIONS.items():
        fields = {f.alias or each for each, f in models[name].model_fields.items()}
        documented = set(re.findall(r"^\| `([a-z_]+)`", sections[section], re.MULTILINE))
        assert documented == fields, name


def test_the_documents_example_is_a_policy() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    policy = read_text(example, "policy.md", dt.date(2026, 11, 1))
    assert not policy.egress.problem("api.cloudflare.com", 443)
    assert policy.egress.problem("telemetry.cloudflare.com", 443)
    assert policy.ceilings("kv", "get_many")["requests"] == 101
    assert policy.waivers[0].owner == "storage-team@acme.example"


def test_what_holds_without_a_policy_is_what_the_page_says() -> None:
    policy = built_in()
    assert not policy.waivers
    assert not policy.severities
    assert policy.ceilings("kv", "get") == {"amplification": 4}
    assert "by four: one call and three\nrepeats" in PAGE


def test_the_units_are_the_models() -> None:
    assert set(UNITS) == set(model.BudgetModel.model_fields) - {"capability", "operation"}
