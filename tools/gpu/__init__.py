"""What ``tools/on_cuda.py`` is made of; not called ``cuda``, as NVIDIA's own package is.

But for ``measure`` and ``pack`` nothing here imports more than Python's own library: it runs before
it is known which packages there are.
"""
