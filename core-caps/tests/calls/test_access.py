"""A view offers the declared operations and leads nowhere else by mistake."""

import copy
import inspect
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from core_caps import BlobReader, KeyValue, KeyValueReader, limited
from core_caps.capabilities.blob_store import BlobStore
from core_caps.claims.operation import operations_of
from core_caps.errors import AccessDenied, UnknownHint
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.feature("PL-03")


class Store:
    """A provider that counts, with more than any protocol asks for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.token = "hunter2"

    async def get(self, key: str) -> bytes | None:
        self.calls.append(f"get {key}")
        return b"value"

    async def put(self, key: str, value: bytes) -> None:
        self.calls.append(f"put {key}")

    async def open(self, key: str) -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def reader(store: Store) -> KeyValueReader:
    return limited(store, KeyValueReader)


async def test_declared_operations_reach_the_provider(store: Store, reader: KeyValueReader) -> None:
    assert await reader.get("k") == b"value"
    assert store.calls == ["get k"]


async def test_streams_pass_through(store: Store) -> None:
    blob = limited(store, BlobReader)
    assert [chunk async for chunk in blob.open("k")] == [b"a", b"b"]


def test_the_refusal_names_the_hint_to_add(reader: Any) -> None:
    with pytest.raises(AccessDenied) as refused:
        reader.put("k", b"v")
    assert refused.value.code == "CAP110"
    assert "it needs resource::kv::write" in refused.value.message
    assert refused.value.hint.startswith("add resource::kv::write to the node's hints")
    assert not hasattr(reader, "put")
    assert getattr(reader, "put", None) is None


def test_an_operation_that_delegates_needs_the_delegated_hint_too(store: Any) -> None:
    store.presign = store.get
    reading = ["resource::blob::read", "resource::clock"]
    view = limited(store, BlobStore, hints=reading)
    with pytest.raises(AccessDenied, match="resource::blob::write"):
        view.presign  # noqa: B018
    assert limited(store, BlobStore, hints=[*reading, "blob_write"]).presign


def test_hints_are_needed_one_by_one(store: Store) -> None:
    assert dir(limited(store, KeyValue, hints=["resource::kv::read"])) == ["get"]
    assert dir(limited(store, KeyValue, hints=["resource::kv"])) == []
    assert dir(limited(store, KeyValue, hints=[])) == []
    assert dir(limited(store, KeyValue)) == ["get", "put"]


def test_a_view_of_a_view_never_widens(store: Store, reader: KeyValueReader) -> None:
    wider: Any = limited(reader, KeyValue)
    assert not hasattr(wider, "put")
    assert wider.get.__self__ is wider


ROADS: list[Callable[[Any], object]] = [
    lambda view: view.put,
    lambda view: view._calls,
    lambda view: view.calls,
    lambda view: view.token,
    lambda view: view.__wrapped__,
    lambda view: view.__dict__,
    lambda view: view.__self__,
    lambda view: view.get.__wrapped__,
    lambda view: vars(view),
    lambda view: object.__getattribute__(view, "_calls"),
    lambda view: type(view)._calls,
    lambda view: view.__class__.__dict__["_calls"],
    lambda view: view.__class__.put,
    lambda view: super(type(view), view).put,
    lambda view: inspect.unwrap(view.get) is view.get or 1 / 0,
    lambda view: copy.copy(view),
    lambda view: copy.deepcopy(view),
    lambda view: copy.replace(view) if hasattr(copy, "replace") else 1 / 0,
    lambda view: pickle.dumps(view),
    lambda view: view.__getstate__()[1]["_calls"],
    lambda view: view.__reduce__(),
    lambda view: setattr(view, "get", None),
    lambda view: setattr(view, "put", print),
    lambda view: delattr(view, "get"),
    lambda view: setattr(view, "__class__", Store),
]


@pytest.mark.parametrize("road", [pytest.param(r, id=str(n)) for n, r in enumerate(ROADS)])
def test_no_road_of_the_mistaken_kind_leads_to_the_provider(
    reader: Any, store: Store, road: Callable[[Any], object]
) -> None:
    try:
        found = road(reader)
    except (AttributeError, TypeError, KeyError, ZeroDivisionError, pickle.PicklingError):
        return
    assert found is True, found


def test_what_a_bound_method_belongs_to_is_the_view(reader: Any) -> None:
    assert reader.get.__self__ is reader
    assert not hasattr(reader.get, "__wrapped__")


def test_another_view_class_gives_no_other_operations(store: Store, reader: Any) -> None:
    writer = limited(store, KeyValue)
    with pytest.raises((AccessDenied, TypeError)):
        reader.__class__ = type(writer)
    with pytest.raises((KeyError, TypeError)):
        type(writer).put(reader, "k", b"v")  # type: ignore[arg-type]
    assert store.calls == []


@given(st.text(max_size=12).filter(lambda name: name not in ("get",) and not name.startswith("__")))
def test_no_other_name_is_there(name: str) -> None:
    with pytest.raises(AttributeError):
        getattr(limited(Store(), KeyValueReader), name)


def test_a_view_says_what_it_is(reader: Any) -> None:
    assert repr(reader) == "<view of KeyValueReader: get>"
    assert reader.get.__name__ == "get"
    assert "value" in reader.get.__doc__
    assert list(operations_of(type(reader))) == ["get"]


def test_one_class_for_each_protocol_and_set_of_operations(store: Store) -> None:
    first, second = limited(store, KeyValueReader), limited(Store(), KeyValueReader)
    assert type(first) is type(second)


def test_what_declares_no_operations_is_no_protocol(store: Store) -> None:
    with pytest.raises(TypeError, match="declares no operations"):
        limited(store, int)


def test_hints_that_cannot_be_meant_are_refused(store: Store) -> None:
    with pytest.raises(TypeError, match="a list of texts"):
        limited(store, KeyValue, hints="resource::kv::read")
    with pytest.raises(UnknownHint, match="the family has: resource::kv::read"):
        limited(store, KeyValue, hints=["resource::kv::raed"])
    foreign = ["resource::mail::send", "resource::kv", "kv_read"]
    assert "get" in dir(limited(store, KeyValue, hints=foreign))
