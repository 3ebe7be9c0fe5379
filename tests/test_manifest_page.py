"""The page of the manifest and its published schema say what the model says."""

import inspect
import json
import re
from pathlib import Path

import pytest
from core_caps.capabilities import spec_for
from core_caps.claims import manifest_model
from core_caps.claims.manifest_model import json_schema, validate
from pydantic import BaseModel

pytestmark = pytest.mark.feature("DC-03")

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_published_schema_is_the_models() -> None:
    published = (DOCS / "capability.schema.json").read_text()
    assert published == json_schema(), (
        "write it anew: python -m core_caps.claims.manifest_model > docs/capability.schema.json"
    )
    assert json.loads(published)["properties"]["schema"]["const"] == 1


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0].strip(): part for part in parts}


def test_every_field_is_documented_in_its_section() -> None:
    sections = _sections((DOCS / "manifest.md").read_text())
    models: list[type[BaseModel]] = [
        member
        for _, member in inspect.getmembers(manifest_model, inspect.isclass)
        if issubclass(member, BaseModel) and member.__name__.endswith("Model")
        and member.__name__ not in ("BaseModel", "_Model")
    ]  # fmt: skip
    assert len(models) == 9
    for model in models:
        table = manifest_model.table_of(model)
        section = sections[f"`{table}`"]
        documented = set(re.findall(r"^\| `([a-z_]+)`", section, flags=re.MULTILINE))
        assert documented == {f.alias or name for name, f in model.model_fields.items()}, table


def test_the_documents_example_is_sound() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (DOCS / "manifest.md").read_text(), re.DOTALL)
    assert validate(example.encode(), spec_for=spec_for)[1] == []
