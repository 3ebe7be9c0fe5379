"""Parts of one certification made at the same time: while one waits for its rooms, for a service or
for a comparison, another goes on."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from flows_registry.verdict import CheckResult

__all__ = ["Part", "at_once"]

Part = Callable[[], Iterable[CheckResult]]
"""What gives some results, once it is called and gone through."""


def at_once(parts: Sequence[Part], stop: Callable[[], None]) -> list[list[CheckResult]]:
    """What each part gives, in the order of the parts.

    Args:
        parts: what is to be made.
        stop: lets those that wait for anything end early, once one of them has failed or the
            user has had enough.
    """
    if len(parts) < 2:
        return [_made(part) for part in parts]
    with ThreadPoolExecutor(len(parts), "part of a certification") as pool:
        made: list[Future[list[CheckResult]]] = [pool.submit(_made, part) for part in parts]
        try:
            return [each.result() for each in made]
        except BaseException:
            stop()
            raise


def _made(part: Part) -> list[CheckResult]:
    return list(part())
