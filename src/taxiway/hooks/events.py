"""Events as receivers get them: their text and a sample of each. The form is that of MLflow's webhooks, so that
receivers written for those read ours unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from taxiway.hooks.contract import Event

NAME, VERSION = "mortgage", "3"
TAG = {"key": "team", "value": "risk"}

SAMPLES: dict[Event, dict[str, Any]] = {
    "registered_model.created": {"name": NAME, "tags": {"team": "risk"}, "description": "Approves mortgages"},
    "model_version.created": {
        "name": NAME,
        "version": VERSION,
        "source": f"models:/{NAME}/{VERSION}",
        "run_id": "0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
        "tags": {"team": "risk"},
        "description": "Trained on the new table",
    },
    "model_version.promoted": {
        "name": NAME,
        "version": VERSION,
        "stage": "production",
        "before": "staging",
        "by": "olga",
        "reason": "It beats the champion",
    },
    "approval.requested": {
        "name": NAME,
        "version": VERSION,
        "stage": "production",
        "by": "ana",
        "note": "Ready for the validator",
    },
    "waiver.asked": {
        "name": NAME,
        "version": VERSION,
        "gate": "fairness",
        "by": "ana",
        "reason": "A pilot with 40 customers",
        "until": "2026-08-01T00:00:00+00:00",
    },
    "waiver.granted": {
        "name": NAME,
        "version": VERSION,
        "gate": "fairness",
        "by": "olga",
        "asked_by": "ana",
        "reason": "A pilot with 40 customers",
        "until": "2026-08-01T00:00:00+00:00",
        "url": f"/models/{NAME}/versions/{VERSION}",
    },
    "waiver.ended": {
        "name": NAME,
        "version": VERSION,
        "what": "waiver of fairness",
        "until": "2026-08-01T00:00:00+00:00",
        "url": f"/models/{NAME}/versions/{VERSION}",
    },
    "glass.broken": {
        "name": NAME,
        "version": VERSION,
        "stage": "production",
        "by": "otto",
        "reason": "The old model rejects everybody",
        "unmet": ["fairness (inconclusive)"],
        "until": "2026-08-01T00:00:00+00:00",
        "finding": "0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
        "url": f"/models/{NAME}/versions/{VERSION}",
    },
    "finding.opened": {
        "id": "0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
        "title": "Rates differ by district",
        "severity": "high",
        "things": [f"model:{NAME}@{VERSION}"],
        "owner": "ana",
        "by": "vera",
        "due": "2026-08-01T00:00:00+00:00",
        "url": "/gates/findings/0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
    },
    "endpoint.stopped": {
        "endpoint": NAME,
        "by": "otto",
        "reason": "It rejects everybody since noon",
        "url": f"/endpoints/{NAME}",
    },
    "endpoint.rolled_back": {
        "endpoint": NAME,
        "revision": 4,
        "to": {"revision 3": "100 %"},
        "cause": "it gives no answer: 54 of 60 requests in 10 s, which is at least 75.8 %, and 5.0 % are allowed",
        "url": f"/endpoints/{NAME}",
    },
    "alert.opened": {
        "id": "0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
        "monitor": NAME,
        "metric": "accuracy",
        "window": "2026-05",
        "sentence": "Accuracy is 0.71, worse than 0.85 by more than 0.05.",
        "explanation": "Income drifted.",
        "url": "/monitors/mortgage",
    },
    "review.overdue": {
        "name": NAME,
        "version": VERSION,
        "stage": "production",
        "project": "mortgages",
        "owner": "olga",
        "tier": "high",
        "due_at": "2026-11-01T09:00:00+00:00",
        "url": "/inventory?state=overdue",
    },
    "review.requested": {
        "discussion": "0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
        "thing": f"model:{NAME}@{VERSION}",
        "by": "ana",
        "asked": ["vera"],
        "text": "Is the card right?",
        "url": f"/models/{NAME}/versions/{VERSION}#discussion-0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
    },
    "mention.made": {
        "discussion": "0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
        "thing": f"model:{NAME}@{VERSION}",
        "by": "vera",
        "mentioned": ["ana"],
        "text": "Why is income left out, @ana?",
        "url": f"/models/{NAME}/versions/{VERSION}#discussion-0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
    },
    "proposal.decided": {
        "proposal": "0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
        "path": "careful",
        "state": "accepted",
        "version": 4,
        "by": "ida",
        "proposed_by": "ivo",
        "url": "/gates/proposals/0193b9a2c0de7c2f9a4b3f1e2d5c6b7a",
    },
    "model_version_tag.set": {"name": NAME, "version": VERSION, **TAG},
    "model_version_tag.deleted": {"name": NAME, "version": VERSION, "key": "team"},
    "model_version_alias.created": {"name": NAME, "alias": "champion", "version": VERSION},
    "model_version_alias.deleted": {"name": NAME, "alias": "champion"},
    "prompt.created": {"name": "greeting", "tags": {"team": "risk"}, "description": "Says hello"},
    "prompt_version.created": {
        "name": "greeting",
        "version": "1",
        "template": "Hello {{name}}!",
        "tags": {"team": "risk"},
        "description": "The first one",
    },
    "prompt_tag.set": {"name": "greeting", **TAG},
    "prompt_tag.deleted": {"name": "greeting", "key": "team"},
    "prompt_version_tag.set": {"name": "greeting", "version": "1", **TAG},
    "prompt_version_tag.deleted": {"name": "greeting", "version": "1", "key": "team"},
    "prompt_alias.created": {"name": "greeting", "alias": "live", "version": "1"},
    "prompt_alias.deleted": {"name": "greeting", "alias": "live"},
}


def text_of(event: Event, at: datetime, data: Mapping[str, Any]) -> str:
    """The body of a delivery: what happened to what, when, and its facts."""
    entity, _, action = event.partition(".")
    told = {"entity": entity, "action": action, "timestamp": at.isoformat(), "data": data}
    return msgspec.json.encode(told).decode()
