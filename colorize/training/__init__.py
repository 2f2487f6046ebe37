"""One run of training: task, loaders, what it shows, its directory.

May import inference and what lies below.
"""
