"""How long requests wait when one event loop serves many streams: a simulation, event by event, in virtual time.

Turns come by chance (Poisson). The loop does one piece of work at a time, in the order in which they came: the start of a request,
then each event of its reply. What a request waits for is added to its time to first token: at its start, and again at its first
event. Nothing is measured here; what the pieces cost is in capacity.toml.

Two things are left out. Events of one stream that come while the loop is busy are read together in truth, and cost less; and a
cold request's tokens are counted in a thread. So it is a little too dark where the loop is nearly full.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from capacity import Constants, Demand, Fleet, costs, demanded

BUSY = (0.1, 0.3, 0.5, 0.65, 0.75, 0.8, 0.85, 0.9, 0.95)
BUSY_IN_BURSTS = (0.3, 0.5, 0.65, 0.8, 0.9)
LIVES = 3
"""Runs of each, from different seeds: how many streams are open drifts slowly, and one life may have seen little of it."""
SECONDS, WARM, AFTER = 120.0, 20.0, 20.0
"""Virtual seconds of a run; who comes in the first of them is not counted: the streams must be there before. And what is
looked at after a burst."""
CALM_S = 0.02
"""A burst is over when the loop is at most so far behind."""
CROWDS = (100, 500, 1000, 2000, 5000)
BURSTS = (20, 50, 100)


@dataclass(frozen=True)
class Kind:
    """A kind of request. `per_second` is how many come; `start_s`, `event_s`: CPU seconds."""

    per_second: float
    start_s: float
    events: int
    event_s: float
    first_token_s: float
    gap_s: float
    """Seconds between two events of one stream."""


@dataclass
class Seen:
    """Seconds, one entry a request: what was added to its time to first token; when its first text had left."""

    added: list[float] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    calm: float | None = None
    """When the loop was no longer behind, for the first time after `since`."""
    worked: float = 0.0


def quantile(values: list[float], share: float) -> float:
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


def serve(arrivals: Iterator[tuple[float, Kind]], random: Random, until: float, since: float = 0.0) -> Seen:
    """Let one loop serve these arrivals, which are in order. Those from `since` on count."""
    seen, free, number = Seen(), 0.0, 0
    # (when, number, kind, events left or -1 for a start, delay so far or -1 if it does not count)
    queue: list[tuple[float, int, Kind, int, float]] = []
    coming = next(arrivals, None)
    while queue or coming is not None:
        if coming is not None and (not queue or coming[0] <= queue[0][0]):
            when, kind = coming
            coming = next(arrivals, None)
            left, delay = -1, 0.0 if when >= since else -1.0
        else:
            when, _, kind, left, delay = heapq.heappop(queue)
        if when > until:
            break
        if seen.calm is None and when > since and free - when < CALM_S:
            seen.calm = when
        cost = kind.start_s if left < 0 else kind.event_s
        free = max(free, when) + cost
        seen.worked += cost
        number += 1
        if left < 0:
            first = free + kind.first_token_s
            heapq.heappush(
                queue, (first, number, kind, kind.events, delay + free - when if delay >= 0 else -1.0)
            )
            continue
        if left == kind.events and delay >= 0:
            seen.added.append(delay + free - when)
            seen.begun.append(free)
        if left > 1:
            # The provider's pace, not ours: a reply that waits here does not wait there.
            pause = kind.gap_s * (0.5 + random.random())
            heapq.heappush(queue, (when + pause, number, kind, left - 1, delay))
    return seen


def kinds(demand: Demand, c: Constants) -> list[Kind]:
    """What comes to one worker that knows the sessions which are not new."""
    d, cost, rates = demand, costs(replace(demand, agents=0), Fleet(), c, 1), demanded(demand)
    event = cost["event_us"] / 1e6
    gap = 1 / (d.tokens_per_second * d.events_per_token)
    turn_events = max(1, round(d.reply_tokens * d.events_per_token))
    few_events = max(1, round(d.background_tokens * d.events_per_token))

    def kind(rate: float, start_ms: float, events: int) -> Kind:
        return Kind(rate, start_ms / 1e3, events, event, d.first_token_s, gap)

    return [
        kind(rates["turns"] * (1 - d.new_share), cost["known_turn_ms"], turn_events),
        kind(rates["turns"] * d.new_share, cost["new_turn_ms"], turn_events),
        kind(rates["background"], cost["background_ms"], few_events),
    ]


def load_of(mix: list[Kind]) -> float:
    """Cores that they ask for."""
    return sum(each.per_second * (each.start_s + each.events * each.event_s) for each in mix)


def poisson(
    mix: list[Kind], times: float, random: Random, until: float, burst: tuple[float, int] | None = None
) -> Iterator[tuple[float, Kind]]:
    """Arrivals of the mix, `times` as many; at one moment so many turns more."""
    total = sum(each.per_second for each in mix) * times
    weights = [each.per_second for each in mix]
    now, pending = 0.0, burst
    while (now := now + random.expovariate(total)) < until:
        if pending is not None and now >= pending[0]:
            yield from ((pending[0], mix[0]) for _ in range(pending[1]))
            pending = None
        yield now, random.choices(mix, weights)[0]


def waiting(mix: list[Kind], busy: float, seed: int) -> Seen:
    """One worker that is so busy: all its lives as one."""
    seen = Seen()
    for life in range(LIVES):
        random = Random(f"{seed} {life} {busy}")
        arrivals = poisson(mix, busy / load_of(mix), random, SECONDS)
        seen.added += serve(arrivals, random, SECONDS, WARM).added
    return seen


def burst(mix: list[Kind], busy: float, extra: int, seed: int) -> tuple[float, float]:
    """`extra` turns at once before a busy worker: the most seconds that a request waits in the time after, and
    seconds until the loop is no longer behind."""
    random, at = Random(f"{seed} {busy} {extra}"), WARM
    arrivals = poisson(mix, busy / load_of(mix), random, WARM + AFTER, (at, extra))
    seen = serve(arrivals, random, WARM + AFTER, at)
    return max(seen.added), (seen.calm or float("inf")) - at


def crowd(streams: int, c: Constants) -> tuple[float, float]:
    """So many small streams in the same instant, whose provider answers at once: seconds until half of them, and all of them,
    have their first text."""
    event = (c["translate_event_us"] + c["relay_event_us"]) / 2e6
    kind = Kind(0, c["start_ms"] / 1e3 - event, 1, event, 0.0, 0.0)
    seen = serve(((0.0, kind) for _ in range(streams)), Random(0), float("inf"))
    return quantile(seen.begun, 0.5), max(seen.begun)


def knee(seen: dict[float, Seen], most: float = 0.1) -> float:
    """How busy a worker may be so that a hundredth of the requests, at most, waits longer than `most` seconds."""
    calm = 0.0
    for busy, found in sorted(seen.items()):
        if quantile(found.added, 0.99) > most:
            break
        calm = busy
    return calm


def after(seconds: float) -> str:
    return f"{seconds * 1e3:.0f}" if seconds < AFTER else "not over"


def tables(demand: Demand, c: Constants, seed: int) -> dict[str, list[list[str]]]:
    """The answers as rows of text, each with its titles first: `waiting`, `bursts`, `crowds`."""
    mix = kinds(demand, c)
    turns = demanded(demand)["turns"] / load_of(mix)
    waits = [["busy", "turns/s", "p50 ms", "p99 ms", "most ms"]]
    seen = {busy: waiting(mix, busy, seed) for busy in BUSY}
    for busy, found in seen.items():
        late = (f"{1e3 * quantile(found.added, share):.1f}" for share in (0.5, 0.99, 1.0))
        waits.append([f"{busy:.0%}", f"{turns * busy:.1f}", *late])
    waits.append([f"The 99th percentile is within 100 ms up to {knee(seen):.0%}."])
    bursts = [["busy", *(f"{extra} more" for extra in BURSTS)]]
    for busy in BUSY_IN_BURSTS:
        found_of = (burst(mix, busy, extra, seed) for extra in BURSTS)
        bursts.append([f"{busy:.0%}", *(f"{most * 1e3:.0f}, {after(over)}" for most, over in found_of)])
    crowds = [["streams at once", "half have begun after ms", "all after ms"]]
    for streams in CROWDS:
        half, whole = crowd(streams, c)
        crowds.append([str(streams), f"{half * 1e3:.0f}", f"{whole * 1e3:.0f}"])
    return {"waiting": waits, "bursts": bursts, "crowds": crowds}


WHAT = {
    "waiting": "One worker: what is added to the time to first token",
    "bursts": "So many turns more in one instant: the longest wait after it, and when the loop is no longer behind, ms",
    "crowds": "Small streams that come in one instant to an idle worker",
}


def told(demand: Demand, c: Constants, seed: int) -> str:
    found = tables(demand, c, seed)
    parts = []
    for name, rows in found.items():
        parts.append(f"{WHAT[name]} (seed {seed})")
        widths = [max(len(row[n]) for row in rows if len(row) > n > 0) for n in range(1, len(rows[0]))]
        for row in rows:
            rest = zip(row[1:], widths, strict=False)
            parts.append("  ".join([row[0].rjust(15), *(cell.rjust(width) for cell, width in rest)]))
        parts.append("")
    return "\n".join(parts)
