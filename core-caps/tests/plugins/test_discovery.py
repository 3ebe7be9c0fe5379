"""Discovery against the importlib_metadata backport, the slow and correct way to ask."""

import binascii
import marshal
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest
from core_caps.errors import ManifestInvalid, PluginConflict, PluginNotFound
from core_caps.plugins import snapshot
from core_caps.plugins.discovery import (
    discover,
    find,
    manifest_of,
    outline_of,
    providers_of,
)

pytestmark = pytest.mark.feature("DC-02")


def oracle(path: list[str]) -> list[tuple[str, str, str, str]]:
    """(plugin, distribution, version, module), as importlib_metadata sees them."""
    before = sys.path
    sys.path = list(path)
    try:
        points = importlib_metadata.entry_points(group="flows.capabilities")
        return sorted(
            (point.name, point.dist.name, point.dist.version, point.module)
            for point in points
            if point.dist is not None
        )
    finally:
        sys.path = before


def ours(path: list[str]) -> list[tuple[str, str, str, str]]:
    return sorted((f.name, f.distribution, f.version, f.module) for f in discover(path))


def kept(cache: Path) -> list[Path]:
    """The files of the cache."""
    return [each for each in cache.rglob("*") if each.is_file()]


def read(file: Path) -> dict[str, Any]:
    return marshal.loads(file.read_bytes()[4:])


def write(file: Path, data: object) -> None:
    body = marshal.dumps(data)
    file.write_bytes(binascii.crc32(body).to_bytes(4) + body)


def settle() -> None:
    """Let the file system's clock move on, so that what is on disk now may be remembered."""
    time.sleep(snapshot.SETTLED_SECONDS + 0.02)


def test_installed_plugins_are_found_as_importlib_metadata_finds_them(site: Any) -> None:
    site.plugin("one")
    site.plugin("two", version="2.0.post1")
    site.metadata("Odd.Name_here", "odd = odd_name.plugin:attribute [extra]", version="0+local.1")
    site.metadata("other", "")
    site.write("bare-1.0.dist-info/METADATA", "Name: bare\nVersion: 1.0\n")
    site.write(
        "sections-1.dist-info/entry_points.txt",
        """
        # a comment
        [console_scripts]
        flows.capabilities = no:way

        [ flows.capabilities ]
        skipped = no.way

        [flows.capabilities]
        kept = sections.plugin
           indented   =   sections.more
        [flows.capabilities.deeper]
        no = no.way
        """,
    )
    site.write("sections-1.dist-info/METADATA", "Name: sections\nVersion: 1\n")
    path = [str(site.folder)]
    assert ours(path) == oracle(path)
    assert {row[0] for row in ours(path)} == {"one", "two", "odd", "kept", "indented"}


def test_this_environment_agrees_with_importlib_metadata() -> None:
    assert ours(sys.path) == oracle(sys.path)


def test_the_first_of_two_distributions_of_one_name_shadows_the_other(
    site: Any, tmp_path: Path
) -> None:
    site.plugin("one", version="1.0")
    later = tmp_path / "later" / "cap_one-9.9.dist-info"
    later.mkdir(parents=True)
    (later / "entry_points.txt").write_text("[flows.capabilities]\none = elsewhere\n")
    (later / "METADATA").write_text("Name: cap-one\nVersion: 9.9\n")
    path = [str(site.folder), str(later.parent)]
    assert ours(path) == oracle(path) == [("one", "cap-one", "1.0", "cap_one.plugin")]


def test_an_install_and_an_uninstall_are_seen_at_once(site: Any) -> None:
    path = [str(site.folder)]
    for round_ in range(5):
        site.plugin("one", version=f"1.{round_}")
        assert [found.version for found in discover(path)] == [f"1.{round_}"]
        assert ours(path) == oracle(path)
        site.uninstall("cap-one")
        assert discover(path) == ()


@pytest.mark.parametrize("warm", [True, False], ids=["same process", "next process"])
@pytest.mark.parametrize("settled", [True, False], ids=["settled", "at once"])
def test_an_edit_in_place_is_seen_at_once(site: Any, warm: bool, settled: bool) -> None:
    package = site.plugin("one")
    path = [str(site.folder)]
    for summary in ("First one", "Other one", "Third one"):
        if settled:
            settle()
        outline_of(find("one", path), path)
        text = (package / "capability.toml").read_text()
        (package / "capability.toml").write_text(
            "\n".join(
                f'summary = "{summary}"' if line.startswith("summary") else line
                for line in text.splitlines()
            )
        )
        if not warm:
            snapshot.forget()
        found = find("one", path)
        assert outline_of(found, path).summary == summary
        assert manifest_of(found, path).summary == summary


def test_edits_within_one_tick_of_the_file_systems_clock_are_seen(site: Any) -> None:
    site.plugin("one")
    listing = site.folder / "cap_one-1.0.dist-info" / "entry_points.txt"
    path = [str(site.folder)]
    for number in range(100, 400):
        listing.write_text(f"[flows.capabilities]\np{number} = cap_one.plugin\n")
        assert [found.name for found in discover(path)] == [f"p{number}"]


def _rewrite_with_old_stamp(file: Path, text: str) -> None:
    before = file.stat()
    assert len(text) == before.st_size, "the test wants the same size"
    file.write_text(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_edit_that_keeps_size_and_modification_time_is_seen(site: Any) -> None:
    site.plugin("one")
    listing = site.folder / "cap_one-1.0.dist-info" / "entry_points.txt"
    path = [str(site.folder)]
    settle()
    assert [found.name for found in discover(path)] == ["one"]
    _rewrite_with_old_stamp(listing, listing.read_text().replace("one =", "two ="))
    assert [found.name for found in discover(path)] == ["two"]


def test_entry_points_that_appear_in_place_are_seen(site: Any) -> None:
    path = [str(site.folder)]
    site.write("cap_one.egg-info/PKG-INFO", "Name: cap-one\nVersion: 1\n")
    settle()
    assert discover(path) == ()
    site.write("cap_one.egg-info/entry_points.txt", "[flows.capabilities]\none = cap_one.plugin\n")
    assert ours(path) == oracle(path) == [("one", "cap-one", "1", "cap_one.plugin")]


def test_an_installer_is_watched_until_it_is_done(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "INSTALLED_SECONDS", 0.5)
    path = [str(site.folder)]
    other = site.write("other-1.dist-info/entry_points.txt", "[console_scripts]\n")
    site.write("cap_one-1.dist-info/METADATA", "Name: cap-one\nVersion: 1\n")
    settle()
    assert discover(path) == ()
    site.write(
        "cap_one-1.dist-info/entry_points.txt", "[flows.capabilities]\none = cap_one.plugin\n"
    )
    assert ours(path) == oracle(path) == [("one", "cap-one", "1", "cap_one.plugin")]
    time.sleep(0.5)
    assert [found.name for found in discover(path)] == ["one"]
    looked_at: list[str] = []
    stat = os.stat

    def seen(place: str) -> os.stat_result:
        looked_at.append(place)
        return stat(place)

    monkeypatch.setattr(os, "stat", seen)
    assert [found.name for found in discover(path)] == ["one"]
    assert str(site.folder) in looked_at
    assert not [place for place in looked_at if place.startswith(str(other.parent))]


def test_what_an_installer_adds_is_seen_by_the_next_process(site: Any) -> None:
    path = [str(site.folder)]
    site.write("cap_one-1.dist-info/METADATA", "Name: cap-one\nVersion: 1\n")
    settle()
    assert discover(path) == ()
    site.write(
        "cap_one-1.dist-info/entry_points.txt", "[flows.capabilities]\none = cap_one.plugin\n"
    )
    snapshot.forget()
    assert [found.name for found in discover(path)] == ["one"]


def test_a_manifest_that_appears_or_disappears_is_seen(site: Any) -> None:
    manifest = site.plugin("one") / "capability.toml"
    path = [str(site.folder)]
    text = manifest.read_text()
    settle()
    assert find("one", path).manifest_path == str(manifest)
    manifest.unlink()
    assert find("one", path).manifest_path is None
    with pytest.raises(ManifestInvalid, match=r"no capability\.toml"):
        manifest_of(find("one", path), path)
    settle()
    find("one", path)
    manifest.write_text(text)
    assert find("one", path).manifest_path == str(manifest)


def _plain_path(site: Any, source: Path) -> None:
    """hatchling, uv, flit, poetry: the folder of the sources."""
    site.write("_editable_impl_cap_one.pth", str(source))


def _setuptools_finder(site: Any, source: Path) -> None:
    """setuptools, where a folder on the path would show too much."""
    site.write(
        "__editable__.cap_one-1.0.pth",
        "import __editable___cap_one_1_0_finder; __editable___cap_one_1_0_finder.install()\n",
    )
    site.write(
        "__editable___cap_one_1_0_finder.py",
        f"""
        from __future__ import annotations
        MAPPING: dict[str, str] = {{'cap_one': {str(source / "cap_one")!r}}}
        NAMESPACES: dict[str, list[str]] = {{}}
        PATH_PLACEHOLDER = '__editable__.cap_one-1.0.finder' + ".__path_hook__"
        """,
    )


def _editables_finder(site: Any, source: Path) -> None:
    """hatchling with dev-mode-exact, pdm: the `editables` library."""
    site.write("_cap_one.pth", "import _editable_impl_cap_one\n")
    site.write(
        "_editable_impl_cap_one.py",
        f"""
        from editables.redirector import RedirectingFinder as F
        F.install()
        F.map_module('cap_one', {str(source / "cap_one" / "__init__.py")!r})
        """,
    )


@pytest.mark.parametrize("style", [_plain_path, _setuptools_finder, _editables_finder])
def test_the_manifest_of_an_editable_install_is_found_and_watched(
    site: Any, tmp_path: Path, style: Callable[[Any, Path], None]
) -> None:
    source = tmp_path / "checkout" / "src"
    package = site.package("cap_one", name="one", folder=source)
    site.metadata("cap-one", "one = cap_one.plugin")
    style(site, source)
    path = [str(site.folder)]
    found = find("one", path)
    assert found.manifest_path == str(package / "capability.toml")
    assert found.editable
    settle()
    outline_of(find("one", path), path)
    site.write(package / "capability.toml", "schema = 1")
    assert "problem" in outline_of(find("one", path), path).problem
    assert "cap_one" not in sys.modules


def test_a_finder_of_this_process_is_asked_last(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = site.package("cap_one", name="one", folder=tmp_path / "elsewhere")
    site.metadata("cap-one", "one = cap_one.plugin")

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> object:
            from importlib.util import spec_from_file_location

            if name != "cap_one":
                return None
            return spec_from_file_location(
                name, package / "__init__.py", submodule_search_locations=[str(package)]
            )

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert find("one").manifest_path == str(package / "capability.toml")


def test_nested_and_namespace_packages_keep_their_manifest_beside_the_hook(site: Any) -> None:
    for part in ("kv", "r2"):
        site.package(f"acme/{part}", name=f"acme-{part}")
    site.metadata("acme-caps", "acme-kv = acme.kv.plugin\nacme-r2 = acme.r2.plugin")
    path = [str(site.folder)]
    assert [found.manifest_path for found in discover(path)] == [
        str(site.folder / "acme" / part / "capability.toml") for part in ("kv", "r2")
    ]


def test_two_distributions_that_claim_one_name_are_both_shown_and_refused(site: Any) -> None:
    site.plugin("kv", distribution="cap-first")
    site.plugin("kv", distribution="cap-second")
    assert [found.distribution for found in discover()] == ["cap-first", "cap-second"]
    with pytest.raises(PluginConflict) as refused:
        find("kv")
    assert "cap-first" in str(refused.value)
    assert "cap-second" in str(refused.value)


def test_an_unknown_name_is_answered_with_the_nearest_and_all(site: Any) -> None:
    site.plugin("cloudflare-kv")
    site.plugin("stripe")
    with pytest.raises(PluginNotFound, match="did you mean 'cloudflare-kv'") as refused:
        find("cloudflair-kv")
    assert "stripe" in str(refused.value)


def test_providers_of_a_contract_pass_over_broken_manifests(site: Any) -> None:
    site.plugin("sound")
    site.plugin("broken", capability__toml="schema = 1\nname = ")
    assert [found.name for found in providers_of("kv/1")] == ["sound"]
    assert providers_of("blob/1") == ()
    assert "line 2" in outline_of(find("broken")).problem


def test_an_outline_lists_hints_and_backends_without_importing_the_plugin(site: Any) -> None:
    site.plugin("one", plugin__py="raise RuntimeError('imported')")
    outline = outline_of(find("one"))
    assert outline.capabilities["kv/1"]["get"] == ["resource::kv::read"]
    assert outline.capabilities["kv/1"]["put"] == ["resource::kv::write"]
    assert outline.backends == {"mock": ["kv/1"]}
    assert outline.problem == ""


def test_what_an_uninstall_left_behind_is_passed_over(site: Any) -> None:
    site.plugin("one")
    (site.folder / "cap_one-1.0.dist-info").rename(site.folder / "~ap_one-1.0.dist-info")
    assert discover([str(site.folder)]) == ()


def test_of_two_versions_in_one_folder_the_newer_install_counts(site: Any) -> None:
    site.plugin("one", version="2.0")
    settle()
    site.plugin("one", version="1.0")
    assert [found.version for found in discover([str(site.folder)])] == ["1.0"]


class TestTheCache:
    def test_nothing_is_kept_that_a_second_change_could_escape(
        self, site: Any, cache: Path
    ) -> None:
        site.plugin("one")
        discover([str(site.folder)])
        assert kept(cache) == [], "the folder changed within the clock's grain"
        settle()
        discover([str(site.folder)])
        assert len(kept(cache)) == 1

    @pytest.mark.parametrize(
        "content",
        [
            None,
            [],
            {"format": 1},
            {"format": snapshot.FORMAT, "path": [], "found": 3, "stamps": {}, "memory": {}},
            {"format": 999, "path": [], "found": [], "stamps": {}, "memory": {}},
        ],
    )
    def test_a_file_of_another_shape_is_ignored_and_replaced(
        self, site: Any, cache: Path, content: object
    ) -> None:
        site.plugin("one")
        path = [str(site.folder)]
        settle()
        expected = discover(path)
        (file,) = kept(cache)
        write(file, content)
        snapshot.forget()
        assert discover(path) == expected
        assert list(read(file)["path"]) == path

    @pytest.mark.parametrize("at", [0, 3, 4, 5, 40, -1])
    @pytest.mark.parametrize("how", ["flipped", "cut", "emptied", "grown"])
    def test_a_damaged_file_is_ignored_and_replaced(
        self, site: Any, cache: Path, at: int, how: str
    ) -> None:
        site.plugin("one")
        path = [str(site.folder)]
        settle()
        expected = discover(path)
        (file,) = kept(cache)
        whole = file.read_bytes()
        flipped = bytearray(whole)
        flipped[at] ^= 0x5A
        damaged = {"flipped": bytes(flipped), "cut": whole[:at], "emptied": b"", "grown": whole * 2}
        file.write_bytes(damaged[how])
        snapshot.forget()
        assert discover(path) == expected
        assert file.read_bytes() == whole

    def test_rows_of_another_shape_are_ignored(self, site: Any, cache: Path) -> None:
        site.plugin("one")
        path = [str(site.folder)]
        settle()
        expected = discover(path)
        (file,) = kept(cache)
        data = read(file)
        for row in ([1, 2, 3, 4, 5, 6], ["a"], [["a"]] * 6, "abcdef", [*data["found"][0], 1]):
            write(file, data | {"found": [row]})
            snapshot.forget()
            assert discover(path) == expected

    def test_a_folder_that_cannot_be_written_is_done_without(
        self, site: Any, cache: Path, tmp_path: Path
    ) -> None:
        cache.write_text("a file stands in its way")
        site.plugin("one")
        settle()
        assert [found.name for found in discover([str(site.folder)])] == ["one"]

    def test_another_path_of_the_same_checksum_is_not_mistaken(
        self, site: Any, cache: Path
    ) -> None:
        site.plugin("one")
        path = [str(site.folder)]
        settle()
        discover(path)
        (file,) = kept(cache)
        data = read(file)
        write(file, data | {"path": ["/another"], "found": []})
        snapshot.forget()
        assert [found.name for found in discover(path)] == ["one"]

    def test_only_so_many_environments_are_remembered(
        self, site: Any, cache: Path, tmp_path: Path
    ) -> None:
        site.plugin("one")
        settle()
        for number in range(snapshot.FILES_MAX + 6):
            discover([str(site.folder), f"/absent/{number}"])
        assert len(kept(cache)) == snapshot.FILES_MAX

    def test_writers_at_the_same_time_leave_one_whole_file(self, site: Any, cache: Path) -> None:
        for number in range(20):
            site.plugin(f"p{number}")
        settle()
        path = [str(site.folder)]
        script = (
            "import sys; from core_caps.plugins.discovery import discover, outline_of\n"
            "for _ in range(3): print(len([outline_of(f, sys.argv[1:]) "
            "for f in discover(sys.argv[1:])]))"
        )
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", script, *path],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for run in runs:
            out, err = run.communicate(timeout=60)
            assert out.split() == ["20"] * 3, err
        (file,) = kept(cache)
        assert len(read(file)["found"]) == 20
        assert [each for each in file.parent.iterdir() if each != file] == []

    def test_threads_agree(self, site: Any) -> None:
        for number in range(10):
            site.plugin(f"p{number}")
        settle()
        path = [str(site.folder)]
        answers: list[int] = []

        def ask() -> None:
            for _ in range(10):
                outlines = [outline_of(found, path) for found in discover(path)]
                answers.append(sum("kv/1" in outline.capabilities for outline in outlines))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [10] * 80


def test_a_listing_imports_neither_plugins_nor_what_only_tools_need(site: Any, cache: Path) -> None:
    site.plugin("one", plugin__py="raise RuntimeError('imported')")
    settle()
    script = """
import sys
from core_caps.plugins.discovery import discover, outline_of
for found in discover(sys.argv[1:]):
    assert outline_of(found, sys.argv[1:]).backends, found
heavy = {"pydantic", "pluggy", "importlib.metadata", "asyncio", "pathlib", "cap_one"}
first_time = {"tomllib", "dataclasses"}
print(sorted(sys.modules.keys() & (heavy | (first_time if len(sys.argv) > 2 else set()))))
"""
    for arguments in ([], ["/second/time"], ["/second/time"]):
        done = subprocess.run(
            [sys.executable, "-c", script, str(site.folder), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        output = done.stdout
    assert output == "[]\n", done.stderr
