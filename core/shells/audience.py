"""The clients of one session, and which of them answers for its terminal."""

from __future__ import annotations

from typing import Protocol


class Client(Protocol):
    """What a session knows of a connection that is attached to it."""

    viewer: bool
    """It looks, and changes nothing."""

    @property
    def keeps_up(self) -> bool:
        """Whether it reads what happens now."""
        ...

    @property
    def drained(self) -> bool:
        """Whether it has everything, or takes no more."""
        ...

    def pump(self) -> None:
        """There is something new in the log, or the session ended."""
        ...

    def lag(self) -> int:
        """Bytes of log that it has not taken."""
        ...

    def set_controller(self, value: bool) -> None:
        """It is the controller now, or no more."""
        ...


class Audience:
    """At most one client is the controller: the latest that came to type, or typed."""

    def __init__(self) -> None:
        self.controller: Client | None = None
        self.came = False
        """Whether there ever was a client, or none is expected any more."""
        self._clients: list[Client] = []

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def typists(self) -> list[Client]:
        """Those that are not only viewers."""
        return [client for client in self._clients if not client.viewer]

    @property
    def drained(self) -> bool:
        """Whether every client has everything."""
        return all(client.drained for client in self._clients)

    def attach(self, client: Client) -> None:
        """Take a client in."""
        self.came = True
        self._clients.append(client)
        if not client.viewer:
            self.take_control(client)

    def detach(self, client: Client) -> None:
        """Let a client go; control passes to the latest of those who stay."""
        self._clients.remove(client)
        if self.controller is client:
            self.controller = None
            if self.typists:
                self.take_control(self.typists[-1])

    def take_control(self, client: Client) -> None:
        """Make this client the one that answers for the terminal."""
        if self.controller is not client:
            former, self.controller = self.controller, client
            if former:
                former.set_controller(False)
            client.set_controller(True)

    def pump(self) -> None:
        """Send on what is new."""
        for client in tuple(self._clients):
            client.pump()
