"""What the machine tells about this process."""

import resource
import sys


def peak_mib() -> float:
    """Return the most memory this process ever held, in MiB (0 where the system does not tell)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS (getrusage(2)).
    return round(peak / (1024 if sys.platform != "darwin" else 1024 * 1024), 1)
