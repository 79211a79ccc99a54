from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccr.adapters.store.learned import LearnedFile
from ccr.application.contained import Faults
from ccr.domain.compat import Amendment, Change

pytestmark = pytest.mark.anyio
URL = "https://p.test/v1/chat/completions"
SEED, STORE = Amendment(Change.DROP, "seed"), Amendment(Change.DROP, "store")


class SetClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, tzinfo=UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)
        self.seconds += timedelta(**time).total_seconds()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "learned.json"


def opened(path: Path, clock: SetClock, faults: Faults | None = None) -> LearnedFile:
    return LearnedFile(path, clock, faults or Faults())


async def test_what_was_learned_is_known_by_endpoint_and_model(path: Path, clock: SetClock) -> None:
    store = opened(path, clock)
    assert store.known(URL, "m") == ()
    learned = await store.remember(f"{URL}?key=secret", "m", SEED, "Unknown parameter:\n 'seed'")

    assert learned is not None
    assert (learned.endpoint, learned.evidence) == (URL, "Unknown parameter: 'seed'")
    assert store.known(URL, "m") == (SEED,)
    assert store.known(URL, "other") == ()
    assert store.known("https://other.test/", "m") == ()


async def test_it_survives_a_restart_and_only_its_owner_reads_it(path: Path, clock: SetClock) -> None:
    cap = Amendment(Change.CAP, "max_tokens", limit=8192)
    clamp = Amendment(Change.CLAMP, "effort", allowed=("low", "high"))
    for amendment in (cap, clamp, Amendment(Change.RENAME, "a", to="b")):
        await opened(path, clock).remember(URL, "m", amendment, "said")

    assert set(opened(path, clock).known(URL, "m")) == {cap, clamp, Amendment(Change.RENAME, "a", to="b")}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not list(path.parent.glob("*.new"))


async def test_it_expires_and_keeps_its_first_date_when_learned_again(path: Path, clock: SetClock) -> None:
    store = opened(path, clock)
    first = clock.now()
    await store.remember(URL, "m", SEED, "said")
    clock.pass_(days=6, hours=23)
    assert store.known(URL, "m") == (SEED,)
    clock.pass_(hours=2)
    assert store.known(URL, "m") == ()
    assert [one.amendment for one in store.all()] == [SEED]

    learned = await store.remember(URL, "m", SEED, "said again")
    assert learned is not None
    assert (learned.first_seen, learned.evidence) == (first, "said again")
    assert store.known(URL, "m") == (SEED,)


async def test_what_expired_long_ago_is_dropped_at_the_next_writing(path: Path, clock: SetClock) -> None:
    store = opened(path, clock)
    await store.remember(URL, "m", SEED, "said")
    clock.pass_(days=38)
    await store.remember(URL, "m", STORE, "said")

    assert [one.amendment for one in store.all()] == [STORE]


async def test_workers_see_each_other_within_a_second_and_lose_nothing(path: Path, clock: SetClock) -> None:
    one, two = opened(path, clock), opened(path, clock)
    assert one.known(URL, "m") == two.known(URL, "m") == ()
    await one.remember(URL, "m", SEED, "said")
    assert two.known(URL, "m") == ()
    await two.remember(URL, "m", STORE, "said")
    assert set(two.known(URL, "m")) == {SEED, STORE}
    clock.pass_(seconds=1.5)

    assert set(one.known(URL, "m")) == {SEED, STORE}


async def test_a_model_has_at_most_eight_and_a_better_one_replaces(path: Path, clock: SetClock) -> None:
    store = opened(path, clock)
    for number in range(8):
        await store.remember(URL, "m", Amendment(Change.CAP, f"n{number}", limit=5), "said")
    assert await store.remember(URL, "m", SEED, "said") is None
    await store.remember(URL, "m", Amendment(Change.CAP, "n0", limit=4), "said")
    await store.remember(URL, "other", SEED, "said")

    assert Amendment(Change.CAP, "n0", limit=4) in store.known(URL, "m")
    assert len(store.known(URL, "m")) == 8
    assert store.known(URL, "other") == (SEED,)


async def test_the_hour_of_the_last_use_is_noted(path: Path, clock: SetClock) -> None:
    store = opened(path, clock)
    await store.remember(URL, "m", SEED, "said")
    await store.remember(URL, "other", SEED, "said")
    written = path.stat().st_mtime_ns
    clock.pass_(minutes=50)
    await store.used(URL, "m")
    assert path.stat().st_mtime_ns == written
    clock.pass_(minutes=20)
    await store.used(URL, "m")
    await store.used("https://nobody.test", "m")

    used = {one.model: one.last_used for one in opened(path, clock).all()}
    assert used == {"m": clock.now(), "other": clock.now() - timedelta(minutes=70)}


@pytest.mark.parametrize(
    "by, left",
    [
        ({}, 0),
        ({"model": "m"}, 1),
        ({"endpoint": "https://p.test"}, 0),
        ({"endpoint": "https://q.test"}, 3),
        ({"model": "m", "name": "seed"}, 2),
    ],
)
async def test_forgetting(path: Path, clock: SetClock, by: dict[str, str], left: int) -> None:
    store = opened(path, clock)
    await store.remember(URL, "m", SEED, "said")
    await store.remember(URL, "m", STORE, "said")
    await store.remember(URL, "other", SEED, "said")

    assert await store.forget(**by) == 3 - left
    assert len(opened(path, clock).all()) == left


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[]",
        b'{"learned":[{"endpoint":5}]}',
        b'{"learned":[{"endpoint":"e","model":"m","change":"explode","name":"n"}]}',
        (
            b'{"learned":[{"endpoint":"e","model":"m","change":"drop","name":"n","evidence":"",'
            b'"first_seen":"2026-11-24T00:00:00","last_used":"2026-11-24T00:00:00","expires":"2026-11-24T00:00:00"}]}'
        ),
        b" " * (4 * 1024 * 1024 + 1),
    ],
)
async def test_a_file_that_cannot_be_read_is_set_aside(path: Path, clock: SetClock, text: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(text)
    told: list[str] = []
    store = opened(path, clock, Faults(lambda place, error: told.append(f"{place}: {error}")))

    assert store.known(URL, "m") == ()
    assert (path.parent / "learned.json.broken").read_bytes() == text
    assert len(told) == 1
    assert "learned.json.broken" in told[0]
    await store.remember(URL, "m", SEED, "said")
    assert len(json.loads(path.read_text())["learned"]) == 1


async def test_what_cannot_be_written_is_known_all_the_same(path: Path, clock: SetClock) -> None:
    path.parent.mkdir()
    (path.parent / ".learned.json.lock").mkdir()
    faults = Faults()
    store = opened(path, clock, faults)
    await store.remember(URL, "m", SEED, "said")

    assert store.known(URL, "m") == (SEED,)
    assert faults.counts == {"learned": 1}
    with pytest.raises(OSError, match="lock"):
        await store.forget()


async def test_a_file_that_may_not_be_read_is_reported_once(path: Path, clock: SetClock) -> None:
    path.mkdir(parents=True)
    faults = Faults()
    store = opened(path, clock, faults)
    assert store.known(URL, "m") == ()
    clock.pass_(seconds=2)
    assert store.known(URL, "m") == ()

    assert faults.counts == {"learned": 1}


async def test_a_writing_that_fails_leaves_nothing_behind(
    path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(path, clock)
    await store.remember(URL, "m", SEED, "said")
    before = path.read_bytes()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ccr.adapters.store.private_file.os.fsync", full)
    await store.remember(URL, "m", STORE, "said")

    assert path.read_bytes() == before
    assert sorted(found.name for found in path.parent.iterdir()) == [".learned.json.lock", "learned.json"]
