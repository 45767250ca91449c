"""How many threads a job may use without fighting others for the cores.

Half of the cores that the process may run on: SageMaker counts hyperthreads as cores, and where two families train side
by side on one machine each gets its half. Numeric libraries otherwise start one busy-waiting thread per core, and two
such jobs on two cores are not two but over ten times slower.
"""

import os

from threadpoolctl import threadpool_limits


def share() -> int:
    """Return the number of threads that the job may use, at least 1."""
    # only Linux tells which cores a process may use
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // 2)


def limit() -> int:
    """Limit the OpenMP and BLAS pools of this process; return the number of threads."""
    threads = share()
    threadpool_limits(limits=threads)
    return threads
