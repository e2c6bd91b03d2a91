"""The Dagster code location and the `mobiville` command line."""

import ctypes
import gc
import os
import sys

gc.set_threshold(50_000, 20, 20)  # the imports and a refresh make millions of objects that live, and little rubbish
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Of mallopt, in glibc's malloc.h."""

if sys.platform == "linux":
    # One heap for all threads, and large blocks given back at once: a refresh needs a fifth less memory.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # other C libraries have none
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, 1 << 22)
