"""What a run made, on the run's page: the versions that were registered from it, and the models it only logged."""

from __future__ import annotations

from taxiway.kernel.thing import parse
from taxiway.models.service import Models
from taxiway.web.site import Site, View


class MadePanel:
    def __init__(self, site: Site, models: Models) -> None:
        self.site = site
        self.models = models

    def of_run(self, view: View, thing: str) -> str | None:
        """Nothing where the run made no model."""
        run = parse(thing).name
        versions, logged = self.models.made_by(run), self.models.logged.made_by(run)
        waiting = [model for model in logged if not model.registered]
        if not versions and not waiting:
            return None
        return self.site.fragment("models/made.html", versions=versions, logged=waiting)
