"""Two minutes of mixed traffic; `make soak` runs for as long as one likes."""

from __future__ import annotations

import random
import sys

import pytest

from tests.support.soak.slopes import slope_of
from tests.support.soak.soak import Soaked, problems, soak, summary
from tests.support.soak.traffic import LEFT

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


def test_a_slope_needs_samples() -> None:
    with pytest.raises(ValueError, match="3 samples"):
        slope_of([(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)])
