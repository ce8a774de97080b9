"""How many threads the demo's models train with: one, as their data is small."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """Inside, BLAS and OpenMP use a single thread: at these sizes more cost more than they give."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits
