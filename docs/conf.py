"""Sphinx: MyST pages whose code is executed at each build; nothing is fetched from a network."""

from jupyter_client.manager import KernelManager

import surefoot

project = "Surefoot"
author = "the Surefoot developers"
copyright = "2026, the Surefoot developers"
version = release = surefoot.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_in_temp = False  # pages read ../examples
nb_merge_streams = True
nb_number_source_lines = False
# The kernel that runs a page warns of a plain connection, so it gets an encrypted one.
KernelManager.transport_encryption.default_value = "auto"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_static_path = ["_static"]
html_css_files = ["surefoot.css"]
html_sidebars = {"**": []}
html_theme = "pydata_sphinx_theme"
html_title = "Surefoot"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
