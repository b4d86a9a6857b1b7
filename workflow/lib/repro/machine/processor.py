"""Processor: which one this is, and what of it can reach the bits, as the system tells it.

Synopsis:
    processor()["model"]
    computing(processor()["flags"])      # the instruction sets, without what computes nothing

Only the standard library is used: the Snakefile asks too, each time it is read.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from repro.machine import apple
from repro.machine.fact import NotApplicable, inapplicable, known, lacking, unknown

CPUINFO = Path("/proc/cpuinfo")
PROCESSORS = Path("/sys/devices/system/cpu")

# What KVM and Hyper-V show a guest in place of the microcode, so that it is no fact of the
# processor. Source: arch/x86/kvm/vmx/vmx.c and svm/svm.c of Linux; 0xffffffff is Hyper-V's.
_STAND_INS = ("0x1", "0x1000065", "0xffffffff")

# What Linux lists among the flags though no program computes with it: mitigations, memory, power,
# monitoring, virtualisation, and what goes with the number of processors (ht, mp, topoext, up).
# Another kernel, or another host below a virtual machine, lists others for the same processor.
# Whatever is not named here counts as an instruction set.
# Sources: arch/x86/include/asm/cpufeatures.h and arch/arm64/kernel/cpuinfo.c of Linux.
_IDLE = """
    acc_power acpi amd_dcm amd_lbr_pmc_freeze amd_lbr_v2 amd_ppin aperfmperf apic arat
    arch_capabilities arch_lbr arch_perfmon art avic bhi_ctrl bpext bts bus_lock_detect cat_l2
    cat_l3 cdp_l2 cdp_l3 cid cmp_legacy constant_tsc cpb cppc cpuid cpuid_fault cqm cqm_llc
    cqm_mbm_local cqm_mbm_total cqm_occup_llc cr8_legacy dca de debug_swap decodeassists ds_cpl
    dtes64 dtherm dts epb ept ept_ad est extapic extd_apicid flexpriority flush_l1d flushbyasid
    hfi hle ht hw_pstate hwp hwp_act_window hwp_epp hwp_notify hwp_pkg_req hypervisor ibpb
    ibpb_exit_to_user ibrs ibrs_enhanced ibs ibt ida intel_ppin intel_pt invpcid invpcid_single
    irperf la57 lass lbrv lwp mba mca mce md_clear monitor mp mpx msr mtrr mwaitx nodeid_msr
    nonstop_tsc nonstop_tsc_s3 npt nrip_save nx ospke osvw overflow_recov pae pat pausefilter
    pbe pcid pconfig pdcm pdpe1gb pebs perfctr_core perfctr_llc perfctr_nb perfmon_v2
    pfthreshold pge pku pln proc_feedback pse pse36 pti pts ptsc rapl rdt_a rep_good retpoline
    retpoline_amd ring3mwait rrsba_ctrl rsb_ctxsw rtm sep sev sev_es sev_snp sgx sgx_lc skinit
    smap smca sme smep smx split_lock_detect ss ssbd stibp succor svm svm_lock syscall tce
    tdx_guest tdx_host_platform tm tm2 tme topoext tpr_shadow tsc_adjust tsc_deadline_timer
    tsc_known_freq tsc_reliable tsc_scale umip up user_shstk v_spec_ctrl v_vmsave_vmload vgif
    virt_ssbd vmcb_clean vme vmmcall vmx vnmi vpid wdt x2apic x2avic xenpv xsaves xtopology xtpr
"""
_IDLE_ON_ARM = "bti dgh ecv evtstrm gcs mte mte3 paca pacg poe sb ssbs wfxt"
IDLE = frozenset([*_IDLE.split(), *_IDLE_ON_ARM.split()])


def computing(flags: Iterable[str]) -> list[str]:
    """The flags, as the system lists them, without those that are known to compute nothing."""
    return sorted(set(flags) - IDLE)


def fields() -> dict[str, str]:
    """What the system says of the first processor, by the system's own names.

    Raises:
        OSError: it says nothing.
        subprocess.SubprocessError: it was asked and gave no answer.
    """
    if sys.platform == "darwin":
        return apple.fields(apple.asked())
    block = CPUINFO.read_text("utf-8", "replace").split("\n\n")[0]
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def caches() -> dict[str, str]:
    """Size, by level and kind, of each cache of the first processor that is switched on.

    Eigen and oneDNN cut products into blocks by these sizes, so the order of sums follows them.

    Raises:
        OSError: the system does not tell.
        NotApplicable: nothing tells it to anybody.
    """
    if sys.platform == "darwin":
        return apple.caches(apple.asked())
    try:
        return {name: (folder / "size").read_text("ascii").strip() for name, folder in _caches()}
    except FileNotFoundError as error:
        # A program cannot ask a processor of the ARM family, and Linux knows what firmware lists.
        if _arm() and PROCESSORS.is_dir():
            raise NotApplicable(
                "the firmware lists no sizes of caches, so none can know them"
            ) from error
        raise


def sharing() -> dict[str, int]:
    """How many processors share each cache, by level and kind.

    It goes with their number, and decides nothing.

    Raises:
        OSError: the system does not tell.
        NotApplicable: nothing tells it to anybody.
    """
    if sys.platform == "darwin":
        raise NotApplicable("a Mac has as many processors as it is sold with")
    maps = {name: (folder / "shared_cpu_map").read_text("ascii") for name, folder in _caches()}
    return {name: int(text.replace(",", ""), 16).bit_count() for name, text in maps.items()}


def _caches() -> Iterator[tuple[str, Path]]:
    """Level and kind of each cache, and the folder in which Linux tells of it."""
    # One that is switched off has none, whatever its number.
    folders = sorted(PROCESSORS.glob("cpu[0-9]*/cache"), key=lambda f: int(f.parent.name[3:]))
    entries = sorted(folders[0].glob("index*")) if folders else []
    if not entries:
        raise FileNotFoundError("the system lists no caches")
    for folder in entries:
        level, kind = ((folder / name).read_text("ascii").strip() for name in ("level", "type"))
        yield f"L{level} {kind.lower()}", folder


def processor() -> Mapping[str, Any]:
    """Architecture, model, stepping, microcode, flags, caches and number of the processors.

    Plain JSON values; where there is none the reason, as `repro.machine.fact` has it.
    """
    answer = known(fields)
    cpuinfo: dict[str, str] = {} if (unread := lacking(answer)) else answer
    untold = unknown(unread or "not told by the system")
    flags = cpuinfo.get("flags") or cpuinfo.get("Features")
    return {
        "architecture": platform.machine(),
        "model": _model(cpuinfo) or untold,
        "stepping": _stepping(cpuinfo) or untold,
        "microcode": microcode(cpuinfo.get("microcode"), (flags or "").split()) or untold,
        "flags": sorted(flags.split()) if flags else untold,
        "caches": known(caches),
        "cache sharing": known(sharing),
        "count": os.cpu_count(),
        "available": known(_available),
    }


def microcode(revision: str | None, flags: Iterable[str]) -> str | dict[str, str] | None:
    """The microcode, if what the system says is that.

    Else why it is not applicable; None where the system should have told.
    """
    if revision in _STAND_INS and "hypervisor" in flags:
        return inapplicable("the hypervisor hides it, and shows a number of its own in its place")
    if revision is None and _arm():
        return inapplicable("a processor of the ARM family has none that a system tells")
    return revision


def _arm() -> bool:
    return platform.machine() in ("aarch64", "arm64")


def _stepping(cpuinfo: Mapping[str, str]) -> str | dict[str, str] | None:
    if cpuinfo and sys.platform == "darwin":
        return inapplicable("Apple tells none: each chip has a name of its own")
    return cpuinfo.get("stepping") or cpuinfo.get("CPU revision")


def _available() -> int:
    if sys.platform == "darwin":
        raise NotApplicable("macOS binds no process to some of the processors")
    return len(os.sched_getaffinity(0))


def _model(cpuinfo: Mapping[str, str]) -> str | None:
    if name := cpuinfo.get("model name"):
        # Hypervisors often give one name to several generations: family and model tell them apart.
        numbers = [f"{key} {cpuinfo[key]}" for key in ("cpu family", "model") if key in cpuinfo]
        return f"{name} ({', '.join(numbers)})" if numbers else name
    # Linux on ARM tells no name, but who made which part.
    parts = [
        f"{k} {cpuinfo[k]}" for k in ("CPU implementer", "CPU variant", "CPU part") if k in cpuinfo
    ]
    return ", ".join(parts) or None
