"""Nondeterminism sources: functions whose results may differ between two runs that should be equal.

Synopsis:
    watched = table()                  # what of the modules is loaded by now
    of(time.time, watched)[0].source   # "clock"

One table by public name. A function is looked up as what it is, not by its name, so every way to
import it is the same.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from types import BuiltinMethodType, MethodType, ModuleType
from typing import Any

from repro.watch.call_conditions import (
    KERAS_PROCESSES,
    KERAS_THREADS,
    Condition,
    absolute,
    absolute_object,
    always,
    counts_processors,
    draws_order,
    first_salted,
    given,
    is_false,
    lacking,
    reading,
    relative,
    workers,
)

NotBound = (ModuleType, type, type(None))


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
        os.cpu_count os.process_cpu_count os.sched_getaffinity os.getloadavg
        multiprocessing.cpu_count psutil.cpu_count joblib.cpu_count""",
    "file rights": "os.umask os.access",
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
    ("generator without a seed", "numpy.random.default_rng", lacking(0, "seed")),
    ("generator without a seed", "numpy.random.RandomState", lacking(0, "seed")),
    ("generator without a seed", "numpy.random.SeedSequence", lacking(0, "entropy")),
    ("generator without a seed", "numpy.random.seed", lacking(0, "seed")),
    ("generator without a seed", "numpy.random.PCG64", lacking(0, "seed")),
    ("generator without a seed", "numpy.random.PCG64DXSM", lacking(0, "seed")),
    ("generator without a seed", "numpy.random.MT19937", lacking(0, "seed")),
    ("generator without a seed", "numpy.random.Philox", lacking(0, "seed")),
    ("generator without a seed", "numpy.random.SFC64", lacking(0, "seed")),
    ("generator without a seed", "random.Random", lacking(0, "x")),
    ("generator without a seed", "random.seed", lacking(0, "a")),
    ("generator without a seed", "tensorflow.data.Dataset.shuffle", lacking(1, "seed")),
    ("generator without a seed", "tensorflow.data.Dataset.list_files", draws_order),
    ("unordered stream", "tensorflow.data.Dataset.map", is_false("deterministic")),
    ("unordered stream", "tensorflow.data.Dataset.interleave", is_false("deterministic")),
    ("threads", "tensorflow.data.Dataset.map", given("num_parallel_calls", None)),
    ("threads", "tensorflow.data.Dataset.interleave", given("num_parallel_calls", None)),
    (KERAS_THREADS, "keras.utils.PyDataset.__init__", workers(KERAS_THREADS)),
    (KERAS_PROCESSES, "keras.utils.PyDataset.__init__", workers(KERAS_PROCESSES)),
    ("processors", "os.sysconf", counts_processors),
    ("place of a file", "str", absolute_object),
    ("place of a file", "os.fspath", absolute_object),
    ("place of a file", "os.path.dirname", absolute),
    ("place of a file", "os.path.split", absolute),
    ("hash", "hash", first_salted),
    ("working directory", "os.path.abspath", relative),
    ("working directory", "os.path.realpath", relative),
    ("working directory", "pathlib.Path.absolute", relative),
    ("working directory", "pathlib.Path.resolve", relative),
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
    """What the table says of a function; nothing for what cannot be looked up.

    A class that has none of its own is made by the `__init__` that it inherits.
    """
    try:
        known = watched.get(function) or watched.get(key(function), ())
        made = isinstance(function, type) and not known
        return watched.get(function.__init__, ()) if made else known
    except TypeError:  # not hashable
        return ()


def every() -> list[WatchedCall]:
    """All that is watched."""
    calls = [WatchedCall(n, s, always) for s, names in _PLAIN.items() for n in names.split()]
    calls += [WatchedCall(n, "listing order", always, ordered=True) for n in _ORDERS.split()]
    calls += [WatchedCall(name, source, when) for source, name, when in _IF]
    outside = "file outside the inputs"
    calls += [WatchedCall(n, outside, always, reads=True) for n in _READS.split()]
    opening = {"open": 1, "pathlib.Path.open": 0, "tensorflow.io.gfile.GFile": 1}
    return calls + [WatchedCall(n, outside, reading(p), reads=True) for n, p in opening.items()]


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
            told = replace(source, call=source.call.removesuffix(".__init__"))
            watched[function] = (*watched.get(function, ()), told)
    return watched
