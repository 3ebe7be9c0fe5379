"""Copying sources, building them, and what confinement holds back."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flows_registry.commands.new import create
from flows_registry.lab import running
from flows_registry.lab.build import BuildFailed, build, build_once
from flows_registry.lab.running import OUTPUT_BYTES_MAX, Confinement, can_confine, run
from flows_registry.lab.source import SourceNotPlugin, SourceRefused, copy, read_source
from flows_registry.lab.uv import Uv, index_environment
from flows_registry.lab.walls import interpreters, no_walls

pytestmark = pytest.mark.feature("DC-05")

INTERPRETERS = tuple(interpreters(Path(sys.executable)))

GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": os.devnull}

IGNORED = """
*.log
!keep.log
/top.txt
build/
docs/*.html
**/deep/x
a?c.tmp
[xy].dat
"""

TREE = (
    "pyproject.toml", "a.log", "keep.log", "sub/a.log", "top.txt", "sub/top.txt", "build/x",
    "sub/build/x", "docs/a.html", "docs/sub/a.html", "deep/x", "q/deep/x", "abc.tmp", "x.dat",
    "z.dat", "sub/.gitignore", "sub/own.txt", "ümlaut name.txt",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.getbasetemp() / "flows-cache"
    monkeypatch.setenv("FLOWS_CACHE", str(cache))


def _tree(root: Path) -> Path:
    for name in TREE:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("own.txt\n" if name == "sub/.gitignore" else "x")
    (root / ".gitignore").write_text(IGNORED)
    return root


def _git(root: Path, *words: str) -> str:
    env = {**os.environ, **GIT}
    command = ["git", "-C", str(root), *words]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def test_without_git_the_same_files_are_seen_as_with_it(tmp_path: Path) -> None:
    plain = read_source(_tree(tmp_path / "plain"))
    versioned = _tree(tmp_path / "versioned")
    _git(versioned, "init", "-q")
    listed = _git(versioned, "ls-files", "-z", "--others", "--exclude-standard")
    assert list(plain.files) == sorted(filter(None, listed.split("\0")))
    assert read_source(versioned).files == plain.files
    assert read_source(versioned).digest == plain.digest


def test_a_file_deleted_but_tracked_is_not_copied(tmp_path: Path) -> None:
    root = _tree(tmp_path / "plugin")
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    (root / "z.dat").unlink()
    copied = copy(read_source(root), tmp_path / "copy", mtime=0.0)
    assert not (copied / "z.dat").exists()
    assert (copied / "keep.log").read_text() == "x"


def test_a_repository_cannot_make_us_run_its_programs(tmp_path: Path) -> None:
    root = _tree(tmp_path / "plugin")
    _git(root, "init", "-q")
    trap = root / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/caught\n")
    trap.chmod(0o755)
    _git(root, "config", "core.fsmonitor", str(trap))
    read_source(root)
    assert not (tmp_path / "caught").exists()


def test_a_plugin_in_a_folder_that_its_repository_ignores(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    plugin = _tree(root / "plugins/cap-x")
    (root / ".gitignore").write_text("plugins/\n")
    _git(root, "init", "-q")
    assert "pyproject.toml" in read_source(plugin).files


@pytest.mark.parametrize("path", ["nothing", "file.txt", "empty"])
def test_a_path_that_is_no_plugin(tmp_path: Path, path: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceNotPlugin) as raised:
        read_source(tmp_path / path)
    assert path in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("target", ["/etc/hosts", "../outside", "sub/../../outside", "loop"])
def test_a_link_that_leaves_the_tree_is_refused(tmp_path: Path, target: str) -> None:
    root = _tree(tmp_path / "plugin")
    (root / "loop").symlink_to("/") if target == "loop" else None
    (root / "link").symlink_to(target)
    with pytest.raises(SourceRefused):
        read_source(root)


def test_a_device_is_refused(tmp_path: Path) -> None:
    root = _tree(tmp_path / "plugin")
    os.mkfifo(root / "pipe")
    with pytest.raises(SourceRefused):
        read_source(root)


def test_a_build_repeats_itself_and_leaves_the_source_alone(tmp_path: Path) -> None:
    plugin = create("cap-thing", tmp_path)
    source = read_source(plugin)
    made = build(source, tmp_path / "scratch", uv=Uv())
    assert made.differences == ()
    assert made.strays == ()
    assert made.wheel.name == "cap_thing-0.1.0-py3-none-any.whl"
    assert set(made.digests) == {made.wheel.name, made.sdist.name}
    again = build_once(source, tmp_path / "again", uv=Uv())
    assert again.digests == made.digests
    assert read_source(plugin).digest == source.digest


def test_the_build_sees_no_secret_and_no_setting_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    plugin = create("cap-thing", tmp_path)
    with (plugin / "pyproject.toml").open("a") as file:
        file.write("\n[tool.hatch.build.hooks.custom]\n")
    (plugin / "hatch_build.py").write_text(
        "import os\n"
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class CustomBuildHook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        "        raise RuntimeError(sorted(os.environ.items()))\n"
    )
    with pytest.raises(BuildFailed) as raised:
        build_once(read_source(plugin), tmp_path / "scratch", uv=Uv())
    assert "SOURCE_DATE_EPOCH" in raised.value.tail
    assert "hush" not in raised.value.tail
    assert "nowhere" not in raised.value.tail


def test_what_reaches_the_index_is_kept_and_the_rest_is_not(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://example.org/simple\n")
    env = index_environment(
        {
            "HOME": str(tmp_path),
            "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
            "PIP_TARGET": "/x",
            "UV_INDEX": "https://example.org/more",
            "UV_PYTHON": "3.9",
            "VIRTUAL_ENV": "/y",
            "PYTHONPATH": "/z",
            "SSL_CERT_FILE": "/c.pem",
            "HTTPS_PROXY": "http://proxy:1",
        }
    )
    assert env["UV_DEFAULT_INDEX"] == "https://example.org/simple"
    assert env["UV_INDEX"] == "https://example.org/more"
    assert env["SSL_CERT_FILE"] == "/c.pem"
    assert env["HTTPS_PROXY"] == "http://proxy:1"
    assert not {"PIP_TARGET", "UV_PYTHON", "VIRTUAL_ENV", "PYTHONPATH"} & env.keys()


def _shell(script: str, cwd: Path, seconds: float, confined: Confinement | None = None):
    env = {"PATH": os.defpath}
    command = ["/bin/sh", "-c", script]
    return run(command, env=env, cwd=cwd, timeout_seconds=seconds, confined=confined)


def test_a_command_that_takes_too_long_is_stopped_with_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    ran = _shell("(sleep 2; touch late) & echo begun; sleep 60", tmp_path, 0.5)
    assert ran.timed_out
    assert not ran.ok
    assert "begun" in ran.output
    assert time.monotonic() - started < 5
    time.sleep(2)
    assert not (tmp_path / "late").exists()


def test_a_child_that_keeps_the_output_open_does_not_keep_us(tmp_path: Path) -> None:
    started = time.monotonic()
    ran = _shell("sleep 60 & echo done", tmp_path, 30)
    assert ran.ok
    assert "done" in ran.output
    assert time.monotonic() - started < 10


def test_output_is_kept_from_its_end(tmp_path: Path) -> None:
    ran = _shell("yes xxxxxxxx | head -c 3000000; echo; echo the end", tmp_path, 30)
    assert len(ran.output) <= OUTPUT_BYTES_MAX
    assert ran.tail(1) == "the end"


@pytest.mark.skipif(not can_confine(), reason="this kernel makes no namespaces for us")
class TestConfinement:
    @pytest.fixture(autouse=True, params=["within walls", "without walls"])
    def walls(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param == "without walls":
            monkeypatch.setattr(running, "no_walls", lambda: "there are none")
        elif (why := no_walls()) is not None:
            pytest.skip(why)

    def test_it_writes_to_its_own_folders_only(self, tmp_path: Path) -> None:
        own, other = tmp_path / "own", tmp_path / "other"
        own.mkdir()
        other.mkdir()
        script = f"echo x >{own}/in; echo x >{other}/out; echo x >/tmp/out-of-it; echo x >/dev/null"
        ran = _shell(script, own, 20, Confinement((own,)))
        assert (own / "in").read_text() == "x\n"
        assert list(other.iterdir()) == []
        assert ran.ok

    def test_it_reaches_no_network(self, tmp_path: Path) -> None:
        script = "import socket; socket.create_connection(('192.0.2.1', 9), 3)"
        ran = run(
            [sys.executable, "-c", script],
            env={},
            cwd=tmp_path,
            timeout_seconds=20,
            confined=Confinement((tmp_path,), INTERPRETERS),
        )
        assert "unreachable" in ran.output

    def test_nothing_that_it_starts_outlives_it(self, tmp_path: Path) -> None:
        daemon = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\n"
        daemon += "if os.fork(): os._exit(0)\ntime.sleep(1.5)\nopen('late', 'w')\n"
        (tmp_path / "daemon.py").write_text(daemon)
        confined = Confinement((tmp_path,), INTERPRETERS)
        ran = _shell(f"{sys.executable} daemon.py", tmp_path, 20, confined)
        assert ran.ok
        time.sleep(2)
        assert not (tmp_path / "late").exists()

    def test_its_exit_code_is_told(self, tmp_path: Path) -> None:
        assert _shell("exit 7", tmp_path, 20, Confinement((tmp_path,))).returncode == 7
