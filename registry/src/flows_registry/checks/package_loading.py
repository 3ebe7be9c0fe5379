"""Whether the plugin and its backends import where only what they declare is installed."""

import json
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core_caps.claims.lattice import Determinism
from core_caps.claims.manifest import Manifest
from core_caps.claims.operation import CapabilitySpec, Operation, Repeat
from packaging.utils import canonicalize_name

import flows_registry.checks.package_probe
from flows_registry.checks.package_contents import Plugin
from flows_registry.checks.package_imports import Import, foreign_imports, importable
from flows_registry.lab.environment import Environment, closure, make_environment
from flows_registry.lab.running import Confinement, Ran, Run
from flows_registry.lab.uv import Uv, bare_environment
from flows_registry.lab.walls import interpreters
from flows_registry.lab.wheel import Wheel
from flows_registry.lab.workspace import companions
from flows_registry.verdict import Finding, Reproduction

__all__ = ["Loading", "check_loading", "environments"]

LOAD_SECONDS_MAX = 60.0

Answers = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Loading:
    """What loading showed.

    Attributes:
        answers: the findings of each question asked, in order.
        specifications: capabilities of the plugin's own, by contract.
        environment: the wheel with every backend's extra.
        bare: the wheel without extras.
        causes: why something does not import; each is told once, whatever it keeps away.
    """

    answers: list[list[Finding]] = field(default_factory=list[list[Finding]])
    specifications: dict[str, CapabilitySpec] = field(default_factory=dict[str, CapabilitySpec])
    environment: Environment | None = None
    bare: Environment | None = None
    causes: set[str] = field(default_factory=set[str])

    @property
    def whole(self) -> bool:
        """Whether all that the manifest names, and all that the code asks for, can be imported."""
        return not self.causes

    def is_new(self, cause: str) -> bool:
        """Note the cause; False where it has been told."""
        known = cause in self.causes
        self.causes.add(cause)
        return not known


@dataclass(frozen=True, slots=True)
class _Lab:
    """What every step of loading needs."""

    wheel: Wheel
    plugin: Plugin
    manifest: Manifest
    scratch: Path
    uv: Uv
    run: Run

    def environment(self, extras: Sequence[str]) -> Environment:
        """The wheel with these extras."""
        return _environment(self.wheel, extras, self.scratch, self.uv)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where names are imported: an environment, and the one extra that it is there for."""

    lab: _Lab
    environment: Environment
    extra: str

    @property
    def installed(self) -> str:
        """What is installed there, as a requirement."""
        name = self.lab.wheel.name
        return f"{name}[{self.extra}]" if self.extra else name

    def ask(self, names: Sequence[str]) -> tuple[Answers, Ran]:
        """What importing these names gives."""
        folder = self.lab.scratch / f"probe-{self.environment.root.parent.name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        request, answer = folder / "request.json", folder / "answer.json"
        protocols = [each.protocol for each in self.lab.manifest.capabilities.values()]
        request.write_text(json.dumps({"names": names, "protocols": protocols}), encoding="utf-8")
        probe = folder / "probe.py"
        shutil.copyfile(flows_registry.checks.package_probe.__file__, probe)
        ran = self.lab.run(
            [str(self.environment.python), "-I", "-B", str(probe), str(request), str(answer)],
            env=bare_environment(folder),
            cwd=folder,
            timeout_seconds=LOAD_SECONDS_MAX,
            confined=Confinement((folder,), tuple(interpreters(self.environment.python))),
        )
        try:
            return json.loads(answer.read_text(encoding="utf-8")), ran
        except (OSError, ValueError):
            return {}, ran

    def command(self, name: str, attribute: str = "") -> str:
        """Imports a name in this very environment, which is kept, and looks at its attribute."""
        module, _, inside = name.partition(":")
        found = ".".join(filter(None, [module, inside, attribute]))
        code = f"import {module}" if found == module else f"import {module}; {found}"
        return _python(self.environment, code)


def check_loading(
    wheel: Wheel, plugin: Plugin, manifest: Manifest, scratch: Path, *, uv: Uv, run: Run
) -> Loading:
    """Import the plugin's module and every backend's classes where only their own extra is.

    Raises:
        EnvironmentFailed: an environment cannot be made (PACKAGE014).
        BuildFailed: a package of the workspace that it requires does not build (PACKAGE003).
    """
    lab = _Lab(wheel, plugin, manifest, scratch, uv, run)
    loading = Loading()
    extras = _extras(wheel, manifest)
    loading.bare = lab.environment(())
    loading.environment = lab.environment(extras) if extras else loading.bare
    for extra in ("", *extras):
        own_alone = loading.environment if extra else loading.bare
        environment = own_alone if len(extras) < 2 or not extra else lab.environment((extra,))
        loading.answers.append(_load(_Place(lab, environment, extra), loading))
    loading.answers.append(list(_strangers(lab, loading.environment, extras)))
    loading.answers.append(list(_undeclared(lab, loading.environment, loading)))
    return loading


def environments(
    wheel: Wheel, manifest: Manifest, scratch: Path, *, uv: Uv
) -> tuple[Environment, Environment]:
    """The wheel with the extras of all its backends, and without any.

    Raises:
        EnvironmentFailed, BuildFailed: as `check_loading` does.
    """
    extras = _extras(wheel, manifest)
    bare = _environment(wheel, (), scratch, uv)
    return (_environment(wheel, extras, scratch, uv) if extras else bare), bare


def _environment(wheel: Wheel, extras: Sequence[str], scratch: Path, uv: Uv) -> Environment:
    """The wheel with these extras, with the workspace's own packages beside the index."""
    beside = companions(wheel, extras, uv=uv, scratch=scratch)
    wanted = [wheel.requirement(tuple(extras)), *(each.requirement() for each in beside)]
    return make_environment(wanted, uv=uv, scratch=scratch / "-".join(("environment", *extras)))


def _extras(wheel: Wheel, manifest: Manifest) -> list[str]:
    """The extras that backends name, and the wheel has."""
    named = {canonicalize_name(each.extra) for each in manifest.backends.values() if each.extra}
    return sorted(named & wheel.extras)


def _load(place: _Place, loading: Loading) -> list[Finding]:
    """Import what must import with this extra alone."""
    subjects = dict(_subjects(place.lab, place.extra))
    if not subjects:
        return []
    answers, ran = place.ask(list(subjects))
    findings: list[Finding] = []
    for name, subject in subjects.items():
        answer = answers.get(name)
        if answer is None:
            if loading.is_new(f"{ran.how}: {ran.tail()}"):
                message = f"{subject}: the importing process {ran.how}"
                findings.append(_broken(place, name, message, ran.tail()))
            break
        found = list(_judge(place, name, subject, answer))
        if found and loading.is_new(_cause(answer, found)):
            findings += found
        if "specification" in answer:
            spec = _specification(answer["specification"])
            loading.specifications[spec.contract] = spec
    return findings


def _subjects(lab: _Lab, extra: str) -> Iterator[tuple[str, str]]:
    """The names to import with this extra alone, each with what it is."""
    if not extra:
        yield lab.plugin[1], "the entry point"
        for provided in lab.manifest.capabilities.values():
            if provided.protocol:
                yield provided.protocol, f"the protocol of {provided.name}"
            if provided.suite:
                yield provided.suite, f"the suite of {provided.name}"
    for backend in lab.manifest.backends.values():
        if canonicalize_name(backend.extra or "") == extra:
            for lazy in backend.providers.values():
                yield lazy, f"backend {backend.name!r}"
            if backend.reference:
                yield backend.reference, f"the reference of {backend.name!r}"


def _cause(answer: Mapping[str, Any], found: Sequence[Finding]) -> str:
    if found[0].code == "PACKAGE013":
        return _absent(str(answer["missing"]))
    return str(answer.get("message", found[0].message))


def _absent(module: str) -> str:
    return f"{module.partition('.')[0]} is absent"


def _judge(place: _Place, name: str, subject: str, answer: Mapping[str, Any]) -> Iterator[Finding]:
    if "error" in answer:
        missing = answer.get("missing")
        if missing and str(missing).partition(".")[0] not in place.lab.wheel.packages:
            yield _undeclared_finding(place, name, subject, str(missing))
        else:
            yield _broken(place, name, f"{subject} does not import", str(answer["message"]))
    elif name == place.lab.plugin[1] and not answer["hook"]:
        message = f"{subject} {name} does not implement the hook flows_open"
        observed = "no function flows_open marked with hookimpl"
        yield _broken(place, name, message, observed, "flows_open.flows_impl")
    elif subject.startswith("backend") and not (answer["is_class"] and answer["config"]):
        what = "has no class attribute Config" if answer["is_class"] else "is not a class"
        yield _broken(place, name, f"{subject}: {name} {what}", what, "Config")


def _broken(place: _Place, name: str, message: str, observed: str, attribute: str = "") -> Finding:
    return Finding(
        "PACKAGE012",
        f"{message}: {observed.splitlines()[-1]}" if observed else message,
        promised=f"{name} imports where {place.installed} is installed",
        observed=observed or message,
        reproduce=Reproduction(place.command(name, attribute)),
        fix="correct the name in capability.toml or pyproject.toml, or the error that it shows",
    )


def _undeclared_finding(place: _Place, name: str, subject: str, missing: str) -> Finding:
    return Finding(
        "PACKAGE013",
        f"{subject} needs {missing}, which {place.installed} does not bring",
        promised=f"{place.installed} brings everything that {name} imports",
        observed=f"No module named {missing!r}",
        reproduce=Reproduction(place.command(name)),
        fix=f"declare the distribution of {missing} in the extra {place.extra!r}"
        if place.extra
        else f"declare the distribution of {missing} in dependencies, or import it only in a "
        "backend with an extra",
    )


def _strangers(lab: _Lab, environment: Environment, extras: Sequence[str]) -> Iterator[Finding]:
    """Distributions that nothing asked for."""
    wanted = closure(environment, lab.wheel.name, extras)
    for each in environment.distributions:
        if each.name not in wanted:
            yield Finding(
                "PACKAGE014",
                f"{each.name} {each.version} got into the environment, and nothing requires it",
                promised="the plugin, what it requires, and nothing else",
                observed=each.name,
                reproduce=Reproduction(f"uv pip list --python {environment.python}"),
                fix="look for a requirement that the metadata does not show",
            )


def _undeclared(lab: _Lab, environment: Environment, loading: Loading) -> Iterator[Finding]:
    """Imports anywhere in the package, lazy ones too, that no declared dependency brings."""
    own = {
        name: text
        for name, text in lab.wheel.sources.items()
        if name.partition("/")[0] in lab.wheel.packages
    }
    available = importable(environment.site_packages)
    left = [each for each in foreign_imports(own, lab.wheel.packages) if each.name not in available]
    used = {canonicalize_name(b.extra) for b in lab.manifest.backends.values() if b.extra}
    if left and (others := sorted(lab.wheel.extras - used)):
        # An extra that no backend names (`test`, `fast`) may bring what a module needs.
        whole = lab.environment([*sorted(used & lab.wheel.extras), *others])
        more = importable(whole.site_packages)
        left = [each for each in left if each.name not in more]
    for each in left:
        if loading.is_new(_absent(each.name)):
            yield _static_finding(lab, environment, each)


def _static_finding(lab: _Lab, environment: Environment, found: Import) -> Finding:
    name = found.name
    return Finding(
        "PACKAGE013",
        f"{found.file}:{found.line} imports {found.name}, which no dependency and no extra brings",
        promised=f"{lab.wheel.name} declares what it imports",
        observed=f"import {found.name} at {found.file}:{found.line}",
        reproduce=Reproduction(_python(environment, f"import {name}")),
        fix=f"declare the distribution of {name}, or guard the import with except ImportError",
    )


def _python(environment: Environment, code: str) -> str:
    return shlex.join([str(environment.python), "-c", code])


def _specification(data: Mapping[str, Any]) -> CapabilitySpec:
    operations = [
        Operation(
            name=each["name"],
            hints=tuple(each["hints"]),
            repeat=Repeat(each["repeat"]),
            delegates=tuple(each["delegates"]),
            optional=each["optional"],
            streams=each["streams"],
            key=each["key"],
            key_at=each["key_at"],
            travels=each["travels"],
            conditions=tuple(each["conditions"]),
            determinism=Determinism(each["determinism"]),
        )
        for each in data["operations"]
    ]
    halves = {half: frozenset(names) for half, names in data["halves"].items()}
    named = {each.name: each for each in operations}
    return CapabilitySpec(data["name"], data["version"], named, halves)
