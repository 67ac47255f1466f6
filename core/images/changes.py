"""Change an image's config by instructions of a Dockerfile: what builds and commits have in common.

OCI image specification v1.1, "Image Configuration"; Docker's fields beyond it (Healthcheck,
OnBuild, Shell) as Docker Image Specification v1.3 has them. Dockerfile reference for the meaning.
"""

from __future__ import annotations

import posixpath
import re
import signal
from typing import TYPE_CHECKING, Any

from core.builds.dockerfile import parse_line
from core.builds.words import expand, expand_words, raw_words
from core.errors import InvalidInput
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.builds.dockerfile import Instruction

DEFAULT_SHELL = ["/bin/sh", "-c"]

CHANGES = (
    "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "SHELL",
    "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
"""Instructions that touch nothing but the config."""

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}
_UNITS["h"] = 3600 * 10**9
_NOT_ONBUILD = ("ONBUILD", "FROM", "MAINTAINER")
_MOST_PORTS = 65535


def apply_lines(document: dict[str, Any], lines: Iterable[str], *, of: str = "--change") -> None:
    """Apply instructions, a line each, to a config document.

    Raises:
        InvalidInput: one is malformed, or does more than change the config.
    """
    changes = Changes(document)
    for number, line in enumerate(lines, 1):
        step = parse_line(line, of, number)
        if step.keyword not in CHANGES:
            hint = f"known are {', '.join(CHANGES)}"
            raise step.fault("cannot be applied to a config", hint=hint)
        changes.apply(step)


class Changes:
    """Applies instructions to one config document, in place, in their order."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        if not isinstance(document.get("config"), dict):
            document["config"] = {}
        self._command_set = False

    @property
    def config(self) -> dict[str, Any]:
        """The document's ``config``: how to run it."""
        found: dict[str, Any] = self.document["config"]
        return found

    @property
    def env(self) -> dict[str, str]:
        """Its environment."""
        pairs = (entry.partition("=") for entry in self.config.get("Env") or [])
        return {name: value for name, _, value in pairs}

    @property
    def workdir(self) -> str:
        """Its working directory, absolute."""
        return posixpath.normpath("/" + (self.config.get("WorkingDir") or ""))

    @property
    def shell(self) -> list[str]:
        """What a command in shell form is given to."""
        return list(self.config.get("Shell") or DEFAULT_SHELL)

    def apply(self, step: Instruction, lookup: Callable[[str], str | None] | None = None) -> None:
        """Apply one of :data:`CHANGES`; ``lookup`` gives variables, else its environment does.

        Raises:
            InvalidInput: it is malformed; the error names file and line.
        """
        method = getattr(self, f"_{step.keyword.lower()}")
        try:
            method(step, lookup or self.env.get)
        except InvalidInput as error:
            if error.what.startswith(f"{step.file}:"):
                raise
            raise step.fault(error.message, hint=error.hint) from None

    # -- an instruction each --------------------------------------------------------------

    def _env(self, step: Instruction, lookup: Callable[[str], str | None]) -> None:
        env = self.env
        for name, value in pairs(step, lookup):
            if not name or "=" in name:
                raise step.fault("a variable without a name", hint="ENV NAME=VALUE")
            env[name] = value
        self.config["Env"] = [f"{name}={value}" for name, value in env.items()]

    def _label(self, step: Instruction, lookup: Callable[[str], str | None]) -> None:
        labels = dict(self.config.get("Labels") or {})
        for name, value in pairs(step, lookup):
            if not name:
                raise step.fault("a label without a name", hint="LABEL NAME=VALUE")
            labels[name] = value
        self.config["Labels"] = labels

    def _cmd(self, step: Instruction, _: Callable[[str], str | None]) -> None:
        self.config["Cmd"] = command(step, self.shell)
        self._command_set = True

    def _entrypoint(self, step: Instruction, _: Callable[[str], str | None]) -> None:
        self.config["Entrypoint"] = command(step, self.shell)
        if not self._command_set:
            # arguments for another program mean nothing to this one
            self.config.pop("Cmd", None)

    def _shell(self, step: Instruction, _: Callable[[str], str | None]) -> None:
        words = step.words()
        if not words:
            raise step.fault("needs a JSON array", hint='SHELL ["/bin/bash", "-c"]')
        self.config["Shell"] = words

    def _workdir(self, step: Instruction, lookup: Callable[[str], str | None]) -> None:
        path = expand(step.text, lookup, step.escape)
        if not path:
            raise step.fault("an empty path")
        self.config["WorkingDir"] = posixpath.normpath(posixpath.join(self.workdir, path))

    def _user(self, step: Instruction, lookup: Callable[[str], str | None]) -> None:
        user = expand(step.text, lookup, step.escape)
        if len(user.split()) != 1:
            raise step.fault("needs one user", hint="USER NAME[:GROUP]")
        self.config["User"] = user

    def _expose(self, step: Instruction, lookup: Callable[[str], str | None]) -> None:
        ports = dict(self.config.get("ExposedPorts") or {})
        for word in expand_words(step.text, lookup, step.escape):
            found = _PORTS.fullmatch(word)
            first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
            if not found or not 0 < first <= last <= _MOST_PORTS:
                raise step.fault(f"{clean(word, 40)!r} is no port", hint="EXPOSE 80[-90][/udp]")
            for port in range(first, last + 1):
                ports[f"{port}/{(found[3] or 'tcp').lower()}"] = {}
        self.config["ExposedPorts"] = ports

    def _volume(self, step: Instruction, lookup: Callable[[str], str | None]) -> None:
        words = step.words()
        if words is None:
            words = raw_words(step.text, step.escape)
        paths = [expand(word, lookup, step.escape) for word in words]
        if not paths or not all(path.strip() for path in paths):
            raise step.fault("needs a path", hint="VOLUME /PATH")
        self.config["Volumes"] = {
            **(self.config.get("Volumes") or {}),
            **{key: {} for key in paths},
        }

    def _stopsignal(self, step: Instruction, lookup: Callable[[str], str | None]) -> None:
        text = expand(step.text, lookup, step.escape)
        if not _is_signal(text):
            raise step.fault(f"{clean(text, 40)!r} is no signal", hint="STOPSIGNAL SIGTERM")
        self.config["StopSignal"] = text

    def _healthcheck(self, step: Instruction, _: Callable[[str], str | None]) -> None:
        step.check_flags("interval", "timeout", "start-period", "start-interval", "retries")
        kind, _space, rest = step.text.partition(" ")
        if kind.upper() == "NONE":
            if rest.strip() or step.flags:
                raise step.fault("NONE takes nothing else")
            self.config["Healthcheck"] = {"Test": ["NONE"]}
            return
        if kind.upper() != "CMD" or not rest.strip():
            raise step.fault("needs CMD and a command, or NONE")
        inner = parse_line(f"CMD {rest.strip()}", step.file, step.line, step.escape)
        words = inner.words()
        test = ["CMD", *words] if words is not None else ["CMD-SHELL", inner.text]
        check: dict[str, Any] = {"Test": test}
        for flag in ("interval", "timeout", "start-period", "start-interval"):
            if value := step.flag(flag):
                key = "".join(part.title() for part in flag.split("-"))
                check[key] = _nanoseconds(step, value)
        if retries := step.flag("retries"):
            if not (retries.isascii() and retries.isdigit() and len(retries) < 9):
                raise step.fault(f"--retries={clean(retries, 40)} is no number")
            check["Retries"] = int(retries)
        self.config["Healthcheck"] = check

    def _onbuild(self, step: Instruction, _: Callable[[str], str | None]) -> None:
        inner = parse_line(step.text, step.file, step.line, step.escape)
        if inner.keyword in _NOT_ONBUILD:
            raise step.fault(f"{inner.keyword} cannot be put off")
        self.config["OnBuild"] = [*(self.config.get("OnBuild") or []), onbuild_text(step)]

    def _maintainer(self, step: Instruction, _: Callable[[str], str | None]) -> None:
        self.document["author"] = step.text


def onbuild_text(step: Instruction) -> str:
    """A trigger as it is kept; its here-documents follow it."""
    ends = "".join(f"\n{heredoc.text}{heredoc.name}" for heredoc in step.heredocs)
    return step.text + ends


def pairs(step: Instruction, lookup: Callable[[str], str | None]) -> list[tuple[str, str]]:
    """The names and values of ENV and LABEL, in either of their forms.

    Raises:
        InvalidInput: a name without a value.
    """
    words = raw_words(step.text, step.escape)
    if "=" not in words[0]:
        name, value = words[0], step.text[len(words[0]) :].strip()
        if not value:
            raise step.fault(f"{clean(name, 40)} without a value", hint="NAME=VALUE")
        return [(expand(name, lookup, step.escape), expand(value, lookup, step.escape))]
    found = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise step.fault(f"{clean(word, 40)} without a value", hint="NAME=VALUE")
        found.append((expand(name, lookup, step.escape), expand(value, lookup, step.escape)))
    return found


def command(step: Instruction, shell: list[str]) -> list[str]:
    """A command in exec form, or in shell form as it is given to the shell."""
    words = step.words()
    return words if words is not None else [*shell, step.text]


def _is_signal(text: str) -> bool:
    if text.isascii() and text.isdigit():
        return 0 < int(text[:4]) < signal.NSIG
    name = text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}"
    return name in signal.Signals.__members__ or bool(
        re.fullmatch(r"SIGRT(MIN|MAX)([+-]\d{1,2})?", name)
    )


def _nanoseconds(step: Instruction, text: str) -> int:
    """A duration as Go writes them (``1m30s``)."""
    found = _DURATION.findall(text)
    if text == "0":
        return 0
    if not found or "".join(number + unit for number, unit in found) != text or len(text) > 40:
        raise step.fault(f"{clean(text, 40)!r} is no duration", hint="1m30s")
    return int(sum(float(number) * _UNITS[unit] for number, unit in found))
