"""The figures of docs/benchmarks.md: `python -m tools.bench`."""
