"""``ccr status``."""

from __future__ import annotations

from typing import Any

import rich_click as click

from ccr.entrypoints.cli.output import emit, emit_json
from ccr.entrypoints.cli.running import Found, find
from ccr.entrypoints.service import EXIT_NOT_RUNNING

__all__ = ["status"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(*, as_json: bool) -> int:
    """Whether the gateway runs, where, and what it routes where. Exit code 3: it does not run."""
    facts = _facts(find())
    if as_json:
        emit_json(facts)
    else:
        emit("\n".join(_lines(facts)))
    return 0 if facts["running"] else EXIT_NOT_RUNNING


def _facts(found: Found) -> dict[str, Any]:
    health = found.client.health()
    facts: dict[str, Any] = {
        "running": health is not None or found.pid is not None,
        "answering": health is not None,
        "address": found.address,
        "parent_pid": found.pid or None,
        "from_this_home": found.pid is not None,
        "config_path": str(found.place.config),
        "logs_path": str(found.place.logs),
        "config_problems": [str(problem) for problem in found.problem.problems] if found.problem else [],
    }
    if health is not None:
        facts |= {"version": health.get("version"), "revision": health.get("revision")}
        reply = found.client.call("GET", "/api/status")
        facts |= reply.body if reply.ok and isinstance(reply.body, dict) else {"refused": reply.error()}
    return facts


def _lines(facts: dict[str, Any]) -> list[str]:
    if not facts["running"]:
        lines = ["ccr is not running", "", "Next step: `ccr start`"]
        return [*lines, *_problems(facts)]
    if not facts["answering"]:
        return [
            f"ccr (pid {facts['parent_pid'] or '?'}) runs but does not answer at {facts['address']}",
            *_problems(facts),
        ]
    state = "draining" if facts.get("draining") else "ready" if facts.get("ready", True) else "not ready"
    rows = [
        (
            "state",
            f"{state}, {facts.get('active_requests', 0)} open requests, up {facts.get('uptime', 0):.0f} s",
        ),
        ("pid", f"{facts['parent_pid'] or '-'} ({_workers(facts)})"),
        *_routes(facts.get("routes", {})),
        (
            "providers",
            ", ".join(str(provider.get("name")) for provider in facts.get("providers", [])) or "demo",
        ),
        *_health(facts),
        ("config", f"{facts['config_path']} (revision {facts.get('revision') or '-'})"),
        ("logs", facts["logs_path"]),
    ]
    lines = [f"ccr {facts.get('version')} is running at {facts['address']}"]
    lines += [f"  {name:<11}{text}" for name, text in rows]
    if facts.get("last_error"):
        lines.append(f"The last change of the configuration was refused:\n{facts['last_error']}")
    if facts.get("refused"):
        lines.append(f"More is known to those with the key: {facts['refused']}")
    lines += [f"warning: {warning}" for warning in facts.get("warnings", [])]
    return [*lines, *_problems(facts)]


def _workers(facts: dict[str, Any]) -> str:
    pids = [str(worker["pid"]) for worker in facts.get("workers", ()) if "pid" in worker]
    if len(pids) > 1:
        return f"workers {', '.join(sorted(pids))}"
    return f"worker {facts.get('pid', '-')}"


def _health(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What is not as it should be: nothing is said of targets that do well."""
    said = []
    for place in facts.get("health", ()):
        if place["circuit"] != "closed":
            when = f", asked again in {place['retry_in']:.0f} s" if place["retry_in"] else ""
            said.append(f"{place['target']}  {place['circuit'].replace('_', ' ')}{when}: {place['why']}")
        for key, seconds in place.get("keys_resting", {}).items():
            said.append(
                f"{place['target']}  {f'key {key}' if key else 'its key'} rests for another {seconds:.0f} s"
            )
        if place.get("queued"):
            said.append(
                f"{place['target']}  {place['queued']} wait for one of {place['max_in_flight']} places"
            )
    if facts.get("queued"):
        said.append(f"{facts['queued']} requests wait: {facts['max_in_flight']} are served at once")
    if facts.get("shed"):
        said.append(f"{facts['shed']} requests were refused for want of room")
    return [("health" if not at else "", line) for at, line in enumerate(said)]


def _routes(routes: dict[str, str]) -> list[tuple[str, str]]:
    return [
        ("routes" if not n else "", f"{name} -> {target}") for n, (name, target) in enumerate(routes.items())
    ]


def _problems(facts: dict[str, Any]) -> list[str]:
    return [f"problem: {problem}" for problem in facts["config_problems"]]
