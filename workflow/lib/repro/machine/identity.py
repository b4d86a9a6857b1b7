"""Identity: a digest of what identifies this machine to the bits.

Synopsis:
    machine() == machine()      # on one machine; another digest where bits may differ

Cheap, and with nothing but the standard library: the Snakefile asks each time it is read, and
redoes a repeat whose machine is no longer this one.
"""

from __future__ import annotations

from repro.core.digest import sha256_value
from repro.machine import nvidia
from repro.machine.fact import known, lacking
from repro.machine.processor import computing, processor


def machine() -> str:
    """Which machine this is, to the bits: 64 hexadecimal digits.

    Processor (architecture, model, stepping, instruction sets, caches), NVIDIA's driver and the
    models of its GPUs. Not the host's name, the kernel, the microcode, the number of processors or
    how many of them share a cache: with another one of these it is still the same machine. Whether
    it still gives the same bits is for `repro.drift.environment_differences` to say, from the
    whole environment.
    """
    cpu = processor()
    facts = {key: cpu[key] for key in ("architecture", "model", "stepping", "caches")}
    flags = cpu["flags"]
    facts["instructions"] = flags if lacking(flags) else computing(flags)
    facts["driver"], facts["gpus"] = known(nvidia.driver), known(nvidia.models)
    return sha256_value(facts)
