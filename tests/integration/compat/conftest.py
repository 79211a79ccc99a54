"""A gateway in this process before upstreams on loopback that refuse what the real ones refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from typing_extensions import override

from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.adapters.store.learned import LearnedFile
from ccr.application.contained import Faults
from ccr.entrypoints.lifecycle import opened, running
from tests.support.assembly import Bench, _Records
from tests.support.fake_anthropic import FakeAnthropic
from tests.support.fake_openai import FakeOpenAI
from tests.support.fake_provider import FakeProvider, RejectedError
from tests.support.gateway_process import provider_entry
from tests.support.loopback import Recorded
from tests.support.scripts import Json, Script, text

Refuse = Callable[[Json, Mapping[str, str]], str | None]
"""Why a request is refused, None if it is not; the body and the headers."""


class TestClock:
    """A clock that a test turns on; the real one for seconds."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return datetime.now(UTC).timestamp() + self.ahead.total_seconds()


class RefusingOpenAI(FakeOpenAI):
    refuse: Refuse = staticmethod(lambda _body, _headers: None)

    @override
    def check(self, recorded: Recorded) -> None:
        _refuse(self.refuse, recorded)
        super().check(recorded)


class RefusingAnthropic(FakeAnthropic):
    refuse: Refuse = staticmethod(lambda _body, _headers: None)

    @override
    def check(self, recorded: Recorded) -> None:
        _refuse(self.refuse, recorded)
        super().check(recorded)


def _refuse(refuse: Refuse, recorded: Recorded) -> None:
    said = refuse(recorded.json, recorded.headers)
    if said is not None:
        raise RejectedError(said)


def openai(refuse: Refuse | None = None, script: Script | None = None) -> RefusingOpenAI:
    made = RefusingOpenAI(script or (lambda _seen, _n: text("well", pieces=1)))
    if refuse is not None:
        made.refuse = refuse
    return made


def anthropic(refuse: Refuse | None = None, script: Script | None = None) -> RefusingAnthropic:
    made = RefusingAnthropic(script or (lambda _seen, _n: text("well", pieces=1)))
    if refuse is not None:
        made.refuse = refuse
    return made


@asynccontextmanager
async def gateway(
    upstreams: Mapping[str, FakeProvider],
    file: Path,
    *,
    clock: TestClock | None = None,
    native: bool = False,
    **top: Any,
) -> AsyncIterator[Bench]:
    """Open one whose learned store is ``file``; the first upstream is the default.

    ``native``: those that speak Anthropic's dialect are Anthropic itself.
    """
    entries = [provider_entry(name, upstream, ("m",)) for name, upstream in upstreams.items()]
    if not native:
        for entry in entries:
            entry.pop("transformer", None)
    config = {
        "LOG": False,
        "Providers": entries,
        "Router": {"default": f"{next(iter(upstreams))},m"},
        **top,
    }
    made = running(environ={"HOME": "/dev/null"}, store=FixedStore(loaded_from(config, {})))
    records = _Records()
    made.container.insight.request_log.override(records)
    made.container.attempts.add_kwargs(learned=LearnedFile(file, clock or TestClock(), Faults()))
    try:
        async with opened(made, follow=False):
            yield Bench(made, None, records)  # type: ignore[arg-type]  # the upstream is a real socket
    finally:
        made.container.reset_singletons()
