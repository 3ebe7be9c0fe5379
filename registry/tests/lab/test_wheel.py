"""Wheels made by hand, each with one thing wrong."""

import base64
import hashlib
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from flows_registry.lab.wheel import inspect_wheel

pytestmark = pytest.mark.feature("DC-05")

INFO = "cap_x-1.0.dist-info"
SOUND = {
    "cap_x/__init__.py": b"",
    "cap_x/plugin.py": b"x = 1\n",
    "cap_x/capability.toml": b"schema = 1\n",
    f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: cap-x\nVersion: 1.0\n",
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\n",
    f"{INFO}/entry_points.txt": b"[flows.capabilities]\nx = cap_x.plugin\n",
}


def _wheel(
    folder: Path,
    files: Mapping[str, bytes] = SOUND,
    *,
    record: str | None = None,
    name: str = "cap_x-1.0-py3-none-any.whl",
    more: tuple[tuple[zipfile.ZipInfo, bytes], ...] = (),
) -> Path:
    path = folder / name
    lines = record if record is not None else _record(files)
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(zipfile.ZipInfo(member), content)
        for info, content in more:
            archive.writestr(info, content)
        if lines:
            archive.writestr(zipfile.ZipInfo(f"{INFO}/RECORD"), lines)
    return path


def _record(files: Mapping[str, bytes]) -> str:
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    return "\n".join([*rows, f"{INFO}/RECORD,,", ""])


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


TRUE = _digest(SOUND["cap_x/plugin.py"])


def test_a_sound_wheel(tmp_path: Path) -> None:
    wheel, problems = inspect_wheel(_wheel(tmp_path))
    assert problems == []
    assert wheel is not None
    assert wheel.plugins == {"x": "cap_x.plugin"}
    assert set(wheel.manifests) == {"cap_x/capability.toml"}
    assert wheel.requirement(("remote",)).startswith("cap-x[remote] @ file:///")


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("../evil.py", "PACKAGE006"),
        ("cap_x/../../evil.py", "PACKAGE006"),
        ("/etc/evil", "PACKAGE006"),
        ("c:/evil.py", "PACKAGE006"),
        ("cap_x\\evil.py", "PACKAGE006"),
        ("cap_x/./evil.py", "PACKAGE006"),
        ("CAP_X/plugin.py", "PACKAGE006"),
        ("evil.pth", "PACKAGE007"),
        ("cap_x-1.0.data/purelib/evil.pth", "PACKAGE007"),
        ("cap_x-1.0.data/platlib/usercustomize.py", "PACKAGE007"),
        ("cap_x-1.0.data/data/etc/evil.conf", "PACKAGE007"),
        ("cap_x-1.0.data/headers/evil.h", "PACKAGE007"),
        ("sitecustomize/__init__.py", "PACKAGE007"),
        ("socket.py", "PACKAGE007"),
        ("other/__init__.py", "PACKAGE007"),
        ("docs/index.md", "PACKAGE007"),
        ("cap_x/tests/test_it.py", "PACKAGE007"),
        ("cap_x/conftest.py", "PACKAGE007"),
        ("cap_x/hidden.pyc", "PACKAGE007"),
        ("other-2.0.dist-info/METADATA", "PACKAGE006"),
    ],
)
def test_a_member_that_does_not_belong(tmp_path: Path, member: str, code: str) -> None:
    _, problems = inspect_wheel(_wheel(tmp_path, {**SOUND, member: b"x"}))
    assert code in [each.code for each in problems]


def test_what_may_be_there(tmp_path: Path) -> None:
    files = {
        **SOUND,
        "cap_x/_native.cpython-311-x86_64-linux-gnu.so": b"\x7fELF",
        "cap_x/testing.py": b"",
        "cap_x-1.0.data/scripts/cap-x": b"#!python\n",
        f"{INFO}/licenses/LICENSE": b"free",
        f"{INFO}/sboms/a.json": b"{}",
    }
    wheel, problems = inspect_wheel(_wheel(tmp_path, files))
    assert problems == []
    assert wheel is not None
    assert wheel.compiled == ("cap_x/_native.cpython-311-x86_64-linux-gnu.so",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"cap_x/plugin.py,sha256={TRUE},6\n", ""),
        (TRUE, _digest(b"x = 2\n")),
        (f"{TRUE},6", f"{TRUE},7"),
        ("cap_x/plugin.py,sha256=", "cap_x/plugin.py,md5="),
        (f"{INFO}/RECORD,,\n", f"{INFO}/RECORD,,\ncap_x/gone.py,sha256=AAAA,1\n"),
        (f"{INFO}/RECORD,,\n", f"{INFO}/RECORD,,\ncap_x/plugin.py,sha256=AAAA,1\n"),
        (f"sha256={TRUE},6", ","),
    ],
    ids=["unlisted", "hash", "size", "weak hash", "gone", "twice", "no hash"],
)
def test_a_record_that_is_not_true(tmp_path: Path, old: str, new: str) -> None:
    text = _record(SOUND)
    assert old in text
    _, problems = inspect_wheel(_wheel(tmp_path, record=text.replace(old, new, 1)))
    assert {each.code for each in problems} == {"PACKAGE006"}


def test_a_symbolic_link(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("cap_x/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    _, problems = inspect_wheel(_wheel(tmp_path, more=((link, b"/etc/passwd"),)))
    assert [each.code for each in problems] == ["PACKAGE006"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice(tmp_path: Path) -> None:
    again = zipfile.ZipInfo("cap_x/plugin.py")
    _, problems = inspect_wheel(_wheel(tmp_path, more=((again, b"evil"),)))
    assert [each.code for each in problems] == ["PACKAGE006"]
    assert "twice" in problems[0].message


def test_an_archive_that_unpacks_without_end(tmp_path: Path) -> None:
    path = tmp_path / "cap_x-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"cap_x/{number}.bin", bytes(100 << 20))
    wheel, problems = inspect_wheel(path)
    assert wheel is None
    assert "MiB" in problems[0].message


@pytest.mark.parametrize(
    "name", ["cap_y-1.0-py3-none-any.whl", "cap_x-2.0-py3-none-any.whl", "nonsense.whl"]
)
def test_a_renamed_wheel(tmp_path: Path, name: str) -> None:
    _, problems = inspect_wheel(_wheel(tmp_path, name=name))
    assert {each.code for each in problems} == {"PACKAGE006"}


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL"])
def test_a_wheel_without_its_metadata(tmp_path: Path, missing: str) -> None:
    files = {name: text for name, text in SOUND.items() if not name.endswith(missing)}
    wheel, problems = inspect_wheel(_wheel(tmp_path, files))
    assert wheel is None
    assert missing in problems[-1].message


def test_what_is_no_zip_file(tmp_path: Path) -> None:
    path = tmp_path / "cap_x-1.0-py3-none-any.whl"
    path.write_bytes(b"PK nonsense")
    assert inspect_wheel(path)[0] is None
