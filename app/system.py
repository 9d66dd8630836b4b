"""What the machine tells about this process."""

import gc
import resource
import sys


def peak_mib() -> float:
    """Return the most memory this process ever held, in MiB (0 where the system does not tell)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS (getrusage(2)).
    return round(peak / (1024 if sys.platform != "darwin" else 1024 * 1024), 1)


def settle_memory() -> None:
    """Take what was built while starting out of the garbage collector's rounds, for good.

    A full round over all modules and models held the event loop for 50 to 60 ms several times a night
    (docs/benchmarks.md); none of it ever becomes garbage. Call once, when everything has started.
    """
    gc.collect()
    gc.freeze()
