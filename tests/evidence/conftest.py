"""The story of gates, whose steps leave statements."""

from tests.gates.conftest import any_story, story

__all__ = ["any_story", "story"]
