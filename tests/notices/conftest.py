"""The people of the discussions' tests: what they say and do is told here."""

from tests.discussions.conftest import people

__all__ = ["people"]
