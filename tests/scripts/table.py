"""The table: what each script is expected to show.

Synopsis:
    for case in chosen([]): case.name, case.kind, case.step, case.lines

A pair is `cases/NAME.py`, which has the fault, and `cases/NAME.patch`, which mends it. A script of
`clean/` stands alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Kind(Enum):
    """What a fault does to two runs, the earliest of it."""

    WEIGHTS = "other initial weights"
    DATA = "other data or another order"
    RATE = "another learning rate"
    SILENT = "a silent error"
    NONE = "none"


class Twin(Enum):
    """One of a pair: the script as it stands, or mended."""

    FAULTY = "faulty"
    CLEAN = "clean"


class Step(Enum):
    """Where the runs diverge, if not at a step that is known."""

    ANY = "any step"  # a race decides


@dataclass(frozen=True)
class Case:
    """One script: its fault, and what the answer must say of it.

    `step` counts the training steps of each model from 1; 0 is before them, where the initial
    values of its variables differ. `lines` are texts, each of which stands in one line of the
    faulty script: any of those lines is the right one. `error` is the silent error by its name in
    the report. `data` says what lies beside the script, `home` what lies in the home folder of the
    plain run. `twins` are those that run; a script without a fault has but a clean one.
    """

    name: str
    kind: Kind = Kind.NONE
    step: int | Step = 1
    lines: tuple[str, ...] = ()
    error: str = ""
    data: tuple[str, ...] = ()
    home: Mapping[str, str] = field(default_factory=dict[str, str])
    twins: frozenset[Twin] = frozenset(Twin)

    @property
    def script(self) -> Path:
        """The script as it stands in this folder."""
        return HERE / ("clean" if self.kind is Kind.NONE else "cases") / f"{self.name}.py"

    @property
    def patch(self) -> Path | None:
        """What mends it."""
        return None if self.kind is Kind.NONE else self.script.with_suffix(".patch")

    @property
    def expected(self) -> str:
        """In words, for the table that is printed."""
        at = self.step.value if isinstance(self.step, Step) else f"step {self.step}"
        return self.error or f"{self.kind.value}, {at}"


_DIGITS = ("digits.csv",)

PAIRS = (
    Case(
        "digits_without_a_seed",
        Kind.WEIGHTS,
        step=0,
        lines=("keras.Sequential(", "Conv2D("),
        data=_DIGITS,
    ),
    Case("seed_set_after_the_model", Kind.WEIGHTS, step=0, lines=("hidden = ", "outputs = ")),
    Case("vocabulary_of_a_set", Kind.DATA, lines=("vocabulary=list(vocabulary)",)),
    Case("classes_as_listed", Kind.DATA, lines=("classes = os.listdir(ROOT)",)),
    Case("split_by_hash", Kind.DATA, lines=("hash(name)",)),
    Case("noise_without_a_seed", Kind.DATA, lines=("default_rng()",)),
    Case("uuid_as_seed", Kind.DATA, lines=("uuid.uuid4()", ".seed(run.int")),
    Case(
        "augmentation_in_parallel",
        Kind.DATA,
        step=Step.ANY,
        lines=(".map(augment", "return turn(shift("),
        data=_DIGITS,
    ),
    Case(
        "workers_and_epoch_begin",
        Kind.DATA,
        step=Step.ANY,
        lines=("workers=4", "def on_epoch_begin(self)", "self.random.shuffle(self.order)"),
    ),
    Case(
        "sum_as_threads_finish",
        Kind.DATA,
        lines=("ThreadPoolExecutor(8)", "pool.submit(", "as_completed(jobs)"),
    ),
    Case("order_of_temporary_files", Kind.DATA, lines=("tempfile.mkstemp(",)),
    Case(
        "rate_by_elapsed_time",
        Kind.RATE,
        step=11,
        lines=("started = time.time()", "(time.time() - started)"),
    ),
    Case("parts_for_each_processor", Kind.DATA, lines=("os.sched_getaffinity(0)",), data=_DIGITS),
    Case("newest_file_first", Kind.DATA, lines=("key=os.path.getmtime",), data=("days",)),
    Case(
        "fingerprint_of_the_environment",
        Kind.WEIGHTS,
        step=0,
        lines=("dict(os.environ)",),
    ),
    Case("folds_without_a_random_state", Kind.DATA, lines=("KFold(3",)),
    Case("one_initialiser_without_a_seed", Kind.WEIGHTS, step=0, lines=("keras.layers.Dense(1)",)),
    Case(
        "settings_kept_at_home",
        Kind.WEIGHTS,
        step=0,
        lines=("Path.home()",),
        data=_DIGITS,
        home={".config/digits.json": '{"units": 40}\n'},
    ),
    Case("process_id_in_the_seed", Kind.WEIGHTS, step=0, lines=("os.getpid()",), data=_DIGITS),
    Case("stop_words_by_locale", Kind.WEIGHTS, step=0, lines=('os.environ.get("LANG")',)),
    Case(
        "seed_from_the_clock",
        Kind.DATA,
        lines=("started = datetime.now()", "int(started.timestamp()"),
    ),
    Case("folders_as_walked", Kind.DATA, lines=("os.walk(root)",)),
    Case("seed_option_left_out", Kind.DATA, lines=("default_rng(args.seed)",)),
    Case(
        "shuffle_without_a_seed",
        Kind.DATA,
        lines=(".shuffle(", "len(x),  # all of them"),
        data=_DIGITS,
    ),
    Case("rows_sampled_by_pandas", Kind.DATA, lines=("flats.sample(frac=1)",)),
    Case("hours_in_local_time", Kind.DATA, lines=("datetime.fromtimestamp(",)),
    Case(
        "dropout_without_a_seed",
        Kind.WEIGHTS,
        step=0,
        lines=("keras.layers.Dropout(0.4)",),
    ),
    Case(
        "split_by_system_random",
        Kind.DATA,
        lines=("chance = SystemRandom()", "chance.sample("),
        data=_DIGITS,
    ),
    Case(
        "one_order_in_every_epoch",
        Kind.SILENT,
        error="one order for every epoch",
        lines=("model.fit(train",),
    ),
    Case(
        "arrays_in_one_order",
        Kind.SILENT,
        error="one order for every epoch",
        lines=("model.fit(x, y",),
    ),
    Case(
        "noise_reset_in_each_batch",
        Kind.SILENT,
        error="generator reset in every epoch",
        lines=("default_rng(0)",),
    ),
    Case(
        "noise_that_repeats",
        Kind.SILENT,
        error="frozen noise",
        lines=("tf.random.normal(", ".map(noisy)"),
        data=_DIGITS,
    ),
    Case(
        "order_drawn_again",
        Kind.SILENT,
        error="generator reset in every epoch",
        lines=("default_rng(5)",),
        data=_DIGITS,
    ),
    Case(
        "determinism_not_enabled",
        Kind.SILENT,
        error="determinism asked for and off",
        lines=("enable_op_determinism(True)",),
    ),
    Case(
        "validation_among_training",
        Kind.SILENT,
        error="overlapping splits",
        lines=("digits.shuffle(", "digits.take(", "digits.skip(", "model.fit("),
        data=_DIGITS,
    ),
)

CLEAN = (
    Case("report_with_date"),
    Case("logging_to_a_dated_file"),
    Case("tensorboard_in_dated_folders"),
    Case("best_model_saved", data=_DIGITS),
    Case("figures_of_a_fit"),
    Case("pickled_history"),
    Case("results_in_sqlite"),
    Case("bars_of_tqdm"),
    Case("resumed_from_a_checkpoint"),
    Case("worker_threads_in_order", data=_DIGITS),
    Case("pipeline_cached_on_disk"),
    Case("stopped_early_with_a_log"),
    Case("vocabulary_that_is_sorted"),
    Case("generator_that_goes_on"),
    Case("two_heads_and_a_schedule"),
)

SIX = {
    "digits_without_a_seed": Twin.FAULTY,
    "noise_without_a_seed": Twin.FAULTY,
    "determinism_not_enabled": Twin.FAULTY,
    "seed_set_after_the_model": Twin.CLEAN,
    "report_with_date": Twin.CLEAN,
    "results_in_sqlite": Twin.CLEAN,
}
"""The scripts that CI runs, one twin of each: they need nothing but TensorFlow and Keras."""


def six() -> list[Case]:
    """Those scripts, each with that twin alone."""
    return [replace(case, twins=frozenset({SIX[case.name]})) for case in chosen([*SIX])]


def chosen(names: Sequence[str]) -> list[Case]:
    """The scripts of the table, all or those that are named.

    Raises:
        SystemExit: there is none of such a name.
    """
    known = {case.name: case for case in (*PAIRS, *CLEAN)}
    if odd := [name for name in names if name not in known]:
        raise SystemExit(f"Expected names of the table. Received {odd[0]}. Correct it.")
    return [known[name] for name in names or known]


def right_lines(case: Case) -> set[int]:
    """The numbers of the lines that are to blame in the faulty script.

    Raises:
        ValueError: one of the case's texts does not stand in exactly one line.
    """
    source = case.script.read_text("utf-8").splitlines()
    found: set[int] = set()
    for text in case.lines:
        numbers = [number for number, line in enumerate(source, 1) if text in line]
        if len(numbers) != 1:
            raise ValueError(f"Expected {text!r} in one line of {case.name}. Found {numbers}.")
        found.update(numbers)
    return found
