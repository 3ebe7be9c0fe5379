"""Clean environments: exactly what a wheel requires, reused by content, never half-made."""

import importlib.metadata
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flows_registry.commands.new import create
from flows_registry.lab.build import build_once
from flows_registry.lab.environment import EnvironmentFailed, closure, make_environment
from flows_registry.lab.source import read_source
from flows_registry.lab.uv import Uv
from flows_registry.lab.wheel import Wheel, inspect_wheel
from flows_registry.lab.workspace import _packed, companions

pytestmark = pytest.mark.feature("DC-01", "DC-05")

WARM_SECONDS_MAX = 1.0


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.getbasetemp() / "flows-cache"
    monkeypatch.setenv("FLOWS_CACHE", str(cache))


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    source = read_source(create("cap-thing", tmp_path))
    found, problems = inspect_wheel(build_once(source, tmp_path / "b", uv=Uv()).wheel)
    assert found is not None
    assert problems == []
    return found


def _requirements(wheel: Wheel, scratch: Path, *extras: str) -> list[str]:
    beside = companions(wheel, extras, uv=Uv(), scratch=scratch)
    return [wheel.requirement(extras), *(each.requirement() for each in beside)]


def test_it_holds_the_wheel_what_it_requires_and_nothing_else(wheel: Wheel, tmp_path: Path) -> None:
    wanted = _requirements(wheel, tmp_path)
    made = make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    names = {each.name for each in made.distributions}
    assert names == {"cap-thing", "core-caps", "pluggy"}
    assert names == closure(made, "cap-thing", ())
    assert [path.name for path in made.site_packages.glob("*.pth")] == []


def test_an_extra_brings_what_it_names(wheel: Wheel, tmp_path: Path) -> None:
    wanted = _requirements(wheel, tmp_path, "test")
    made = make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    names = {each.name for each in made.distributions}
    assert "pytest" in names
    assert names == closure(made, "cap-thing", ("test",))


def test_it_is_reused_quickly_and_made_anew_when_touched(wheel: Wheel, tmp_path: Path) -> None:
    wanted = _requirements(wheel, tmp_path)
    first = make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    started = time.monotonic()
    second = make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    assert time.monotonic() - started <= WARM_SECONDS_MAX
    assert second == first
    module = first.site_packages / "cap_thing/mock.py"
    original = module.read_bytes()
    module.write_bytes(original + b"\n# changed by a case\n")
    (first.site_packages / "added.py").write_text("")
    third = make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    assert third == first
    assert module.read_bytes() == original
    assert not (first.site_packages / "added.py").exists()


def test_compiled_code_is_there_and_nobody_else_s(wheel: Wheel, tmp_path: Path) -> None:
    wanted = _requirements(wheel, tmp_path)
    made = make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    (compiled,) = (made.site_packages / "cap_thing/__pycache__").glob("mock.*.pyc")
    original, status = compiled.read_bytes(), compiled.stat()
    compiled.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    os.utime(compiled, ns=(status.st_atime_ns, status.st_mtime_ns))
    make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    assert compiled.read_bytes()[-1] == original[-1]


def test_two_at_once_make_it_once(wheel: Wheel, tmp_path: Path) -> None:
    wanted = [*_requirements(wheel, tmp_path), "idna>=3"]

    def make(number: int) -> object:
        return make_environment(wanted, uv=Uv(), scratch=tmp_path / f"e{number}")

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(make, range(3)))
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("wanted", ["core-caps>=400", "not a requirement", "idna @ file:///no.whl"])
def test_what_cannot_be_had_is_one_clear_error(wanted: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed) as raised:
        make_environment([wanted], uv=Uv(), scratch=tmp_path)
    assert raised.value.hint


def test_offline_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    from flows_registry.lab.uv import index_environment

    uv = Uv(offline=True, env=index_environment())
    with pytest.raises(EnvironmentFailed) as raised:
        make_environment(["idna>=3"], uv=uv, scratch=tmp_path)
    assert raised.value.unreachable
    assert "offline" in raised.value.hint


def test_a_folder_of_wheels_serves_where_the_index_has_nothing(
    wheel: Wheel, tmp_path: Path
) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    beside = companions(wheel, (), uv=Uv(), scratch=tmp_path)
    for each in (wheel, *beside):
        (folder / each.path.name).write_bytes(each.path.read_bytes())
    made = make_environment(["cap-thing"], uv=Uv(find_links=(folder,)), scratch=tmp_path / "e")
    assert "cap-thing" in {each.name for each in made.distributions}


def test_an_installed_distribution_can_be_packed_again(tmp_path: Path) -> None:
    packed = _packed(importlib.metadata.distribution("packaging"), tmp_path)
    wheel, problems = inspect_wheel(packed)
    assert problems == []
    assert wheel is not None
    assert wheel.name == "packaging"
