"""Results in the stores of other programs: what is exported, and how it gets there.

Begin with `command`; `facts` reads the results, and `into_mlflow` runs where MLflow is.
May import: project, user_project.
"""
