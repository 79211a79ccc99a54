"""Two minutes of mixed traffic; `make soak` runs for as long as one likes."""

from __future__ import annotations

import random
import sys

import pytest
from attrs import evolve

from tests.support.soak.slopes import slope_of
from tests.support.soak.soak import Sample, Soaked, problems, soak, summary
from tests.support.soak.traffic import LEFT
from tests.support.worker import Usage

_MINUTES = 2.0


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Soaked:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}: python -m tests.support.soak {_MINUTES:g} {seed}")
    found = soak(_MINUTES, seed, tmp_path_factory.mktemp("soak"), print)
    print("\n".join(summary(found)))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the soak reads /proc")
def test_nothing_is_lost_left_or_growing(soaked: Soaked) -> None:
    assert problems(soaked) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the soak reads /proc")
def test_the_traffic_was_what_it_should_be(soaked: Soaked) -> None:
    assert soaked.requests > 2_000
    assert 0.2 < soaked.counts[LEFT] / soaked.requests < 0.5
    assert min(soaked.counts[kind] for kind in ("2xx", "4xx", "5xx")) > 50


def test_a_slope_is_not_moved_by_a_wild_sample() -> None:
    points = [(float(place), 3.0 * place) for place in range(20)]
    points[7] = (7.0, 1e9)

    slope = slope_of(points)

    assert slope.middle == pytest.approx(3.0)
    assert slope.low == pytest.approx(3.0)


def test_a_flat_line_with_noise_has_no_sure_slope() -> None:
    noise = random.Random(5)
    slope = slope_of([(float(place), noise.gauss(100, 10)) for place in range(24)])

    assert slope.low < 0 < slope.high


def grown(*, memory: float = 0.0, tasks: int = 0, files: int = 0) -> Soaked:
    """A soak of made-up samples: ``memory`` is bytes a request, under half a megabyte of noise."""
    noise, start = random.Random(3), Usage(1, 150.0, 140.0, 30, 8, 5, 5, 0)
    samples = [
        Sample(
            1000 * place,
            5.0 * place,
            evolve(
                start,
                rss_mb=150 + memory * 1000 * place / 1_048_576 + noise.uniform(-0.5, 0.5),
                tasks=8 + tasks * place // 19,
                files=30 + files * place // 19,
            ),
        )
        for place in range(20)
    ]
    return Soaked(1, start, samples)


def test_what_grows_is_found() -> None:
    assert problems(grown()) == []
    assert "tasks 8 -> 14" in problems(grown(tasks=6))
    assert "descriptors 25 -> 31" in problems(grown(files=6))
    assert any("bytes a request" in problem for problem in problems(grown(memory=1000)))
    lost = grown()
    lost.counts["HUNG"] = 1
    assert problems(lost) == ["1 x HUNG"]


def test_a_slope_needs_samples() -> None:
    with pytest.raises(ValueError, match="3 samples"):
        slope_of([(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)])
