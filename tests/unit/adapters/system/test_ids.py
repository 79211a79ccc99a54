from __future__ import annotations

from ccr.adapters.system.ids import RandomIds, SystemRandom


def test_ids_have_their_prefix_and_do_not_repeat() -> None:
    new_id = RandomIds("req_")
    ids = {new_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(one.startswith("req_") and len(one) == 28 for one in ids)


def test_a_seed_repeats_chance() -> None:
    assert SystemRandom(7).random() == SystemRandom(7).random()
    assert 0 <= SystemRandom().random() < 1
