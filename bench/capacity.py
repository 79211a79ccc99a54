"""What a number of people at work asks of the gateway, and what one worker, one machine or a cluster carries.

    python bench/capacity.py --agents 200 [--replicas 2 ...]      --help lists the inputs and their defaults
    python bench/capacity.py --simulate [--seed 1]                waiting, against how busy a worker is
    python bench/capacity.py --take                               constants from the last whole `make bench`
    python bench/capacity.py --write-docs | --check               the page's tables and the calculator's constants

Arithmetic over measured constants (capacity.toml), no measurement. docs/assets/capacity.js has the same formulas for the page;
a test compares both. Everything is per second, kB or ms as its name says; MB are 1024 kB.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CONSTANTS = HERE / "capacity.toml"
SMALL_KB, BIG_KB = 1.0, 120.0
"""The sizes at which requests were measured; between and beyond them a straight line."""
MOST_REPLICAS, MOST_AGENTS = 1000, 1e7

Constants = Mapping[str, float]
Plan = dict[str, float]


def given(default: float, what: str) -> float:
    """A field that is an option of the command line."""
    made: float = field(default=default, metadata={"what": what})
    return made


@dataclass(frozen=True)
class Demand:
    """Who works, and how. The figures of the busiest hour are the ones to give."""

    agents: float = given(200, "agents at work at once: people's sessions and the subagents in them")
    turns_per_minute: float = given(3, "turns (requests to the main model) of one agent")
    background_per_turn: float = given(0.2, "small auxiliary requests for each turn")
    request_kb: float = given(120, "size of a turn's request, history and tools included")
    background_kb: float = given(1, "size of a background request")
    reply_tokens: float = given(500, "tokens of a turn's reply")
    background_tokens: float = given(50, "tokens of a background reply")
    tokens_per_second: float = given(60, "speed of one stream")
    events_per_token: float = given(1, "events for each token, if each comes in a read of its own")
    first_token_s: float = given(2, "seconds until the provider's first token")
    translate_share: float = given(1, "share of requests that are translated; the others are relayed")
    new_share: float = given(0.05, "share of turns that begin a session, or come after a compaction")
    hours: float = given(8, "hours of such work a day")


@dataclass(frozen=True)
class Fleet:
    """What is there to serve them."""

    replicas: float = given(2, "machines or pods")
    workers: float = given(1, "workers of each (Admin.workers)")
    cores: float = given(1, "cores of each; more than one a worker are of no use to it")
    memory_mb: float = given(1024, "memory of each")
    files: float = given(65536, "descriptors that a worker may open (ulimit -Hn)")
    lost: float = given(1, "replicas that may be missing without anybody noticing")
    headroom: float = given(0.5, "how busy a worker may be, as computed; meters show more")
    sticky: float = given(0, "share of requests that reach the worker which had the session before")
    burst_share: float = given(0.1, "share of agents whose requests come in the same instant")


def constants(path: Path = CONSTANTS) -> dict[str, float]:
    document = tomllib.loads(path.read_text())
    return {name: entry["value"] for name, entry in document.items() if "value" in entry}


def line(small: float, big: float, kb: float) -> float:
    """The cost of a request of this size, from those of 1 kB and of 120 kB; a smaller one costs what 1 kB does."""
    return small + (big - small) * max(0.0, kb - SMALL_KB) / (BIG_KB - SMALL_KB)


def demanded(demand: Demand) -> Plan:
    """What comes in, whoever serves it. Raises ValueError when an agent would have to hear more than it can."""
    d = demand
    turns = d.agents * d.turns_per_minute / 60
    background = turns * d.background_per_turn
    turn_s = d.first_token_s + d.reply_tokens / d.tokens_per_second
    background_s = d.first_token_s + d.background_tokens / d.tokens_per_second
    if turn_s * d.turns_per_minute > 60:
        raise ValueError(
            f"a turn takes {turn_s:.1f} s: an agent has no {d.turns_per_minute:g} of them a minute"
        )
    requests = turns + background
    events = (turns * d.reply_tokens + background * d.background_tokens) * d.events_per_token
    return {
        "turns": turns,
        "background": background,
        "requests": requests,
        "streams": turns * turn_s + background * background_s,  # Little's law
        "events": events,
        "rows_a_day": requests * 3600 * d.hours,
    }


def costs(demand: Demand, fleet: Fleet, c: Constants, workers: float) -> Plan:
    """CPU of a turn, a background request and an event, when so many workers share the sessions."""
    d, t = demand, demand.translate_share
    sessions = d.agents * (fleet.sticky / workers + 1 - fleet.sticky)
    held = min(1.0, c["memo_kb"] / (sessions * d.request_kb)) if sessions > 0 else 1.0
    # A worker that had the session n requests ago has not seen the turns since: two messages each.
    missed = (1 - fleet.sticky) * min(1.0, 2 * (workers - 1) * c["turn_kb"] / d.request_kb)
    known = held * (1 - d.new_share) * (1 - missed)
    # Of a session that was forgotten the token counts are still known, which are most of what a new one costs.
    forgotten = 1 - d.new_share - known
    new_ms, forgotten_ms = (
        t * (c[name] - c["translate_big_ms"]) * d.request_kb / BIG_KB
        for name in ("translate_cold_ms", "translate_forgotten_ms")
    )

    def request(kb: float) -> float:
        translated = line(c["translate_small_ms"], c["translate_big_ms"], kb)
        return t * translated + (1 - t) * line(c["relay_small_ms"], c["relay_big_ms"], kb)

    return {
        "sessions": sessions,
        "known": known,
        "turn_ms": request(d.request_kb) + new_ms * d.new_share + forgotten_ms * forgotten,
        "new_turn_ms": request(d.request_kb) + new_ms,
        "known_turn_ms": request(d.request_kb),
        "background_ms": request(d.background_kb),
        "event_us": t * c["translate_event_us"] + (1 - t) * c["relay_event_us"],
    }


def plan(demand: Demand, fleet: Fleet, c: Constants) -> Plan:
    """Everything, of the replicas that are left when `lost` are missing. Raises ValueError when none are."""
    left = fleet.replicas - fleet.lost
    if left <= 0:
        raise ValueError("nobody is left: there have to be more replicas than may be lost")
    workers = left * fleet.workers
    found = demanded(demand)
    found |= costs(demand, fleet, c, workers)
    cores = (
        found["turns"] * found["turn_ms"] / 1e3
        + found["background"] * found["background_ms"] / 1e3
        + found["events"] * found["event_us"] / 1e6
    )
    t, streams = demand.translate_share, found["streams"] / workers
    burst_kb = demand.agents * fleet.burst_share / workers * demand.request_kb
    burst_kb *= t * c["translate_burst"] + (1 - t) * c["relay_burst"]
    filled = min(1.0, found["sessions"] * demand.request_kb / c["memo_kb"])
    worker_mb = c["worker_mb"] + c["vocabulary_mb"] + c["caches_mb"] * filled
    worker_mb += (streams * c["stream_kb"] + burst_kb) / 1024
    log_mb = found["rows_a_day"] * c["log_bytes"] / 1024 / 1024
    sent_kb = found["turns"] * demand.request_kb + found["background"] * demand.background_kb
    found |= {
        "workers": workers,
        "cores": cores,
        "busy": cores / workers / min(1.0, fleet.cores / fleet.workers),
        "streams_a_worker": streams,
        "files_a_worker": c["files_per_stream"] * streams + c["idle_connections"] + c["other_files"],
        "memory_a_replica_mb": c["parent_mb"] + fleet.workers * worker_mb,
        # The streams of those that were lost come again, at once, to workers that know nothing of them.
        "storm_s": found["streams"] * fleet.lost / fleet.replicas / workers * found["new_turn_ms"] / 1e3,
        "network_mbit": (sent_kb + found["events"] * c["event_bytes"] / 1024) * 8 / 1024,
        "log_mb_a_day": log_mb,
        "log_days": c["log_keep_mb"] * left / log_mb if log_mb > 0 else 0.0,
    }
    return found


def shares(found: Plan, fleet: Fleet, c: Constants) -> Plan:
    """How much of each limit is used; above 1 it is passed. The limits in the order in which a tie is told."""
    return {
        "processor": found["busy"] / fleet.headroom,
        "memory": found["memory_a_replica_mb"] / fleet.memory_mb,
        "streams": found["streams_a_worker"] / c["max_in_flight"],
        "descriptors": found["files_a_worker"] / fleet.files,
        "a lost replica": found["storm_s"] / c["connect_s"],
    }


def fits(demand: Demand, fleet: Fleet, c: Constants) -> bool:
    return max(shares(plan(demand, fleet, c), fleet, c).values()) <= 1


def most_agents(demand: Demand, fleet: Fleet, c: Constants) -> float:
    """How many agents there may be before the first limit is met; more of them never cost less."""
    low, high = 0.0, MOST_AGENTS
    for _ in range(60):
        middle = (low + high) / 2
        if fits(replace(demand, agents=middle), fleet, c):
            low = middle
        else:
            high = middle
    return low


def replicas_needed(demand: Demand, fleet: Fleet, c: Constants) -> int:
    """The fewest replicas with which no limit is passed; 0 when no number of them is enough."""
    for replicas in range(int(fleet.lost) + 1, MOST_REPLICAS + 1):
        if fits(demand, replace(fleet, replicas=replicas), c):
            return replicas
    return 0


LIMITS: dict[str, str] = {
    "processor": "CPU of the workers, beside the headroom: replies come later, by the queue before the event loop",
    "memory": "memory of a replica: the kernel or the cluster ends it (OOM)",
    "streams": "`Limits.maxInFlight`: one more is a 529",
    "descriptors": "`ulimit -Hn`: further connections wait for accept",
    "a lost replica": "its streams come again at once: `Timeouts.connectMs`",
}

TOLD: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("requests", "requests/s", "{:.1f}".format),
    ("streams", "streams open at once", "{:.0f}".format),
    ("events", "events/s", "{:.0f}".format),
    ("network_mbit", "Mbit/s, in and out each", "{:.0f}".format),
    ("known", "share of a turn's request that its worker knows", "{:.0%}".format),
    ("turn_ms", "CPU of a turn without its events, ms", "{:.2f}".format),
    ("cores", "cores busy, in all", "{:.2f}".format),
    ("workers", "workers left when replicas are lost", "{:.0f}".format),
    ("busy", "how busy each then is", "{:.0%}".format),
    ("streams_a_worker", "streams of each", "{:.0f}".format),
    ("files_a_worker", "descriptors of each", "{:.0f}".format),
    ("memory_a_replica_mb", "memory of a replica, MB", "{:.0f}".format),
    ("storm_s", "seconds until the streams of a lost replica have begun again", "{:.2f}".format),
    ("log_mb_a_day", "log a day, MB", "{:.0f}".format),
    ("log_days", "days that the kept log files reach back", "{:.1f}".format),
    ("rows_a_day", "rows of a ledger a day (one a request; there is none yet)", "{:.0f}".format),
)


def told(demand: Demand, fleet: Fleet, c: Constants) -> str:
    found = plan(demand, fleet, c)
    used = shares(found, fleet, c)
    first = max(used, key=used.__getitem__)
    needed = replicas_needed(demand, fleet, c)
    rows = [f"{name:58} {form(found[key]):>12}" for key, name, form in TOLD]
    rows += ["", "of each limit is used:"]
    rows += [f"  {name:16} {share:6.0%}   {LIMITS[name]}" for name, share in used.items()]
    most = most_agents(demand, fleet, c)
    rows += [
        "",
        f"first met: {first}; this carries {most:.0f} agents ({most / demand.agents:.2g} times as many)",
        f"replicas needed: {needed}" if needed else "no number of such replicas is enough",
    ]
    return "\n".join(rows)


def chosen(kind: type[Any], options: argparse.Namespace) -> Any:
    return kind(**{each.name: getattr(options, each.name) for each in fields(kind)})


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for kind in (Demand, Fleet):
        group = parser.add_argument_group(kind.__name__.lower())
        for each in fields(kind):
            name = "--" + each.name.replace("_", "-")
            said = f"{each.metadata['what']} (default {each.default:g})"
            group.add_argument(
                name, type=float, default=each.default, metavar="N", help=said.replace("%", "%%")
            )
    parser.add_argument("--simulate", action="store_true", help="how long requests wait for a busy worker")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (default 1)")
    parser.add_argument("--take", action="store_true", help="take constants from bench/results/latest.json")
    parser.add_argument(
        "--write-docs", action="store_true", help="tables of the page, constants of its script"
    )
    parser.add_argument("--check", action="store_true", help="fail if --write-docs would change anything")
    return parser.parse_args(words)


def main() -> int:
    options = arguments()
    if options.take or options.write_docs or options.check:
        import capacity_page

        return capacity_page.run(options)
    try:
        demand, fleet = chosen(Demand, options), chosen(Fleet, options)
        if options.simulate:
            import capacity_sim

            print(capacity_sim.told(demand, constants(), options.seed))
        else:
            print(told(demand, fleet, constants()))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
