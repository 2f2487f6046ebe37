"""The page: colour, compare and pick in a browser; classify and screen pictures.

A server of its own (Starlette) for one user or a trusted few, with a front end in ``static/`` that
needs no build step and nothing from outside. What takes long runs in a process per device
(``worker.py``), so that the page answers meanwhile; what it makes lies in job folders, so that
nothing is lost with a tab, or with the server.

Gradio (6.31) was tried and left: its slider compares two still pictures, so that a divider on
playing frames and the strip of shots would be scripts of our own inside its page, and it brings
fifty packages where this needs six.

It alone may import both packages; nothing of this one imports it.
"""
