"""What whoever extends Taxiway tests their own code with, as Taxiway tests its own."""

from taxiway.testing.checks import CheckUnfit, check_conformance
from taxiway.testing.samples import Sample, sample_cases

__all__ = ["CheckUnfit", "Sample", "check_conformance", "sample_cases"]
