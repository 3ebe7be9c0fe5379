"""Patterns of a policy: hosts by whole labels, words with stars."""

from fnmatch import fnmatchcase

__all__ = ["host_matches", "word_matches"]


def host_matches(pattern: str, host: str, port: int) -> bool:
    """Whether an address fits `HOST` or `HOST:PORT`.

    `*` stands for one whole label and `**` for one or more; `*` as the port, or none, is any.
    So `*.example.com` fits `a.example.com`, and neither `example.com` nor `aexample.com`.
    """
    name, at = _split(pattern)
    if at not in ("", "*", str(port)):
        return False
    return _labels_match(name.lower().split("."), host.lower().rstrip(".").split("."))


def word_matches(pattern: str, word: str) -> bool:
    """Whether a word fits, letter case aside; `*` stands for anything, `?` for one character."""
    return fnmatchcase(word.lower(), pattern.lower())


def _split(pattern: str) -> tuple[str, str]:
    """Host and port of a pattern; the port is "" where it has none."""
    if pattern.startswith("["):
        host, _, port = pattern.partition("]")
        return host + "]", port.removeprefix(":")
    host, _, port = pattern.partition(":")
    return host, port


def _labels_match(patterns: list[str], labels: list[str]) -> bool:
    if not patterns or not labels:
        return not patterns and not labels
    first, *rest = patterns
    if first == "**":
        return any(_labels_match(rest, labels[taken:]) for taken in range(1, len(labels) + 1))
    return first in ("*", labels[0]) and _labels_match(rest, labels[1:])
