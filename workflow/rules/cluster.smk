# What jobs ask of a cluster, and how a repeat keeps off the node of the original.
from repro.plan import cluster

memory = of_entry(lambda chosen: chosen.resources.memory)
minutes = of_entry(lambda chosen: chosen.resources.time)
partition = of_entry(lambda chosen: chosen.resources.partition or None)
# Only for steps in which TensorFlow computes.
gpu = of_entry(lambda chosen: chosen.resources.gpu or None)
gpu_model = of_entry(lambda chosen: chosen.resources.gpu_model or None)


def before(manifest):
    """A function of the wildcards: where a repeat asks for another node, what says which to avoid."""

    def of(wildcards):
        waits = entry(wildcards).elsewhere and wildcards.run != ORIGINAL
        file = manifest.format(**{**wildcards, "run": ORIGINAL})
        return ancient(file) if waits else []

    return of


def another_node(wildcards, input):
    """For the plug-in of Slurm: a repeat's job keeps off the node of the original's."""
    return asked(cluster.kept_off, entry(wildcards), input.get("before") or None)
