"""Effects: what a difference between two environments may do to results, and why.

Synopsis:
    effect("cpu/stepping")        # ('bits may change', 'steppings of one model …')

One table. A path is the way to a value in the `environment` of a manifest, its keys joined by
`/`. What stands in no row may change bits: only what is known to be irrelevant is called so.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

METRICS, BITS, IRRELEVANT = "metrics may change", "bits may change", "irrelevant"
EFFECTS = (METRICS, BITS, IRRELEVANT)
"""Worst first. Metrics may change: results may differ by more than rounding does."""

UNLISTED = "what it does is not known here, so it is not called irrelevant"

# Packages that compute what a result consists of, or draw its random numbers.
_COMPUTING = ("scipy", "pandas", "scikit-learn", "jax", "jaxlib", "torch", "ml-dtypes")

_ELSEWHERE = "every value that it stands for is compared by itself"

_TABLE: tuple[tuple[tuple[str, ...], str, str], ...] = (
    # How a value was learnt is not the value.
    (("bits/*/by",), IRRELEVANT, "it says how a value was learnt, not what it is"),
    # Versions: other algorithms, other defaults.
    (("packages/tensorflow", "locked/*/tensorflow/version"), METRICS,
        "versions of TensorFlow differ in algorithms and in the numbers that they draw from one "
        "seed (TensorFlow's guide to random numbers promises them within a version only)"),
    (("packages/keras", "locked/*/keras/version"), METRICS,
        "versions of Keras differ in defaults, initialisers and training loops"),
    (("packages/numpy", "locked/*/numpy/version"), METRICS,
        "versions of NumPy may draw other random numbers from one seed (NumPy's policy, NEP 19) "
        "and sum in another order"),
    (tuple(f"locked/*/{name}/version" for name in _COMPUTING), METRICS,
        "it computes what results consist of, and its versions may do so in other ways"),
    (("python/version", "python/implementation", "locked/*/python/version"), METRICS,
        "versions of Python may shuffle and sample otherwise from one seed (its documentation "
        "promises only `random()` itself)"),
    (("python/build",), BITS,
        "it was compiled otherwise, and calls the compiler's arithmetic"),
    (("locked/*/version",), BITS,
        "another version of a package; what it does to the bits is not known"),
    (("locked/*/sha256", "locked/*/build"), BITS,
        "the same version built otherwise: a compiler may take other instructions, and other "
        "instructions round otherwise"),
    (("locked/*",), BITS,
        "a package is there on one side only"),
    (("installed/lock",), IRRELEVANT, f"of the lock, {_ELSEWHERE}: the packages' digests"),
    (("installed/environment",), IRRELEVANT, "a name; the packages are compared by their digests"),
    (("installed/channel",), BITS,
        "Python and its libraries come from another place, compiled otherwise"),
    (("installed/platform", "system/name", "cpu/architecture"), METRICS,
        "another platform has other builds of every library, and other algorithms in them (no "
        "oneDNN on a Mac, say)"),
    # The processor.
    (("cpu/model", "cpu/stepping"), BITS,
        "libraries choose their kernels by the processor, and each adds in an order of its own; "
        "TensorFlow promises the same bits on the same hardware only (measured: other bits of a "
        "convolution with AVX2 than with AVX-512)"),
    (("cpu/microcode",), BITS,
        "an update mends instructions, or switches sets of them off"),
    (("cpu/flags: idle",), IRRELEVANT,
        "no instruction that computes: mitigations, power, monitoring or virtualisation, of which "
        "each kernel and each host lists others"),
    (("cpu/flags*", "bits/instruction sets*", "bits/caps*"), BITS,
        "with other instructions other kernels run (measured: other bits with oneDNN at AVX2 than "
        "at AVX-512; a fused multiply and add rounds once, not twice)"),
    (("cpu/caches*",), BITS,
        "Eigen and oneDNN cut products into blocks by the size of the caches, and add in the order "
        "of the blocks"),
    # ASSUME: no bit depends on it. oneDNN divides a shared cache by it where it plans blocks for
    # much data (batch normalisation, say); a change of a bit was not seen, and not measured.
    (("cpu/cache sharing*",), IRRELEVANT,
        "it goes with the number of processors, as a virtual machine is given more or fewer; sizes "
        "are compared by themselves"),
    (("cpu/count", "cpu/available"), IRRELEVANT,
        "threads are part of the recipe, not of the machine (measured: the same bits on one "
        "processor and on two, with the threads set), and the repeat varies the processors"),
    # Arithmetic, as measured in the process.
    (("bits/arithmetic of *",), BITS,
        "measured: fixed numbers give other bits here"),
    (("bits/floating point*",), BITS,
        "rounding and the smallest numbers are treated otherwise"),
    (("bits/threads*",), BITS,
        "sums are cut into as many parts as there are threads (measured: weights of a CNN 8e-3 to "
        "2e-2 apart after 3 epochs)"),
    (("bits/op determinism*", "variables/TF_DETERMINISTIC_OPS",
         "variables/TF_CUDNN_DETERMINISTIC"), BITS,
        "without deterministic operations the order of sums is left to chance, and with them other "
        "kernels run (measured: other bits with it on than off)"),
    (("bits/oneDNN*", "variables/TF_ENABLE_ONEDNN_OPTS"), BITS,
        "oneDNN's kernels add in another order than Eigen's (measured: other bits with it on than "
        "off; TensorFlow says so too)"),
    (("bits/XLA*", "variables/XLA_FLAGS", "variables/TF_XLA_FLAGS"), BITS,
        "XLA fuses operations, which then round at other places (measured: other bits with it on "
        "than off)"),
    (("bits/TF32*", "variables/NVIDIA_TF32_OVERRIDE"), METRICS,
        "TF32 keeps 10 bits of each factor's fraction where float32 keeps 23"),
    (("bits/Keras*", "variables/KERAS_BACKEND", "variables/TF_USE_LEGACY_KERAS"), METRICS,
        "another backend, float type, policy or image layout is another computation"),
    (("bits/BLAS*", "variables/OPENBLAS_*", "variables/MKL_*", "variables/VECLIB_*"), BITS,
        "BLAS, as NumPy calls it, adds in an order that depends on its build, its core and its "
        "threads (measured: other bits of a product with its core for Haswell than for SkylakeX)"),
    (("bits/memory allocator*", "variables/LD_PRELOAD"), BITS,
        "what is loaded first may replace functions, and memory at other addresses is summed from "
        "another element on"),
    # GPU.
    (("gpu*", "bits/GPU*"), BITS,
        "kernels are chosen by the GPU, its compute capability and its firmware"),
    (("cuda/driver*", "bits/driver*", "bits/CUDA of the driver*"), BITS,
        "the driver compiles kernels for the GPU, and libcuda is a part of it"),
    (("cuda*", "bits/CUDA runtime*", "bits/cuDNN*", "variables/CUBLAS_*", "variables/CUDNN_*"),
        BITS,
        "other versions of CUDA's libraries choose other algorithms; NVIDIA promises the same bits "
        "within a version and on one kind of GPU only (cuDNN's and cuBLAS' guides, "
        "`Reproducibility`)"),
    # The system.
    (("loaded/host/libm.*", "loaded/host/libc.*", "loaded/host/ld-*", "system/libc"), BITS,
        "exp, log, pow and the like come from the system's C library, whose versions round the "
        "last bit otherwise (glibc 2.28 has new ones, by its release notes)"),
    (("loaded/host/libstdc++*", "loaded/host/libgcc*"), BITS,
        "sorting and random distributions of C++ come from it"),
    (("loaded/host: extra",), IRRELEVANT,
        "the process that made the result did not load it"),
    (("loaded/host*",), BITS, "a library outside the lock, with other bytes"),
    (("loaded/packages",), IRRELEVANT,
        "what a step loads depends on its code; each package is compared by its digest"),
    (("locked: not loaded", "bits: not loaded"), IRRELEVANT,
        "the step that made the result did not load it"),
    (("system/kernel",), IRRELEVANT,
        "the kernel computes nothing for a program; which instructions it allows shows in the "
        "flags"),
    (("system/distribution",), IRRELEVANT,
        "a name; what was loaded of it is compared by its digest"),
    # Variables.
    (("variables/TZ", "variables/LC_ALL", "variables/LANG", "variables/PYTHONHASHSEED",
         "variables/REPRO_FACTORS", "variables/PYTHONUTF8"), IRRELEVANT,
        "the repeat varies it on purpose, and a result that depends on it is found so (measured: "
        "hash seed, locale and time zone changed no bit)"),
    (("variables/TF_CPP_*", "variables/PYTHONDONTWRITEBYTECODE", "variables/PYTHONNOUSERSITE",
         "variables/PYTHONSAFEPATH", "variables/KERAS_HOME", "variables/LD_LIBRARY_PATH"),
        IRRELEVANT,
        "it says what to report, or where to look for files; what was loaded is compared by its "
        "digest"),
    (("variables/CUDA_VISIBLE_DEVICES", "variables/NVIDIA_VISIBLE_DEVICES",
         "variables/NVIDIA_DRIVER_CAPABILITIES"), IRRELEVANT,
        "it chooses GPUs, and those that were used are compared by themselves"),
    (("variables/OMP_*",), BITS,
        "libraries with OpenMP cut their sums into as many parts as there are threads"),
    (("variables/ONEDNN_*", "variables/DNNL_*", "variables/NPY_*", "variables/GLIBC_TUNABLES",
         "variables/TENSORFLOW_USE_*"), BITS,
        "it caps the instructions that a library may use (measured: other bits with oneDNN at AVX2 "
        "than at AVX-512)"),
)  # fmt: skip


def effect(path: str) -> tuple[str, str]:
    """The effect, one of `EFFECTS`, that a difference at a path may have, and why.

    Keys are joined by `/`; a few that end in `: reason` come from
    `repro.drift.environment_differences`.
    """
    for patterns, kind, why in _TABLE:
        if any(fnmatchcase(path, pattern) for pattern in patterns):
            return kind, why
    return BITS, UNLISTED
