"""Where checks are asked: worker processes that hold a version's bundle and pinned data, and nothing else."""
