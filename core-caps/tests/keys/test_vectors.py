"""The published vectors, recomputed by every path there is."""

import json
import unicodedata
from collections.abc import Mapping
from importlib import resources
from typing import Any

import blake3
import cbor2
import pytest
from core_caps.keys import KeySchema, compile_key, digest_pure, encode, idempotency_key

PUBLISHED = json.loads(resources.files("core_caps.keys").joinpath("vectors.json").read_text())
VECTORS: list[dict[str, Any]] = PUBLISHED["vectors"]

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["partition"])


def plain(value: Any) -> Any:
    """A vector's value: JSON, and what JSON cannot say as a map of one name."""
    match value:
        case {"$bytes": str(digits), **nothing} if not nothing:
            return bytes.fromhex(digits)
        case {"$int": str(digits), **nothing} if not nothing:
            return int(digits)
        case {"$float": str(digits), **nothing} if not nothing:
            return float.fromhex(digits)
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


def nfc(value: Any) -> Any:
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case dict():
            return {nfc(name): nfc(item) for name, item in value.items()}
        case list():
            return [nfc(item) for item in value]
        case _:
            return value


def schema_of(value: Any) -> Any:
    match value:
        case dict():
            return {name: schema_of(item) for name, item in value.items()}
        case [first, *rest]:
            return [schema_of(first) if all(type(first) is type(item) for item in rest) else object]
        case list():
            return [object]
        case _:
            return None if value is None else type(value)


@pytest.mark.feature("P0-03")
@each_vector
def test_the_slow_path(vector: Mapping[str, Any]) -> None:
    names = vector["flow"], vector["node"], vector["partition"]
    fields = plain(vector["fields"])
    assert idempotency_key(*names, fields).hex() == vector["key"]
    whole = dict(zip("fnpx", (*names, fields), strict=True))
    assert encode(whole).hex() == vector["cbor"]


@pytest.mark.feature("P0-03")
@each_vector
def test_the_compiled_path(vector: Mapping[str, Any]) -> None:
    fields = plain(vector["fields"])
    compiled = compile_key(vector["flow"], vector["node"], KeySchema(schema_of(fields)))
    assert compiled(vector["partition"], fields).hex() == vector["key"]


@pytest.mark.feature("P0-03")
@each_vector
def test_the_oracle(vector: Mapping[str, Any]) -> None:
    whole = {
        "f": vector["flow"],
        "n": vector["node"],
        "p": vector["partition"],
        "x": plain(vector["fields"]),
    }
    encoded = cbor2.dumps(nfc(whole), canonical=True)
    assert encoded.hex() == vector["cbor"]
    assert blake3.blake3(encoded).hexdigest() == vector["key"]
    assert cbor2.loads(encoded) == nfc(whole)


@pytest.mark.feature("P0-03")
@each_vector
def test_the_twin_in_pure_python(vector: Mapping[str, Any]) -> None:
    assert digest_pure(bytes.fromhex(vector["cbor"])).hex() == vector["key"]


@pytest.mark.feature("P0-03")
def test_the_vectors_are_many_and_different() -> None:
    assert len(VECTORS) >= 8
    assert len({vector["key"] for vector in VECTORS}) == len(VECTORS)
    assert PUBLISHED["format"] == 1
