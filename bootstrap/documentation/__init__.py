"""The pages of docs/ as HTML, by Sphinx, and what they take from schemas and parsers.

Begin with `build`, then `directives`, which is what Sphinx calls.
May import: project, tools, user_project.
"""
