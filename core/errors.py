"""The errors a person or a program can act on.

One shallow tree; a name states the fact, ``hint`` says what to do next, ``exit_code`` is what
the command line ends with::

    DeckError                       1
    +- InvalidInput                 2   malformed reference, name, option, bind
    +- NotFound                     3   name, reference, tag, platform, session, file
    +- Conflict                     4   name taken, in use, running
    +- LoginNeeded                  5   401, 403
    +- Unreachable                  6   refused, DNS, TLS, cut, 429, 5xx: see ``retry_after``
    +- Corrupt                      7   digest, size or diff_id differ from what was promised
    +- DaemonUnreachable            8
    +- Refused                      9   role, read-only, protected, confirmation missing
    +- NoSpace                     10
    +- HostForbids                 11   user namespaces, devices
    +- Hostile                      1   an image or archive broke a rule of safety
    +- Unsupported                  1   valid, but nothing here can do it
    +- Cancelled                  130
    +- TimedOut                   124
    +- CommandNotFound            127   nothing to execute under that name in the distro
    +- CommandNotExecutable       126

Text is ``what: why``, lower case, no full stop.
"""

from __future__ import annotations

from typing import ClassVar


class DeckError(Exception):
    """Base of everything the engine raises on purpose.

    Attributes:
        what: The thing concerned, as the person named it (``127.0.0.1:5600/lib/dev:nope``).
        why: The reason, in a few words (``no such tag``).
        hint: What to do next; empty where there is nothing to say.
        kept: What was kept for a retry (``61 of 118 MB of layer 02ab``); empty where nothing.
        retry_after: Seconds to wait before another try makes sense, if the other side said so.
    """

    code: ClassVar[str] = "failure"
    exit_code: ClassVar[int] = 1
    usual_hint: ClassVar[str] = ""
    """What is worth doing after most errors of the class; :attr:`hint` where it says no better."""

    def __init__(
        self,
        what: str,
        why: str = "",
        *,
        hint: str = "",
        kept: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, why)
        self.what = what
        self.why = why
        self.hint = hint or self.usual_hint
        self.kept = kept
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        """``what: why`` in one line."""
        return f"{self.what}: {self.why}" if self.why else self.what

    def __str__(self) -> str:
        return self.message


class InvalidInput(DeckError):
    """What was asked cannot be understood; nothing was tried."""

    code = "invalid_input"
    exit_code = 2


class NotFound(DeckError):
    """The name means nothing here."""

    code = "not_found"
    exit_code = 3


class Conflict(DeckError):
    """The name is taken, or the thing is in use."""

    code = "conflict"
    exit_code = 4


class LoginNeeded(DeckError):
    """The registry wants other credentials (401) or more rights (403)."""

    code = "login_needed"
    exit_code = 5
    usual_hint = "log in as somebody who may (--creds USER)"


class Unreachable(DeckError):
    """A network peer did not answer, or not usefully; trying again may help."""

    code = "unreachable"
    exit_code = 6
    usual_hint = "try again in a while"


class Corrupt(DeckError):
    """Bytes differ from their digest, size or diff_id; they were thrown away."""

    code = "corrupt"
    exit_code = 7
    usual_hint = "try again; if it stays so, whoever offers it has to mend it"


class DaemonUnreachable(DeckError):
    """The engine daemon could not be started or does not answer."""

    code = "daemon_unreachable"
    exit_code = 8


class Refused(DeckError):
    """Allowed in principle, not for this caller, role or way of asking."""

    code = "refused"
    exit_code = 9


class NoSpace(DeckError):
    """The disk is full."""

    code = "no_space"
    exit_code = 10
    usual_hint = "free some space (distrodeck prune), then try again"


class HostForbids(DeckError):
    """The machine's kernel or policy does not allow it."""

    code = "host_forbids"
    exit_code = 11
    usual_hint = "distrodeck doctor tells what this host allows"


class Hostile(DeckError):
    """An image, archive or answer broke a rule of safety; nothing of it was kept."""

    code = "hostile"
    usual_hint = "leave it alone, and tell whoever offers it"


class Unsupported(DeckError):
    """Well-formed, but of a kind that nothing here handles."""

    code = "unsupported"


class TimedOut(DeckError):
    """The caller's deadline passed."""

    code = "timed_out"
    exit_code = 124
    usual_hint = "try again"


class CommandNotExecutable(DeckError):
    """The file is there, but the kernel will not execute it."""

    code = "command_not_executable"
    exit_code = 126


class CommandNotFound(DeckError):
    """There is nothing to execute under that name in the distro."""

    code = "command_not_found"
    exit_code = 127


class Cancelled(DeckError):
    """Somebody stopped the job."""

    code = "cancelled"
    exit_code = 130


def _tree(cls: type[DeckError]) -> dict[str, type[DeckError]]:
    found = {cls.code: cls}
    for child in cls.__subclasses__():
        # a subclass that only one module knows keeps the code of its parent
        for code, kind in _tree(child).items():
            found.setdefault(code, kind)
    return found


def by_code(code: str) -> type[DeckError]:
    """The class for a ``code`` that came over a wire; :class:`DeckError` for an unknown one."""
    return _tree(DeckError).get(code, DeckError)


def deck_error(caught: BaseException) -> DeckError | None:
    """The first error a person can act on in ``caught``, which may be a group of a task group."""
    if isinstance(caught, DeckError):
        return caught
    if isinstance(caught, BaseExceptionGroup):
        found = (deck_error(inner) for inner in caught.exceptions)
        return next((error for error in found if error), None)
    return None
