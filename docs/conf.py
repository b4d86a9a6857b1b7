"""Settings of Sphinx, which `./run docs` starts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bootstrap"))

project = "repro"
project_copyright = "The repro contributors"
extensions = ["myst_parser", "documentation.directives"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "repro"
html_show_sphinx = False
html_show_copyright = False
myst_heading_anchors = 4  # links to headings, as GitHub makes them
