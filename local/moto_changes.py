"""Who is told of calls that change moto's state: nobody, or the journal of a data directory."""

from typing import NamedTuple, Protocol

from local.wire import HttpAnswer, HttpCall


class Begun(NamedTuple):
    """A call that may change something: its seed, and engine time when it began."""

    seed: int
    at: float


class Journal(Protocol):
    """What `local/moto_journal.py` does with them."""

    def begin(self, service: str, call: HttpCall) -> Begun | None:
        """Return what the call's random draws and times follow from, None when it changes nothing."""

    def add(self, service: str, region: str, begun: Begun, call: HttpCall, answer: HttpAnswer) -> None:
        """Keep a call that was answered with success; its service is entered."""

    def keep_whole(self, service: str) -> None:
        """Keep all of a service's state; it is entered."""


_told: list[Journal] = []


def tell(journal: Journal | None) -> None:
    """Tell `journal` of every call from now on, None: nobody."""
    _told[:] = [] if journal is None else [journal]


def begin(service: str, call: HttpCall) -> Begun | None:
    """See `Journal.begin`."""
    return _told[0].begin(service, call) if _told else None


def add(service: str, region: str, begun: Begun, call: HttpCall, answer: HttpAnswer) -> None:
    """See `Journal.add`."""
    for journal in _told:
        journal.add(service, region, begun, call, answer)


def keep_whole(service: str) -> None:
    """See `Journal.keep_whole`: the service's state was changed without a call."""
    for journal in _told:
        journal.keep_whole(service)
