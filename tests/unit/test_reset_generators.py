"""A generator that is set to the same seed again and again while a model is trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repro.events.steps import Watch
from repro.events.stream import Stream
from repro.events.user_frames import Place
from repro.hook import silent
from repro.hook.reset_generators import ResetGenerators
from repro.ledger.ledger import Ledger

LINE: Place = ("train.py", 3)


class Training:
    """What a script does, and the lines that were found."""

    def __init__(self) -> None:
        self.resets = ResetGenerators()
        self.found: list[Place] = []

    def seed(self, value: Any = 0, call: str = "numpy.random.default_rng") -> None:
        self.resets.noted("seed", call, LINE, ((value,), {}))

    def draw(self, call: str = "numpy.random.Generator.permutation") -> None:
        self.resets.noted("random numbers", call, ("train.py", 9), None)

    def steps(self, *batches: str | None, epoch: int | None = None) -> None:
        for batch in batches:
            self.found += self.resets.stepped(epoch, batch)


def at_each_epoch(training: Training, epoch: int | None, batches: list[str]) -> None:
    training.seed()
    training.draw()
    training.steps(*batches, epoch=epoch)


def test_a_seed_that_is_set_in_each_epoch_of_a_loop() -> None:
    training = Training()
    for _ in range(4):
        at_each_epoch(training, None, ["a", "b"])
    assert {*training.found} == {LINE}


def test_a_seed_that_is_set_in_each_epoch_of_fit() -> None:
    training = Training()
    training.resets.restarted()
    for epoch in range(3):
        at_each_epoch(training, epoch, ["a", "b"])
    assert {*training.found} == {LINE}


def test_where_the_optimizer_is_made_with_the_first_step_it_takes_one_more_epoch() -> None:
    training = Training()
    at_each_epoch(training, None, ["a"])
    training.resets.restarted()
    training.steps("b")
    for _ in range(4):
        at_each_epoch(training, None, ["a", "b"])
    assert {*training.found} == {LINE}


def test_a_seed_that_is_set_for_each_batch() -> None:
    training = Training()
    for number in range(12):
        at_each_epoch(training, None, [f"batch {number}"])
    assert {*training.found} == {LINE}


@pytest.mark.parametrize("draw", ["shuffle", "permutation", "permuted"])
def test_an_order_that_is_drawn_again_whatever_draws_it(draw: str) -> None:
    training = Training()
    for _ in range(4):
        training.seed()
        training.draw(f"numpy.random.Generator.{draw}")
        training.steps("a", "b")
    assert {*training.found} == {LINE}


def test_noise_that_is_the_same_for_each_batch() -> None:
    training = Training()
    for number in range(12):
        training.seed()
        training.draw(NORMAL)
        training.steps(f"batch {number}")
    assert {*training.found} == {LINE}


def test_a_seed_that_is_set_for_each_batch_of_a_second_fit_which_reads_one_ahead() -> None:
    training = Training()
    training.resets.restarted()
    training.steps("x", "y", epoch=0)
    training.seed()
    training.draw()
    training.resets.restarted()
    for number in range(12):
        at_each_epoch(training, 0, [f"batch {number}"])
    assert {*training.found} == {LINE}


NORMAL = "numpy.random.Generator.normal"


def _synthetic_data_made_in_each_epoch(training: Training) -> None:
    training.resets.restarted()
    for epoch in range(9):
        training.seed()
        for batch in "abc":
            training.draw(NORMAL)
            training.steps(batch, epoch=epoch)


def _synthetic_data_made_and_put_in_order(training: Training) -> None:
    for _ in range(9):
        training.seed()
        training.draw()
        training.draw(NORMAL)
        training.steps("a", "b")


def _synthetic_orders(training: Training) -> None:
    for _ in range(9):
        training.seed()
        for batch in "abc":
            training.draw()
            training.steps(batch)


def _noise_for_validation(training: Training) -> None:
    for _ in range(9):  # before the first epoch, too, as a baseline
        training.seed()
        training.draw(NORMAL)
        training.steps("a", "b")


def _one_batch_again_and_again(training: Training) -> None:
    for _ in range(40):
        training.seed()
        training.draw(NORMAL)
        training.steps("the batch")


def _unseen_batches_each_with_a_seed(training: Training) -> None:
    for _ in range(40):
        training.seed()
        training.draw(NORMAL)
        training.steps(None)


def _other_batches(training: Training) -> None:
    for epoch in range(9):
        at_each_epoch(training, None, [f"{epoch}a", f"{epoch}b", "c"])


def _another_seed(training: Training) -> None:
    for epoch in range(9):
        training.seed(epoch)
        training.draw()
        training.steps("a", "b")


def _a_seed_sequence(training: Training) -> None:
    for _ in range(9):
        training.seed(object())
        training.draw()
        training.steps("a", "b")


def _set_once(training: Training) -> None:
    training.seed()
    for _ in range(9):
        training.draw()
        training.steps("a", "b")


def _set_otherwise_before_the_draw(training: Training) -> None:
    for epoch in range(9):
        training.seed(0, "random.seed")
        training.seed(epoch, "random.seed")
        training.draw("random.random")
        training.steps("a", "b")


def _an_index_of_each_example(training: Training) -> None:
    training.resets.restarted()
    for epoch in range(9):
        for index in range(4):
            training.seed(index)
            training.draw()
            training.steps(f"batch {index}", epoch=epoch)


def _nothing_drawn(training: Training) -> None:
    for _ in range(9):
        training.seed()
        training.draw("numpy.random.normal")
        training.steps("a", "b")


def _folds(training: Training) -> None:
    for _ in range(9):
        training.seed()
        training.draw()
        training.resets.restarted()
        training.steps("a", "b", "a", "b")


def _fits(training: Training) -> None:
    for _ in range(9):
        training.seed()
        training.draw()
        training.resets.restarted()
        for epoch in range(3):
            training.steps("a", "b", epoch=epoch)


def _samples_after_each_epoch(training: Training) -> None:
    for _ in range(9):
        training.steps("a", "b")
        training.seed()
        training.draw()


def _samples_after_each_whole_batch(training: Training) -> None:
    for _ in range(20):
        training.steps("all")
        training.seed()
        training.draw()


def _evaluation(training: Training) -> None:
    training.resets.restarted()
    for epoch in range(9):
        training.steps("a", "b", epoch=epoch)
        training.resets.tested()
        training.seed()
        training.draw()


def _unseen_batches(training: Training) -> None:
    for _ in range(9):
        training.seed()
        training.draw()
        training.steps(None, None)


@pytest.mark.parametrize(
    "act",
    [
        _other_batches, _another_seed, _set_otherwise_before_the_draw, _an_index_of_each_example,
        _a_seed_sequence, _set_once, _nothing_drawn, _folds, _fits,
        _samples_after_each_epoch, _samples_after_each_whole_batch, _evaluation, _unseen_batches,
        _synthetic_data_made_in_each_epoch, _synthetic_data_made_and_put_in_order,
        _synthetic_orders, _noise_for_validation, _one_batch_again_and_again,
        _unseen_batches_each_with_a_seed,
    ],
)  # fmt: skip
def test_what_is_no_mistake_is_passed_over(act: Callable[[Training], None]) -> None:
    training = Training()
    act(training)
    assert training.found == []


def test_seeds_of_callbacks_are_passed_over() -> None:
    training = Training()
    space: dict[str, Any] = {"__name__": "keras.src.callbacks.callback_list", "training": training}
    for _ in range(9):
        exec("training.seed(); training.draw()", space)
        training.steps("a", "b")
    assert training.found == []


def test_batches_are_asked_for_once_a_seed_is_set_and_used_in_this_training() -> None:
    training = Training()
    training.seed()
    training.resets.restarted()
    training.draw()
    assert not training.resets.needs_batches
    training.seed()
    assert not training.resets.needs_batches
    training.draw()
    assert training.resets.needs_batches
    training.resets.restarted()
    assert not training.resets.needs_batches


def test_no_batch_is_left_out_that_shows_a_generator_reset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silent, "when_imported", lambda *_: None)
    stream = Stream(str(tmp_path))
    ledger, watch = Ledger(stream), Watch(stream, None, pytest.fail, lambda: None)
    silent.SilentErrors(stream).watch(watch, ledger)
    assert not watch.needs_batch(object())
    ledger.note("seed", "random.seed", LINE, ((7,), {}))
    ledger.note("random numbers", "random.random", LINE, 0.5)
    assert watch.needs_batch(object())


def test_very_long_epochs_are_forgotten() -> None:
    training = Training()
    training.seed()
    training.draw()
    training.steps(*map(str, range(50_000)))
    for _ in range(4):
        at_each_epoch(training, None, ["a", "b"])
    assert {*training.found} == {LINE}
