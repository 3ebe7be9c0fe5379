"""Where the evidence of the last certification of each subject lies in the user's cache.

What was asked for in part lies apart: it takes nobody's place who looked at everything.
"""

import hashlib
from pathlib import Path

from flows_registry.evidence.writing import write
from flows_registry.lab.cache import cache_folder, remove_unused
from flows_registry.verdict import Certification

__all__ = ["last_of", "remember"]

_WHOLE, _PART = "whole", "part"


def remember(path: Path, certification: Certification) -> Path:
    """Write the evidence of the subject at this path to the cache; where that is.

    Raises:
        OSError: the cache cannot be written.
    """
    target = _folder(path) / (_PART if certification.part else _WHOLE)
    write(certification, target)
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


def _folder(path: Path) -> Path:
    whole = path.resolve()
    digest = hashlib.sha256(str(whole).encode("utf-8", "surrogateescape")).hexdigest()
    return cache_folder("evidence", f"{whole.name}-{digest[:12]}")
