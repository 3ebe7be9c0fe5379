"""The certifier certified: each broken plugin is refused by its check, a sound one by none.

Only what its own check says of a twin counts: a crash is no kill, and neither is a refusal by
another check or for another reason.
"""

import datetime as dt
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from core_caps.errors import CapsError

from flows_registry.certify.recall import JUDGING, SelfTest, Trial
from flows_registry.certify.run import Options, judged
from flows_registry.certify.scratch import scratch_folder
from flows_registry.certify.workshop import Packaged, Workshop
from flows_registry.corpus import bases
from flows_registry.corpus.sound import SOUND
from flows_registry.corpus.twin import Sound, Twin
from flows_registry.corpus.twins import TWINS
from flows_registry.lab.uv import Uv
from flows_registry.policy.policy import Policy
from flows_registry.policy.reading import built_in, read_text
from flows_registry.verdict import Certification, Finding, Level, Verdict

__all__ = ["Asked", "chosen", "self_test"]

_TODAY = dt.date(2026, 11, 1)
_SHOWN = 300
_SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked for.

    Attributes:
        checks: the checks to try; all that have twins unless named.
        only: try only plugins whose name contains this text.
        seeds: where generated cases start; with several, sound plugins alone are tried, so often.
        level: look no closer than this; twins that show only from a higher level on are left out.
        jobs: how many plugins at a time; None is two.
        offline: use only what has been fetched before.
        keep: keep everything that was made in this folder.
        progress: told (text, done, all) after each plugin.
    """

    checks: Sequence[str] = JUDGING
    only: str = ""
    seeds: Sequence[int] = (0,)
    level: Level = Level.ISOLATED
    jobs: int | None = None
    offline: bool = False
    keep: Path | None = None
    progress: Callable[[str, int, int], None] = lambda text, done, total: None


def chosen(asked: Asked) -> list[Twin | Sound]:
    """The plugins that are to be tried."""
    broken = TWINS if len(asked.seeds) == 1 else ()
    plugins: Iterable[Twin | Sound] = (*broken, *SOUND)
    return [
        plugin
        for plugin in plugins
        if asked.only in plugin.name and (isinstance(plugin, Sound) or _is_asked_for(plugin, asked))
    ]


def _is_asked_for(twin: Twin, asked: Asked) -> bool:
    return twin.check in asked.checks and twin.level <= asked.level


def self_test(asked: Asked) -> SelfTest:
    """Every plugin of the corpus tried, each by itself."""
    started = time.monotonic()
    plugins = chosen(asked)
    total, trials = len(plugins) * len(asked.seeds), list[Trial]()
    with (
        scratch_folder(asked.keep) as scratch,
        ThreadPoolExecutor(asked.jobs or 2, "plugin of the corpus") as pool,
    ):
        workshop = Workshop(scratch, uv=Uv(offline=asked.offline))
        places = [scratch / f"plugin-{number}" for number in range(len(plugins))]
        tried = pool.map(partial(_tried, asked, workshop), places, plugins)
        try:
            for of_one in tried:
                trials += of_one
                asked.progress(of_one[0].name, len(trials), total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return SelfTest(tuple(trials), round(time.monotonic() - started, 3))


def _tried(asked: Asked, workshop: Workshop, place: Path, plugin: Twin | Sound) -> list[Trial]:
    """One plugin, packaged once and judged with every seed; what breaks on the way ends one trial
    and no other."""
    packaged: Packaged | None = None
    trials: list[Trial] = []
    for seed in asked.seeds:
        started = time.monotonic()
        try:
            packaged = packaged or _packaged(workshop, place, plugin)
            room = place / f"seed-{seed}"
            room.mkdir()
            found = judged(_options(asked, plugin, place, seed), *packaged, room, started)
            trial = _trial(plugin, seed, found)
        except CapsError as refusal:
            trial = _turned_away(plugin, seed, refusal)
        except Exception as problem:
            trial = _broken(plugin, seed, problem)
        trials.append(replace(trial, seconds=round(time.monotonic() - started, 3)))
    return trials


def _packaged(workshop: Workshop, place: Path, plugin: Twin | Sound) -> Packaged:
    files, base = bases.made(plugin), bases.files_of(plugin.base)
    folder = bases.write(files, place / _SOURCE)
    if _is_packaged_alike(plugin, files, base):
        return workshop.packaged(folder, place.name, plugin.base, base)
    return workshop.built(folder, place.name)


def _is_packaged_alike(
    plugin: Twin | Sound, files: Mapping[str, str], base: Mapping[str, str]
) -> bool:
    """Whether the plugin differs from its base below its package alone."""
    if isinstance(plugin, Twin) and plugin.check == "package":
        return False
    return all(
        path.startswith("src/") for path in files.keys() | base if files.get(path) != base.get(path)
    )


def _options(asked: Asked, plugin: Twin | Sound, place: Path, seed: int) -> Options:
    if isinstance(plugin, Twin):
        checks, only = (plugin.check,), plugin.only
    else:
        checks, only = asked.checks, ""
    return Options(
        place / _SOURCE,
        checks=tuple(dict.fromkeys(("package", *checks))),
        only=only,
        seed=seed,
        jobs=1,
        level=asked.level,
        policy=_policy(plugin),
        today=_TODAY,
    )


def _policy(plugin: Twin | Sound) -> Policy:
    text = plugin.policy if isinstance(plugin, Twin) else ""
    return read_text(text, "policy.toml", _TODAY) if text else built_in()


def _trial(plugin: Twin | Sound, seed: int, found: Certification) -> Trial:
    as_meant = _is_found(plugin, found) if isinstance(plugin, Twin) else _has_passed(found)
    told = "" if as_meant else _told(found)
    return Trial(
        plugin.name, _check_of(plugin), seed, found.verdict.value, as_meant, told, found.level
    )


def _turned_away(plugin: Twin | Sound, seed: int, refusal: CapsError) -> Trial:
    """The trial of what is refused for what it is, before anything of it can run."""
    as_meant = isinstance(plugin, Twin) and plugin.codes == (refusal.code,)
    told = "" if as_meant else f"{refusal.code} {refusal.message}"[:_SHOWN]
    return Trial(plugin.name, _check_of(plugin), seed, Verdict.REFUSED.value, as_meant, told)


def _broken(plugin: Twin | Sound, seed: int, problem: Exception) -> Trial:
    """The trial of a plugin on which the certifier itself broke."""
    place = traceback.extract_tb(problem.__traceback__)[-1]
    told = f"{type(problem).__name__} in {place.name} ({Path(place.filename).name}): {problem}"
    said = Verdict.INCONCLUSIVE.value
    return Trial(plugin.name, _check_of(plugin), seed, said, as_meant=False, told=told[:_SHOWN])


def _check_of(plugin: Twin | Sound) -> str:
    return plugin.check if isinstance(plugin, Twin) else ""


def _is_found(twin: Twin, found: Certification) -> bool:
    """Whether the intended check says it, it alone, for the intended reason, after a run, and with
    all that helps."""
    saying = [each for each in found.checks if each.verdict is twin.verdict]
    refuses = twin.verdict is Verdict.REFUSED
    findings = [f for each in saying for f in each.findings if f.refuses or not refuses]
    return (
        found.verdict is twin.verdict
        and {each.check for each in saying} == {twin.check}
        and set(twin.codes) <= {finding.code for finding in findings}
        and all(each.cases > 0 for each in saying)
        and (not refuses or all(map(_helps, findings)))
    )


def _helps(finding: Finding) -> bool:
    """Whether it says what was promised, what happened, and what to do."""
    return all((finding.message, finding.promised, finding.observed, finding.fix))


def _has_passed(found: Certification) -> bool:
    """Whether every check passed, each on some case."""
    return found.verdict is Verdict.PASSED and all(each.cases > 0 for each in found.checks)


def _told(found: Certification) -> str:
    lines = [
        f"{each.check} {each.backend}: {each.verdict.value} {finding.code} {finding.message}"
        for each in found.checks
        for finding in each.findings
    ]
    return "; ".join(lines)[:_SHOWN] or f"every check {found.verdict.value}"
