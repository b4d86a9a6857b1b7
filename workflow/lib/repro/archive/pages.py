"""Pages: what a stranger reads in an archive first, made from its other files alone.

Synopsis:
    guide(inside), citation(inside)
"""

from __future__ import annotations

from repro.archive import actions
from repro.archive.contents import INDEX, METADATA, SUMS, Inside
from repro.archive.zip_reader import shown
from repro.core import layout
from repro.core.canonical_json import canonical

_GUIDE = """\
This is the experiment {experiment}, from raw data to verdict, with all that made it.

What came out, in the verdict's own words:
    {sentence}

To check it by hand, with nothing but unzip and sha256sum:
    unzip -d FOLDER THIS-FILE.crate.zip
    cd FOLDER && sha256sum --check --strict --quiet {sums}
No output means that every file is as it was when the archive was made. The sums are in the archive
themselves, so whoever changes a file can adapt them: compare the one of {sums} itself, by
    sha256sum {sums}
with the one that was published with the archive. Every byte of the archive follows from it.

To check it byte by byte, with Python 3.11 and a copy of the workflow that you trust:
    ./run rerun THIS-FILE.crate.zip --check-only
This also refuses what unzip lets pass, follows every digest from the verdict back to the raw data,
and holds {metadata} and this page against what they must say. It runs and unpacks
nothing. No manifest speaks of README.md, LICENSE, CITATION.cff, config/README.md, profiles/,
bootstrap/ and run: of these the sums alone tell.

To run it again, with the same copy (it asks before anything of the archive is run):
    ./run rerun THIS-FILE.crate.zip

{packages}
{left_out}
What is where:
    {index:<26}the archive's format, for programs
    {metadata:<26}what is in it and how it came about (RO-Crate, Provenance Run Crate)
{page}    results/{experiment}/verdict.md    the verdict, and why
    results/                  results, and the manifest of each: made by what, from what
    config/config.yaml        the configuration, with every default written out
    Snakefile, workflow/      the workflow, with the sources of the programs in results/
    conda-lock.yml            every package of the environments, with its sha256
    run, bootstrap/           start on a bare machine, with pinned tools
"""
_PAGE = """\
    results/{experiment}/report.html   verdict and results, to look at
"""
_WITH = """\
All packages of the environment and of the host's tools are in packages/."""
_WITHOUT = """\
The packages are not in this archive. conda-lock.yml and bootstrap/ name each with its sha256."""
_CITATION = """\
cff-version: 1.2.0
message: If you use this archive, please cite its title, its date and the sha256 of SHA256SUMS.
type: dataset
title: {title}
abstract: {abstract}
authors:
  - name: {author}
date-released: "{date}"
"""


def guide(inside: Inside) -> str:
    """How to check an archive, which was found to be in order, by hand, and how to run it again."""
    experiment = inside.experiment
    lines = [
        f"Not in this archive, because too large: {shown(source.path)}\n"
        f"    sha256 {source.sha256}\n"
        f"    {shown(source.address or 'No address was given.')}\n"
        "    Put it at that path; `rerun` finds it by --data FOLDER, at that path from there.\n"
        for source in experiment.sources
        if source.path in inside.index.left_out
    ]
    experiment_name = inside.index.experiment
    page = f"results/{layout.path('report', 'report.html', {'experiment': experiment_name})}"
    return _GUIDE.format(
        experiment=experiment_name,
        sentence=shown(actions.sentence(inside)),
        sums=SUMS,
        metadata=METADATA,
        index=INDEX,
        packages=_WITH if inside.index.packages else _WITHOUT,
        left_out="".join(lines),
        page=_PAGE.format(experiment=experiment_name) if page in inside.kept else "",
    )


def citation(inside: Inside) -> str:
    """How to cite an archive whose project does not say it; the text names no person.

    In the Citation File Format (`CITATION.cff`, https://citation-file-format.github.io).
    """
    name = inside.index.experiment
    return _CITATION.format(
        # JSON text is YAML text.
        title=canonical(f"The experiment {name}, from raw data to verdict"),
        abstract=canonical(actions.sentence(inside)),
        author=canonical(f"The authors of the experiment {name}"),
        date=actions.times(inside)[1][:10],
    )
