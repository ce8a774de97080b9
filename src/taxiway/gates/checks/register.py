"""The checks there are, by the name that a path's YAML gives them."""

from __future__ import annotations

from taxiway.gates.checks.approvals import Approvals
from taxiway.gates.checks.card import CardComplete
from taxiway.gates.checks.data_contract import DataContract
from taxiway.gates.checks.fairness import Fairness
from taxiway.gates.checks.performance import Performance
from taxiway.gates.checks.port import Check
from taxiway.gates.checks.reproducible import Reproducible

BUILT_IN: tuple[Check, ...] = (DataContract(), Reproducible(), Performance(), Fairness(), CardComplete(), Approvals())
CHECKS: dict[str, Check] = {check.name: check for check in BUILT_IN}
