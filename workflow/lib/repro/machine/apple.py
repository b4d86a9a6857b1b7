"""Apple: what macOS says of a processor of Apple's own, in the words that Linux has for it.

Synopsis:
    answers = asked()
    fields(answers)["model name"]       # 'Apple M1'
    caches(answers)                     # {"L1 data": "128K", …}

Linux has files for this, macOS the command `sysctl`. Not run on a Mac: the tests have what it
prints there.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping

_ASKED = ("hw", "machdep.cpu", "kern.osproductversion", "kern.osversion")
_SECONDS = 5
_KINDS = {"l1d": "L1 data", "l1i": "L1 instruction", "l2": "L2 unified", "l3": "L3 unified"}
_CACHE = re.compile(r"hw\.(?:perflevel(\d+)\.)?(l1d|l1i|l2|l3)cachesize")


def asked() -> dict[str, str]:
    """What `sysctl` prints of hardware, processor and version of the system: value by name.

    Raises:
        OSError: there is no such command.
        subprocess.SubprocessError: it fails, or gives no answer.
    """
    command = ["/usr/sbin/sysctl", *_ASKED]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)
    pairs = (line.partition(":") for line in done.stdout.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def fields(answers: Mapping[str, str]) -> dict[str, str]:
    """Name, family and features, by the names that /proc/cpuinfo has for them on ARM."""
    names = {"model name": "machdep.cpu.brand_string", "cpu family": "hw.cpufamily"}
    features = [n.removeprefix("hw.optional.") for n, v in answers.items()
                if n.startswith("hw.optional.") and v == "1"]  # fmt: skip
    identity = {name: answers[key] for name, key in names.items() if key in answers}
    return {**identity, "Features": " ".join(features)} if features else identity


def caches(answers: Mapping[str, str]) -> dict[str, str]:
    """Size of each cache by level and kind, as Linux writes it; of slower processors by level.

    Raises:
        OSError: the system does not tell.
    """
    sizes = {name: f"{int(size) // 1024}K" for name, size in _sizes(answers) if int(size)}
    if not sizes:
        raise OSError("the system lists no caches")
    return dict(sorted(sizes.items()))


def _sizes(answers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    matched = [
        (match[1], match[2], answers[name]) for name in answers if (match := _CACHE.fullmatch(name))
    ]
    # Without a level it is the slowest processors' size; virtual machines have no levels.
    levels = any(level for level, _, _ in matched)
    for level, kind, size in matched:
        if not levels:
            yield _KINDS[kind], size
        elif level:
            yield _KINDS[kind] + ("" if level == "0" else f", processors of level {level}"), size


def system(answers: Mapping[str, str]) -> str:
    """Version and build of macOS, to which its C library and BLAS belong.

    Raises:
        LookupError: it does not say.
    """
    return f"macOS {answers['kern.osproductversion']} ({answers['kern.osversion']})"
