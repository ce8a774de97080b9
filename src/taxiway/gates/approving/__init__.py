"""Approvals: by whom, in which role, to exactly what, and who had a part in it and therefore may not."""
