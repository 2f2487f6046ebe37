"""What every program needs and knows nothing of pictures: errors, files, settings, progress.

May import nothing else of this package.
"""
