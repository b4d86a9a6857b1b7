"""Processor: which one this is, and what of it can reach the bits, as the system tells it.

Synopsis:
    processor()["model"]
    computing(processor()["flags"])      # the instruction sets, without what computes nothing

Only the standard library is used: the Snakefile asks too, each time it is read.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")

# What Linux lists among the flags though no program computes with it: mitigations, power,
# monitoring and virtualisation. Another kernel, or another host below a virtual machine, lists
# others for the same processor. Whatever is not named here counts as an instruction set.
# Source: arch/x86/include/asm/cpufeatures.h of Linux.
_IDLE = """
    acpi amd_dcm amd_lbr_pmc_freeze amd_lbr_v2 amd_ppin aperfmperf apic arat arch_capabilities
    arch_lbr arch_perfmon avic bhi_ctrl bts bus_lock_detect cat_l2 cat_l3 cdp_l2 cdp_l3 cmp_legacy
    constant_tsc cpb cppc cpuid cpuid_fault cqm cqm_llc cqm_mbm_local cqm_mbm_total cqm_occup_llc
    cr8_legacy dca debug_swap decodeassists ds_cpl dtes64 dtherm dts epb ept ept_ad est extapic
    extd_apicid flexpriority flush_l1d flushbyasid hfi hw_pstate hwp hwp_act_window hwp_epp
    hwp_notify hwp_pkg_req hypervisor ibpb ibpb_exit_to_user ibrs ibrs_enhanced ibs ida intel_ppin
    intel_pt invpcid_single irperf la57 lass lbrv mba md_clear monitor mwaitx nonstop_tsc npt
    nrip_save ospke overflow_recov pausefilter pbe pdcm pebs perfctr_core perfctr_llc perfctr_nb
    perfmon_v2 pfthreshold pku pln proc_feedback pti ptsc pts rapl rdt_a rep_good retpoline
    retpoline_amd rrsba_ctrl rsb_ctxsw sev sev_es sev_snp sgx sgx_lc skinit smca sme smx
    split_lock_detect ss ssbd stibp succor svm svm_lock tdx_guest tdx_host_platform tm tm2 tme
    tpr_shadow tsc_adjust tsc_deadline_timer tsc_known_freq tsc_reliable tsc_scale user_shstk
    v_spec_ctrl v_vmsave_vmload vgif virt_ssbd vmcb_clean vmmcall vmx vnmi vpid x2apic x2avic
    xtopology xtpr
"""
IDLE = frozenset(_IDLE.split())


def unknown(reason: str) -> dict[str, str]:
    """The value of something that could not be learnt, and why.

    Args:
        reason: a few words.

    Example:
        >>> unknown("not told by the system")
        {'unknown': 'not told by the system'}
    """
    return {"unknown": reason}


def known(probe: Callable[[], Any]) -> Any:
    """What a probe finds, or that it is unknown, with the error as the reason.

    Args:
        probe: what looks; an error of the system or of the format counts as not found.

    Example:
        >>> known(lambda: int("x"))["unknown"][:10]
        'ValueError'
    """
    try:
        return probe()
    except (OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
        return unknown(f"{type(error).__name__}: {error}")


def computing(flags: Iterable[str]) -> list[str]:
    """The flags that stand for instructions, sorted.

    Args:
        flags: as the system lists them.

    Returns:
        Those that are not known to compute nothing.

    Example:
        >>> computing(["avx2", "hypervisor", "fma"])
        ['avx2', 'fma']
    """
    return sorted(set(flags) - IDLE)


def fields() -> dict[str, str]:
    """What the system says of the first processor, by the system's own names.

    Raises:
        OSError: it says nothing.
        subprocess.SubprocessError: it was asked and gave no answer.

    Example:
        >>> fields()["stepping"]
        '1'
    """
    if sys.platform == "darwin":
        asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=5)
        return {"model name": done.stdout.strip()}
    block = CPUINFO.read_text("utf-8", "replace").split("\n\n")[0]
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def caches() -> dict[str, str]:
    """Size of each cache of the first processor, and how many processors share it.

    Eigen and oneDNN cut products into blocks by these sizes, so the order of sums follows them.

    Returns:
        By level and kind.

    Raises:
        OSError: the system does not tell.

    Example:
        >>> caches()["L1 data"]
        '32K, for 1 processor(s)'
    """
    found: dict[str, str] = {}
    for folder in sorted(CACHES.glob("index*")):
        level, kind, size, shared = (
            (folder / name).read_text("ascii").strip()
            for name in ("level", "type", "size", "shared_cpu_map")
        )
        count = int(shared.replace(",", ""), 16).bit_count()
        found[f"L{level} {kind.lower()}"] = f"{size}, for {count} processor(s)"
    if not found:
        raise OSError("the system lists no caches")
    return found


def processor() -> dict[str, Any]:
    """Architecture, model, stepping, microcode, flags, caches and number of the processors.

    Returns:
        Plain JSON values; `{"unknown": reason}` where the system does not tell.

    Example:
        >>> sorted(processor())[:3]
        ['architecture', 'available', 'caches']
    """
    found = known(fields)
    unread = "unknown" in found
    told: dict[str, str] = {} if unread else found
    lacking = found if unread else unknown("not told by the system")
    flags = told.get("flags") or told.get("Features")
    available = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return {
        "architecture": platform.machine(),
        "model": _model(told) or lacking,
        "stepping": told.get("stepping") or told.get("CPU revision") or lacking,
        "microcode": told.get("microcode") or lacking,
        "flags": sorted(flags.split()) if flags else lacking,
        "caches": known(caches),
        "count": os.cpu_count(),
        "available": len(available) if available else unknown("not told by the system"),
    }


def _model(told: dict[str, str]) -> str | None:
    if name := told.get("model name"):
        # Hypervisors often give one name to several generations: family and model tell them apart.
        numbers = [f"{key} {told[key]}" for key in ("cpu family", "model") if key in told]
        return f"{name} ({', '.join(numbers)})" if numbers else name
    # Linux on ARM tells no name, but who made which part.
    parts = [f"{k} {told[k]}" for k in ("CPU implementer", "CPU variant", "CPU part") if k in told]
    return ", ".join(parts) or None
