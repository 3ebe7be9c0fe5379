"""Where the evidence of the last certification of each subject lies in the user's cache.

What was asked for in part lies apart: it takes nobody's place who looked at everything. Beside the
whole lies its seal, a digest: what was changed afterwards is not taken up again.
"""

import hashlib
from pathlib import Path

from flows_registry.evidence.files import EVIDENCE
from flows_registry.evidence.reading import EvidenceUnusable, read
from flows_registry.evidence.writing import write
from flows_registry.lab.cache import cache_folder, remove_unused
from flows_registry.verdict import Certification

__all__ = ["last_of", "remember", "sealed_of"]

_WHOLE, _PART, _SEAL = "whole", "part", "whole.sha256"


def remember(path: Path, certification: Certification) -> Path:
    """Write the evidence of the subject at this path to the cache; where that is.

    Raises:
        OSError: the cache cannot be written.
    """
    target = _folder(path) / (_PART if certification.part else _WHOLE)
    write(certification, target)
    if not certification.part:
        (target.parent / _SEAL).write_text(_digest(target), "utf-8")
    remove_unused(_folder(path).parent)
    return target


def last_of(path: Path) -> list[Path]:
    """The evidence that the cache has of the subject at this path, the newest first.

    Raises:
        OSError: there is no cache.
    """
    folder = _folder(path)
    found = [folder / name for name in (_WHOLE, _PART) if (folder / name).is_dir()]
    return sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)


def sealed_of(path: Path) -> tuple[Certification, str] | None:
    """What the last certification of everything at this path left, with its evidence's digest; None
    where there was none.

    Raises:
        EvidenceUnusable: it is not as it was left.
        OSError: there is no cache.
    """
    target, seal = _folder(path) / _WHOLE, _folder(path) / _SEAL
    if not target.is_dir():
        return None
    certification = read(target)
    digest = _digest(target)
    if not seal.is_file() or seal.read_text("utf-8", errors="replace") != digest:
        raise EvidenceUnusable(f"{target} is not as the last certification left it")
    return certification, digest


def _digest(evidence: Path) -> str:
    return hashlib.sha256((evidence / EVIDENCE).read_bytes()).hexdigest()


def _folder(path: Path) -> Path:
    whole = path.resolve()
    digest = hashlib.sha256(str(whole).encode("utf-8", "surrogateescape")).hexdigest()
    return cache_folder("evidence", f"{whole.name}-{digest[:12]}")
