"""Change how an image is to be run, as lines of a Dockerfile say it.

OCI image spec v1.1, config.md, "Properties"; Dockerfile reference. Used by commit and import for
``--change``, and by build for the instructions that only change the config.
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from core.builds.dockerfile import parse_line
from core.builds.words import expand, expand_words, raw_words
from core.errors import InvalidInput
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.builds.dockerfile import Instruction

    Lookup: TypeAlias = Callable[[str], str | None]
    """The value of a variable; None where it has none."""

RunConfig: TypeAlias = dict[str, Any]
"""``config`` of an image's config: ``Env``, ``Cmd`` and so on. Changed in place here."""

DEFAULT_SHELL = ("/bin/sh", "-c")

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_SIGNAL = re.compile(r"\d{1,2}|(SIG)?[A-Z][A-Z0-9]*([+-]\d{1,2})?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_NOT_LATER = ("FROM", "MAINTAINER", "ONBUILD")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "Cmd": list, "Entrypoint": list, "Env": list, "ExposedPorts": dict, "Labels": dict,
    "OnBuild": list, "StopSignal": str, "User": str, "Volumes": dict, "WorkingDir": str,
    "Healthcheck": dict, "Shell": list,
}  # fmt: skip


def apply_changes(run: RunConfig, lines: Iterable[str]) -> None:
    """Apply ``--change`` lines in their order.

    Raises:
        InvalidInput: a line is no instruction that changes a config; named by its number.
    """
    cmd_set = False
    for number, line in enumerate(lines, start=1):
        step = parse_line(line, "change", number)
        if step.keyword not in _CHANGES:
            known = ", ".join(sorted(_CHANGES))
            raise step.fault("does not change a config", hint=f"known are {known}")
        apply_change(run, step, keep_cmd=cmd_set)
        cmd_set = cmd_set or step.keyword == "CMD"


def changes_config(keyword: str) -> bool:
    """Whether :func:`apply_change` takes the instruction."""
    return keyword in _CHANGES


def apply_change(
    run: RunConfig,
    step: Instruction,
    lookup: Lookup | None = None,
    *,
    keep_cmd: bool = False,
) -> None:
    """Apply one instruction.

    Args:
        run: What to change.
        step: One that :func:`changes_config` knows.
        lookup: Gives the variables; without it those of ``run`` itself.
        keep_cmd: ``Cmd`` was set on purpose, so a new ``Entrypoint`` leaves it be.

    Raises:
        InvalidInput: it cannot be meant; the error names file and line.
    """
    found = lookup or environment(run).get
    step.check_flags(*(_HEALTH_FLAGS if step.keyword == "HEALTHCHECK" else ()))
    if not step.text:
        raise step.fault("says nothing", hint="see the Dockerfile reference")
    try:
        _CHANGES[step.keyword](run, step, found)
    except InvalidInput as error:
        if error.what.startswith(f"{step.file}:"):
            raise
        raise step.fault(error.message, hint=error.hint) from None
    if step.keyword == "ENTRYPOINT" and not keep_cmd:
        run.pop("Cmd", None)


def environment(run: RunConfig) -> dict[str, str]:
    """The variables of a config."""
    pairs = (str(line).partition("=") for line in run.get("Env") or ())
    return {name: value for name, equals, value in pairs if name and equals}


def parse_run_config(text: str) -> RunConfig:
    """A whole config as JSON: that of an image, or its ``config`` alone.

    Raises:
        InvalidInput: it is neither.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("config", f"not JSON: {clean(str(error), 80)}") from None
    if isinstance(found, dict) and isinstance(found.get("config"), dict):
        found = found["config"]
    if not isinstance(found, dict):
        raise InvalidInput("config", "not a JSON object", hint='say {"Cmd": ["sh"]}')
    for key, kind in _TYPES.items():
        value = found.get(key)
        if value is None:
            continue
        right = isinstance(value, kind)
        if isinstance(value, list):
            right = right and all(isinstance(part, str) for part in value)
        if not right:
            raise InvalidInput("config", f"{key} has the wrong type")
    return {key: value for key, value in found.items() if value is not None}


def key_values(step: Instruction, lookup: Lookup) -> list[tuple[str, str]]:
    """The pairs of ENV and LABEL: ``KEY=VALUE …``, or the old ``KEY VALUE``."""
    words = raw_words(step.text, step.escape)
    if words and "=" not in words[0]:
        name, value = words[0], step.text.partition(words[0])[2].strip()
        if not value:
            raise step.fault(f"{clean(name, 60)!r} has no value", hint="KEY=VALUE")
        return [(expand(name, lookup, step.escape), expand(value, lookup, step.escape))]
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        name = expand(name, lookup, step.escape)
        if not equals or not name:
            raise step.fault(f"{clean(word, 60)!r} is not KEY=VALUE")
        pairs.append((name, expand(value, lookup, step.escape)))
    return pairs


def _command(run: RunConfig, step: Instruction) -> list[str]:
    words = step.words()
    return [*(run.get("Shell") or DEFAULT_SHELL), step.text] if words is None else words


def _cmd(run: RunConfig, step: Instruction, _: Lookup) -> None:
    run["Cmd"] = _command(run, step)


def _entrypoint(run: RunConfig, step: Instruction, _: Lookup) -> None:
    run["Entrypoint"] = _command(run, step)


def _env(run: RunConfig, step: Instruction, lookup: Lookup) -> None:
    values = environment(run)
    values.update(key_values(step, lookup))
    run["Env"] = [f"{name}={value}" for name, value in values.items()]


def _label(run: RunConfig, step: Instruction, lookup: Lookup) -> None:
    run["Labels"] = {**(run.get("Labels") or {}), **dict(key_values(step, lookup))}


def _expose(run: RunConfig, step: Instruction, lookup: Lookup) -> None:
    ports = dict(run.get("ExposedPorts") or {})
    for word in expand_words(step.text, lookup, step.escape):
        found = _PORT.fullmatch(word)
        first = int(found[1]) if found else 0
        last = int(found[2] or first) if found else 0
        if not found or not 0 < first <= last < 1 << 16:
            raise step.fault(f"{clean(word, 60)!r} is no port", hint="PORT[-PORT][/tcp|udp|sctp]")
        kind = (found[3] or "tcp").lower()
        ports |= {f"{port}/{kind}": {} for port in range(first, last + 1)}
    run["ExposedPorts"] = ports


def _volume(run: RunConfig, step: Instruction, lookup: Lookup) -> None:
    words = step.words()
    if words is None:
        paths = expand_words(step.text, lookup, step.escape)
    else:
        paths = [expand(word, lookup, step.escape) for word in words]
    if not paths or not all(paths):
        raise step.fault("a path is missing")
    run["Volumes"] = {**(run.get("Volumes") or {}), **{path: {} for path in paths}}


def _user(run: RunConfig, step: Instruction, lookup: Lookup) -> None:
    run["User"] = _one(step, lookup)


def _workdir(run: RunConfig, step: Instruction, lookup: Lookup) -> None:
    path = expand(step.text, lookup, step.escape)
    joined = posixpath.join(run.get("WorkingDir") or "/", path)
    run["WorkingDir"] = "/" + posixpath.normpath(joined).lstrip("/")


def _stop_signal(run: RunConfig, step: Instruction, lookup: Lookup) -> None:
    name = _one(step, lookup)
    if not _SIGNAL.fullmatch(name):
        raise step.fault(f"{clean(name, 60)!r} is no signal", hint="SIGTERM, say, or 15")
    run["StopSignal"] = name


def _on_build(run: RunConfig, step: Instruction, _: Lookup) -> None:
    later = parse_line(step.text, step.file, step.line, step.escape)
    if later.keyword in _NOT_LATER:
        raise step.fault(f"{later.keyword} cannot be done later")
    documents = "".join(f"\n{one.text}{one.name}" for one in step.heredocs)
    run["OnBuild"] = [*(run.get("OnBuild") or ()), step.text + documents]


def _shell(run: RunConfig, step: Instruction, _: Lookup) -> None:
    words = step.words()
    if not words:
        raise step.fault("needs a JSON array", hint='SHELL ["/bin/sh", "-c"]')
    run["Shell"] = words


def _health(run: RunConfig, step: Instruction, _: Lookup) -> None:
    kind, _space, rest = step.text.partition(" ")
    if kind.upper() == "NONE" and not rest.strip():
        run["Healthcheck"] = {"Test": ["NONE"]}
        return
    if kind.upper() != "CMD" or not rest.strip():
        raise step.fault("neither CMD nor NONE", hint="HEALTHCHECK CMD command")
    command = parse_line(f"CMD {rest.strip()}", step.file, step.line, step.escape)
    words = command.words()
    check: dict[str, Any] = {
        "Test": ["CMD-SHELL", command.text] if words is None else ["CMD", *words]
    }
    for flag, key in _HEALTH_FLAGS.items():
        value = step.flag(flag)
        if value and key == "Retries":
            if not value.isdigit():
                raise step.fault("--retries is no number")
            check[key] = int(value)
        elif value:
            check[key] = _nanoseconds(step, flag, value)
    run["Healthcheck"] = check


_HEALTH_FLAGS = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
    "retries": "Retries",
}


def _nanoseconds(step: Instruction, flag: str, text: str) -> int:
    total, at = 0.0, 0
    for found in _DURATION.finditer(text):
        if found.start() != at:
            break
        total += float(found[1]) * _UNITS[found[2]]
        at = found.end()
    if at != len(text) or not text:
        raise step.fault(f"--{flag} is no duration", hint="30s, say, or 1m30s")
    return int(total)


def _one(step: Instruction, lookup: Lookup) -> str:
    words = expand_words(step.text, lookup, step.escape)
    if len(words) != 1:
        raise step.fault("needs one word")
    return words[0]


_CHANGES: dict[str, Callable[[RunConfig, Instruction, Lookup], None]] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _health,
    "LABEL": _label,
    "ONBUILD": _on_build,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
