"""The checks there are, told to the outside."""

from __future__ import annotations

import inspect

import msgspec

from taxiway.gates.checks.contract import CheckOffer
from taxiway.gates.checks.register import CHECKS
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page


def offers(caller: Caller) -> Page[CheckOffer]:
    """Those that can be used, then those that cannot, each with why."""
    usable = [
        CheckOffer(
            name=name,
            package=CHECKS.package(name),
            about=(inspect.getdoc(type(check)) or "").partition("\n\n")[0].replace("\n", " "),
            inputs=list(check.inputs),
            is_live=check.is_live,
            parameters=msgspec.json.schema(check.parameters),
        )
        for name, check in CHECKS.load_all().items()
    ]
    broken = [CheckOffer(each.name, each.package, problem=each.why) for each in CHECKS.problems]
    return Page([*usable, *broken])
