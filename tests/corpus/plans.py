"""What the checks of one plugin are given, for tests that take a check apart."""

import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from flows_registry.certify.subject_of import subject_of
from flows_registry.checks.package import check_package
from flows_registry.checks.plan import Plan
from flows_registry.lab.lab import Lab
from flows_registry.lab.uv import Uv

__all__ = ["planned"]


@contextmanager
def planned(plugin: Path, scratch: Path, *, rooms: int) -> Generator[Plan]:
    """The plan that certifying the plugin's folder follows, its lab at work."""
    _, built = check_package(plugin, scratch / "package", uv=Uv())
    assert built is not None
    with zipfile.ZipFile(built.wheel.path) as archive:
        archive.extractall(scratch / "unpacked")
    subject, made = subject_of(built), built.environment
    with Lab(subject, made.python, made.site_packages, scratch, jobs=rooms) as lab:
        yield Plan(subject, lab, str(plugin), sources=scratch / "unpacked")
