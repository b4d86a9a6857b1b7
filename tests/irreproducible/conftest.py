"""The cases are experiments, whatever their names begin with."""

collect_ignore = ["cases"]
