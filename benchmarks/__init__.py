"""Side by side with other engines, on one core. `python -m benchmarks` runs everything and writes RESULTS.md.

Importing this package limits the process and its children to one core and one thread. It comes before NumPy, whose
BLAS reads these variables when it is loaded.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # the kernels that a user gets
    os.environ.pop(variable, None)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
