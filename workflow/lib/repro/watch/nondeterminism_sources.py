"""Nondeterminism sources: functions whose results may differ between two runs that should be equal.

Synopsis:
    watched = table()                  # what of the modules is loaded by now
    of(time.time, watched)[0].source   # "clock"

One table by public name. A function is looked up as what it is, not by its name, so every way to
import it is the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Number
from types import BuiltinMethodType, MethodType, ModuleType
from typing import Any

NotBound = (ModuleType, type, type(None))
Condition = Callable[[Sequence[Any], Mapping[str, Any]], bool]


@dataclass(frozen=True)
class WatchedCall:
    """A function, what it lets vary, and for which arguments it does so."""

    call: str
    source: str
    when: Condition
    ordered: bool = False
    """Whether it is only the order of its result that varies."""
    reads: bool = False
    """Whether it reads the file that its first argument names."""


def _always(_args: Sequence[Any], _named: Mapping[str, Any]) -> bool:
    return True


def _lacking(place: int, name: str) -> Condition:
    """That an argument is absent or None."""

    def lacking(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
        return (args[place] if len(args) > place else named.get(name)) is None

    return lacking


def _given(name: str, unless: Any) -> Condition:
    """That a named argument is given, and other than `unless`."""
    return lambda _args, named: named.get(name, unless) is not unless


def _is_false(name: str) -> Condition:
    return lambda _args, named: named.get(name) is False


def _not_false(name: str, place: int) -> Condition:
    def holds(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
        return (args[place] if len(args) > place else named.get(name, True)) is not False

    return holds


def salted(value: Any) -> bool:
    """Whether `hash(value)` may differ between processes: of text by its salt, else by address."""
    if isinstance(value, (tuple, frozenset)):
        return any(salted(part) for part in value)  # pyright: ignore[reportUnknownVariableType]
    return not isinstance(value, Number) and type(value).__name__ not in ("bool", "bool_")


def is_path(value: Any) -> bool:
    """Whether this may name a file."""
    return isinstance(value, (str, os.PathLike))


def _first_salted(args: Sequence[Any], _named: Mapping[str, Any]) -> bool:
    return any(salted(value) for value in args[:1])


def _relative(args: Sequence[Any], _named: Mapping[str, Any]) -> bool:
    path = args[0] if args else ""
    return is_path(path) and not os.path.isabs(path)  # noqa: PTH117


def _reading(place: int) -> Condition:
    """That the mode, the argument at this place, is one for reading."""

    def reading(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
        mode = args[place] if len(args) > place else named.get("mode", "r")
        return not isinstance(mode, str) or not set(mode) & set("wax")

    return reading


_PLAIN: Mapping[str, str] = {
    "system entropy": """
        os.urandom os.getrandom uuid.uuid1 uuid.uuid4 ssl.RAND_bytes random.SystemRandom
        secrets.token_bytes secrets.token_hex secrets.token_urlsafe secrets.choice
        secrets.randbelow secrets.randbits
        tensorflow.random.Generator.from_non_deterministic_state""",
    "clock": """
        time.time time.time_ns time.perf_counter time.perf_counter_ns time.monotonic
        time.monotonic_ns time.process_time time.process_time_ns time.thread_time
        time.clock_gettime time.clock_gettime_ns time.localtime time.gmtime time.strftime
        time.ctime time.asctime time.mktime
        datetime.datetime.now datetime.datetime.today datetime.datetime.utcnow
        datetime.datetime.fromtimestamp datetime.datetime.timestamp datetime.datetime.astimezone
        datetime.date.today datetime.date.fromtimestamp os.times tensorflow.timestamp""",
    "file times": "os.path.getmtime os.path.getctime os.path.getatime",
    "process id": "os.getpid os.getppid threading.get_ident threading.get_native_id",
    "processors": """
        os.cpu_count os.sched_getaffinity os.getloadavg multiprocessing.cpu_count""",
    "environment variable": "os.getenv getpass.getuser",
    "home": "os.path.expanduser pathlib.Path.home pathlib.Path.expanduser",
    "temporary folder": """
        tempfile.gettempdir tempfile.mkdtemp tempfile.mkstemp tempfile.mktemp
        tempfile.TemporaryDirectory tempfile.NamedTemporaryFile tempfile.TemporaryFile
        tempfile.SpooledTemporaryFile""",
    "working directory": "os.getcwd os.getcwdb pathlib.Path.cwd",
    "locale": """
        locale.getlocale locale.setlocale locale.getdefaultlocale locale.getpreferredencoding
        locale.localeconv locale.strcoll locale.strxfrm locale.nl_langinfo locale.str
        locale.format_string locale.currency locale.atof""",
    "threads": """
        threading.Thread.start threading.Timer _thread.start_new_thread
        concurrent.futures.ThreadPoolExecutor multiprocessing.pool.ThreadPool""",
    "unordered stream": """
        concurrent.futures.as_completed concurrent.futures.wait asyncio.as_completed
        concurrent.futures.Future.add_done_callback multiprocessing.pool.Pool.imap_unordered""",
    "processes": """
        concurrent.futures.ProcessPoolExecutor multiprocessing.Pool
        multiprocessing.pool.Pool multiprocessing.process.BaseProcess.start os.fork
        subprocess.Popen""",
    "another program": """
        os.system os.popen subprocess.run subprocess.call subprocess.check_call
        subprocess.check_output subprocess.getoutput subprocess.getstatusoutput""",
    "network": """
        socket.socket socket.create_connection socket.gethostname socket.getfqdn platform.node
        urllib.request.urlopen urllib.request.urlretrieve http.client.HTTPConnection
        http.client.HTTPSConnection requests.get requests.post keras.utils.get_file
        keras.datasets.mnist.load_data keras.datasets.fashion_mnist.load_data
        keras.datasets.cifar10.load_data keras.datasets.cifar100.load_data
        keras.datasets.imdb.load_data keras.datasets.reuters.load_data
        keras.datasets.boston_housing.load_data keras.datasets.california_housing.load_data""",
    "hash": "id",
}

_ORDERS = """
    os.listdir os.scandir os.walk os.fwalk glob.glob glob.iglob pathlib.Path.iterdir
    pathlib.Path.glob pathlib.Path.rglob tensorflow.io.gfile.listdir tensorflow.io.gfile.glob
    tensorflow.io.gfile.walk"""

_READS = """
    numpy.load numpy.loadtxt numpy.genfromtxt numpy.fromfile numpy.memmap pathlib.Path.read_text
    pathlib.Path.read_bytes tensorflow.io.read_file pandas.read_csv pandas.read_parquet
    pandas.read_json pandas.read_pickle keras.models.load_model keras.Model.load_weights"""

_IF: Sequence[tuple[str, str, Condition]] = (
    ("generator without a seed", "numpy.random.default_rng", _lacking(0, "seed")),
    ("generator without a seed", "numpy.random.RandomState", _lacking(0, "seed")),
    ("generator without a seed", "numpy.random.SeedSequence", _lacking(0, "entropy")),
    ("generator without a seed", "numpy.random.seed", _lacking(0, "seed")),
    ("generator without a seed", "numpy.random.PCG64", _lacking(0, "seed")),
    ("generator without a seed", "numpy.random.PCG64DXSM", _lacking(0, "seed")),
    ("generator without a seed", "numpy.random.MT19937", _lacking(0, "seed")),
    ("generator without a seed", "numpy.random.Philox", _lacking(0, "seed")),
    ("generator without a seed", "numpy.random.SFC64", _lacking(0, "seed")),
    ("generator without a seed", "random.Random", _lacking(0, "x")),
    ("generator without a seed", "random.seed", _lacking(0, "a")),
    ("unordered stream", "tensorflow.data.Dataset.shuffle", _lacking(1, "seed")),
    ("unordered stream", "tensorflow.data.Dataset.list_files", _not_false("shuffle", 1)),
    ("unordered stream", "tensorflow.data.Dataset.map", _is_false("deterministic")),
    ("unordered stream", "tensorflow.data.Dataset.interleave", _is_false("deterministic")),
    ("threads", "tensorflow.data.Dataset.map", _given("num_parallel_calls", None)),
    ("threads", "tensorflow.data.Dataset.interleave", _given("num_parallel_calls", None)),
    ("hash", "hash", _first_salted),
    ("working directory", "os.path.abspath", _relative),
    ("working directory", "os.path.realpath", _relative),
    ("working directory", "pathlib.Path.absolute", _relative),
    ("working directory", "pathlib.Path.resolve", _relative),
)


def key(function: Any) -> Any:
    """What a function is looked up by: of a bound method the function behind it."""
    if type(function) is MethodType:
        return function.__func__
    if type(function) is BuiltinMethodType and not isinstance(function.__self__, NotBound):
        return getattr(type(function.__self__), function.__name__, function)
    return function


def _resolved(name: str) -> Any:
    """The function of that public name, or None where its module is not loaded or lacks it."""
    if "." not in name:
        return getattr(sys.modules["builtins"], name)
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:count]))
        if module is not None:
            try:
                function = reduce(getattr, parts[count:], module)
            except AttributeError:
                return None
            # secrets.choice is random.choice, but of a generator of its own.
            return function if parts[0] == "secrets" else key(function)
    return None


def of(function: Any, watched: Mapping[Any, tuple[WatchedCall, ...]]) -> tuple[WatchedCall, ...]:
    """What the table says of a function; nothing for what cannot be looked up."""
    try:
        return watched.get(function) or watched.get(key(function), ())
    except TypeError:  # not hashable
        return ()


def every() -> list[WatchedCall]:
    """All that is watched."""
    calls = [WatchedCall(n, s, _always) for s, names in _PLAIN.items() for n in names.split()]
    calls += [WatchedCall(n, "listing order", _always, ordered=True) for n in _ORDERS.split()]
    calls += [WatchedCall(name, source, when) for source, name, when in _IF]
    outside = "file outside the inputs"
    calls += [WatchedCall(n, outside, _always, reads=True) for n in _READS.split()]
    opening = {"open": 1, "pathlib.Path.open": 0, "tensorflow.io.gfile.GFile": 1}
    return calls + [WatchedCall(n, outside, _reading(p), reads=True) for n, p in opening.items()]


def modules() -> frozenset[str]:
    """The top-level modules that the table names; it grows as they are loaded."""
    return frozenset(source.call.split(".")[0] for source in every() if "." in source.call)


def table() -> dict[Any, tuple[WatchedCall, ...]]:
    """What is watched, by `key`; only what of the modules is loaded by now.

    One function may let several things vary, depending on its arguments.
    """
    watched: dict[Any, tuple[WatchedCall, ...]] = {}
    for source in every():
        function = _resolved(source.call)
        if function is not None:
            watched[function] = (*watched.get(function, ()), source)
    return watched
