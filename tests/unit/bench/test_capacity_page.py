from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from tests.support.parts import require_program

SCRIPT = Path(__file__).parents[3] / "docs/assets/capacity.js"


@pytest.fixture(scope="module")
def capacity(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("capacity")


@pytest.fixture(scope="module")
def page(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("capacity_page")


def test_each_constant_says_what_it_is_and_who_measures_it(capacity: ModuleType) -> None:
    document = tomllib.loads(capacity.CONSTANTS.read_text())
    entries = {
        name: each for name, each in document.items() if name not in {"meta", "crowds", "sessions", "steady"}
    }

    for name, each in entries.items():
        assert set(each) - {"case", "key"} == {"value", "unit", "what", "command"}, name
        assert ("case" in each) == ("key" in each), name
    assert entries.keys() == capacity.constants().keys()


def test_constants_are_taken_from_a_run(capacity: ModuleType, page: ModuleType) -> None:
    text = capacity.CONSTANTS.read_text()
    results = {
        "ccr": {"translate small": {"cpu_ms": 0.1234}, "relay small stream paced": {"cpu_us_per_event": 25.0}}
    }

    made = tomllib.loads(page.taken(text, results, "2027-01-02T03:04:05Z"))
    before = tomllib.loads(text)
    assert made["translate_small_ms"].pop("value") == 0.123
    assert made["relay_event_us"].pop("value") == 25
    assert made["meta"].pop("measured") == "2027-01-02"
    for name, key in (("translate_small_ms", "value"), ("relay_event_us", "value"), ("meta", "measured")):
        before[name].pop(key)
    assert made == before


def test_calculator_and_page_have_the_constants_of_today(capacity: ModuleType, page: ModuleType) -> None:
    text, found = SCRIPT.read_text(), capacity.constants()
    assert page.script(text, found) == text, "python bench/capacity.py --write-docs"

    document = tomllib.loads(capacity.CONSTANTS.read_text())
    shown = page.PAGE.read_text()
    quick = {
        "constants": page.constants_table(document),
        "worker": page.worker_table(found),
        "sessions": page.sessions_table(document, found),
        "machines": page.fleets_table(page.MACHINES, found),
        "clusters": page.fleets_table(page.CLUSTERS, found),
    }
    for name, section in quick.items():
        shown_again = page.replaced(shown, name, section)
        assert shown_again == shown, f"{name}: python bench/capacity.py --write-docs"


def test_a_stale_page_is_told_and_not_touched(page: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("old")

    assert page.put(path, "new", write=False)
    assert path.read_text() == "old"
    assert page.put(path, "new", write=True)
    assert not page.put(path, "new", write=False)


CALL = """
const c = require(process.argv[1]);
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answer = ([demand, fleet]) => {
  try {
    const found = c.plan(demand, fleet, c.CONSTANTS);
    return [found, c.shares(found, fleet, c.CONSTANTS), c.mostAgents(demand, fleet, c.CONSTANTS),
            c.replicasNeeded(demand, fleet, c.CONSTANTS)];
  } catch (error) { return error.name; }
};
process.stdout.write(JSON.stringify(asked.map(answer)));
"""


PAGE = """
const listeners = {};
const made = [];
function node(name) {
  const found = { name, style: {}, children: [], own: "", append(...more) { this.children.push(...more); },
    setAttribute() {}, addEventListener(kind, call) { listeners[kind] = call; },
    get textContent() { return this.own + this.children.map((each) => each.textContent).join(" "); },
    set textContent(text) { this.own = text; this.children = []; } };
  made.push(found);
  return found;
}
const place = node("div");
const document = { createElement: node, getElementById: (id) => (id === "capacity-calculator" ? place : null) };
const code = require("fs").readFileSync(process.argv[1], "utf8");
new Function("document", code.replace(/typeof module/g, "typeof nothing"))(document);
const said = [place.textContent];
const input = (id) => made.find((each) => each.id === "capacity-" + id);
for (const [id, value] of [["agents", "400"], ["replicas", "1"], ["replicas", ""]]) {
  input(id).value = value;
  listeners.input();
  said.push(place.textContent);
}
process.stdout.write(JSON.stringify(said));
"""


def test_the_page_shows_it_and_says_what_cannot_be(capacity: ModuleType) -> None:
    node = require_program("node", "install Node.js")
    done = subprocess.run([node, "-e", PAGE, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, more, alone, empty = json.loads(done.stdout)

    constants = capacity.constants()
    for shown, demand in ((first, capacity.Demand()), (more, capacity.Demand(agents=400))):
        most = capacity.most_agents(demand, capacity.Fleet(), constants)
        needed = capacity.replicas_needed(demand, capacity.Fleet(), constants)
        assert f"This carries {most:.0f} agents. Replicas needed: {needed}." in shown
        assert f"streams open at once {capacity.demanded(demand)['streams']:.0f}" in shown
    assert "nobody is left" in alone
    assert "machines or pods: a number" in empty


def inputs(capacity: ModuleType) -> list[tuple[Any, Any]]:
    """The defaults, the edges, and many that chance chose."""
    draw = Random(20)
    found = [(capacity.Demand(), capacity.Fleet()), (capacity.Demand(agents=0), capacity.Fleet())]
    found += [
        (capacity.Demand(), capacity.Fleet(replicas=1)),
        (capacity.Demand(turns_per_minute=30), capacity.Fleet()),
    ]
    for _ in range(60):
        demand, fleet = (
            kind(**{name: value * draw.choice((0.3, 0.7, 1, 1.6)) for name, value in asdict(kind()).items()})
            for kind in (capacity.Demand, capacity.Fleet)
        )
        shares = {"translate_share": draw.random(), "new_share": draw.random()}
        counts = {
            "replicas": draw.choice((2, 3, 8, 40)),
            "lost": draw.choice((0, 1)),
            "workers": draw.choice((1, 4)),
            "sticky": draw.random(),
        }
        found.append(
            (replace(demand, **shares, agents=draw.choice((5, 300, 4000))), replace(fleet, **counts))
        )
    return found


def answer(capacity: ModuleType, demand: Any, fleet: Any) -> Any:
    constants = capacity.constants()
    try:
        found = capacity.plan(demand, fleet, constants)
    except ValueError:
        return "RangeError"
    return [
        found,
        capacity.shares(found, fleet, constants),
        capacity.most_agents(demand, fleet, constants),
        capacity.replicas_needed(demand, fleet, constants),
    ]


def test_the_calculator_of_the_page_computes_the_same(capacity: ModuleType) -> None:
    node = require_program("node", "install Node.js")
    asked = inputs(capacity)

    done = subprocess.run(
        [node, "-e", CALL, SCRIPT],
        input=json.dumps([[asdict(demand), asdict(fleet)] for demand, fleet in asked]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for (demand, fleet), theirs in zip(asked, json.loads(done.stdout), strict=True):
        ours = answer(capacity, demand, fleet)
        if isinstance(ours, str):
            assert theirs == ours
            continue
        for mine, other in zip(ours, theirs, strict=True):
            assert other == pytest.approx(mine, rel=1e-9), (demand, fleet)
