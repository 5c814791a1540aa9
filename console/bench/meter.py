"""CPU time of a consumer in the flow of records. Needs nothing but Python: rivals use it too."""

import json
import resource
import sys
import time


def cpu_s() -> float:
    """User and system CPU seconds of this process, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Meter:
    """Waits for `expected` records. The first delivery starts the clock and is not counted."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._seen = self._first = 0
        self._wall_s = self._cpu_s = 0.0

    def add(self, records: int) -> bool:
        """Note that these have been worked on; says whether they were the last ones."""
        self._seen += records
        if not self._first:
            self._first = records
            self._wall_s, self._cpu_s = -time.perf_counter(), -cpu_s()
        if self._seen < self._expected:
            return False
        self._wall_s, self._cpu_s = self._wall_s + time.perf_counter(), self._cpu_s + cpu_s()
        return True

    def tell(self, checksum: float) -> None:
        """Print what was counted as one line of JSON."""
        counted = self._seen - self._first
        line = {"records": self._seen, "checksum": checksum, "counted": counted}
        sys.stdout.write(json.dumps(line | {"cpu_s": self._cpu_s, "wall_s": self._wall_s}) + "\n")
        sys.stdout.flush()
