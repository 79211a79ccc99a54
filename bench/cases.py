"""What is sent: the kinds of requests, and how they are offered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

CONNECTIONS, EVENTS, PACED_STREAMS = 16, 64, 64
CROWDS = (200, 1000, 5000)
CROWD_EVENTS = 20


@dataclass(frozen=True)
class Case:
    """One kind of request. The path is relay (Anthropic to Anthropic) or translate (to OpenAI chat).

    Offered by 16 busy connections, or, with a `rate`, so many a second whatever becomes of them; a `crowd` is so many slow
    streams at once, and nothing after them.
    """

    path: str
    size: str = "small"
    streamed: bool = False
    word: str = ""
    cold: bool = False
    rate: int = 0
    crowd: int = 0

    @property
    def paced(self) -> bool:
        return self.word == "BENCH:PACED"

    @property
    def name(self) -> str:
        if self.crowd:
            return f"{self.path} {self.crowd} slow streams"
        words = [
            self.path,
            self.size,
            "cold" if self.cold else "",
            "tools" if self.word == "BENCH:TOOLS" else "",
            "stream" if self.streamed else "",
            "paced" if self.paced else "",
            f"{self.rate}/s" if self.rate else "",
        ]
        return " ".join(filter(None, words))

    @property
    def of_direct(self) -> str:
        """A direct call knows no path."""
        return self.name.removeprefix(f"{self.path} ")

    @property
    def events(self) -> int:
        """Content events of a reply that come one by one."""
        return CROWD_EVENTS if self.crowd else EVENTS if self.paced else 0

    @property
    def marks(self) -> dict[str, tuple[str, str]]:
        """By dialect: what a complete reply holds, parted by "|", and what is its first text."""
        if not self.streamed:
            return {"anthropic": ("END-OF-REPLY", ""), "chat": ("END-OF-REPLY", "")}
        tools = self.word == "BENCH:TOOLS"
        return {
            "anthropic": ("END-OF-REPLY|message_stop", "input_json_delta" if tools else "text_delta"),
            "chat": ("END-OF-REPLY|[DONE]", '"arguments":' if tools else '"content":'),
        }


CLOSED = tuple(
    Case(path, size, streamed)
    for path in ("relay", "translate")
    for size in ("small", "big")
    for streamed in (False, True)
)
COLD = (
    Case("translate", "big", streamed=False, cold=True),
    Case("translate", "big", streamed=True, cold=True),
)
TOOL_CALLS = tuple(Case(path, streamed=True, word="BENCH:TOOLS") for path in ("relay", "translate"))
PACED = tuple(Case(path, streamed=True, word="BENCH:PACED") for path in ("relay", "translate"))
RATES = (
    *(Case("translate", rate=rate) for rate in (100, 500, 1000)),
    Case("translate", "big", streamed=True, rate=50),
)
SLOW = tuple(Case("translate", streamed=True, word="BENCH:CROWD", crowd=crowd) for crowd in CROWDS)
WARM = Case("translate", streamed=True)
ALL = (*CLOSED, *COLD, *TOOL_CALLS, *PACED, *RATES, *SLOW)

#: Two workers beside one: what is near the least and the most work that a request makes.
WORKERS = tuple(
    case for case in CLOSED if case.path == "translate" and (case.size == "small" or case.streamed)
)

#: Beside peers.
PEERS = (
    *(case for case in CLOSED if case.path == "translate"),
    COLD[1],
    TOOL_CALLS[1],
    PACED[1],
    *(case for case in CLOSED if case.path == "relay" and case.streamed),
)


def select(cases: Iterable[Case], patterns: list[str]) -> tuple[Case, ...]:
    """Those whose name matches a pattern of the shell, all without one. Raises SystemExit when nothing does."""
    every = tuple(cases)
    found = tuple(
        case for case in every if not patterns or any(fnmatchcase(case.name, each) for each in patterns)
    )
    if not found:
        names = "\n  ".join(case.name for case in every)
        raise SystemExit(f"no case is called {', '.join(patterns)}; there are\n  {names}")
    return found
