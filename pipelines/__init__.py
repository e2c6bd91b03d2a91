"""The Dagster code location and the `mobiville` command line."""

import os
import sys

if sys.platform == "linux":  # elsewhere pyarrow may come without it
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")  # a refresh needs a seventh less memory with it
