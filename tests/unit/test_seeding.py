"""Seeds: a function of root and name alone, in every process, without relation to one another."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from repro.core.seeding import Seeds, step_seeds, stream_seed
from samples import Fresh

SOURCE = """
import json
from repro.core.seeding import Seeds, step_seeds
from repro.data.order import order
print(json.dumps([[Seeds(0)(n) for n in ("a", "b", "é")], step_seeds(3, 1, 4).tolist(),
                  order(5, 2, 100).tolist()]))
"""


def test_every_process_draws_the_same(fresh: Fresh) -> None:
    results = {fresh(SOURCE, PYTHONHASHSEED=seed).stdout for seed in ("0", "1", "4242")}
    assert len(results) == 1
    seeds, steps, _ = json.loads(results.pop())
    assert seeds == [Seeds(0)(name) for name in ("a", "b", "é")]
    assert steps == step_seeds(3, 1, 4).tolist()


@given(st.integers(0, 2**63 - 1), st.text(max_size=20))
def test_a_seed_is_what_all_generators_take(root: int, name: str) -> None:
    seed = stream_seed(root, name)
    assert 0 <= seed < 2**31
    assert isinstance(seed, int)
    assert seed == Seeds(root)(name)


def test_names_and_roots_lead_to_streams_of_their_own() -> None:
    found = {stream_seed(root, str(name)) for root in range(40) for name in range(40)}
    assert len(found) >= 1600 - 3  # some of 1,600 draws from 2**31 may meet by chance
    # A root and a name must not run into one another.
    assert stream_seed(1, "1a") != stream_seed(11, "a")


def test_seeds_spread_evenly() -> None:
    tops = np.bincount([stream_seed(root, "a") >> 27 for root in range(3200)], minlength=16)
    chi2 = float(((tops - 200) ** 2 / 200).sum())
    assert chi2 < 50  # 15 degrees of freedom: more than this in one of 85,000 cases


def test_step_seeds_are_a_function_of_root_epoch_and_step() -> None:
    whole = step_seeds(0, 3, 50)
    assert whole.shape == (50, 2)
    assert whole.dtype == np.int32
    assert step_seeds(0, 3, 20).tolist() == whole[:20].tolist()
    pairs = {
        tuple(row)
        for root in range(3)
        for epoch in range(5)
        for row in step_seeds(root, epoch, 50).tolist()
    }
    assert len(pairs) == 3 * 5 * 50


def test_step_seeds_use_all_bits() -> None:
    bits = np.unpackbits(step_seeds(0, 0, 4000).view(np.uint8).reshape(4000, 8), axis=1)
    assert (abs(bits.mean(axis=0) - 0.5) < 0.06).all()  # 7 standard deviations
