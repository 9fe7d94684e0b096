"""Hold linear algebra to one core, which is what the tables ask for; imported before anything loads numpy."""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"
