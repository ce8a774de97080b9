"""The pages of hooks, for admins: every hook and how its deliveries went, and one with its last deliveries."""

from __future__ import annotations

from taxiway.hooks.addresses import shown
from taxiway.hooks.contract import Delivery, Hook, ListDeliveries
from taxiway.hooks.service import Hooks
from taxiway.web.site import Html, Site, View
from taxiway.web.words import plural

VERDICTS = {"delivered": "pass", "waiting": "missing", "given_up": "fail"}
WORDS = {"delivered": "delivered", "waiting": "waiting", "given_up": "given up"}
OF_HOOKS = [
    ("", "hook"),
    ("", "state"),
    ("", "waiting", "num"),
    ("", "delivered", "num"),
    ("", "given up", "num"),
    ("", "last tried"),
    ("", "leads to", "wide"),
]
OF_DELIVERIES = [
    ("", "event"),
    ("", "state"),
    ("", "attempts", "num"),
    ("", "happened"),
    ("", "last tried"),
    ("", "said", "wide"),
]
MOST_SHOWN = 100


class HookPages:
    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks

    def all(self, view: View) -> Html:
        found = self.hooks.list(view.caller).items
        values = {
            "title": "Hooks",
            "answer": of_all(found),
            "columns": OF_HOOKS,
            "found": [(hook, *standing(hook), shown(hook.url)) for hook in found],
        }
        return Html("hooks/list.html", "", values)

    def show(self, view: View) -> Html:
        hook = self.hooks.show(view.caller, hook=view.path["hook"])
        deliveries = self.hooks.deliveries(view.caller, ListDeliveries(MOST_SHOWN), hook=hook.id).items
        values = {
            "title": hook.name,
            "answer": of_one(hook),
            "hook": hook,
            "url": shown(hook.url),
            "columns": OF_DELIVERIES,
            "deliveries": [(each, VERDICTS[each.state], WORDS[each.state], outcome(each)) for each in deliveries],
        }
        return Html("hooks/show.html", "", values)


def of_all(hooks: list[Hook]) -> str:
    if not hooks:
        return "Nobody outside is told what happens here"
    failing = sum(1 for hook in hooks if hook.last is not None and hook.last.error)
    told = plural(len(hooks), "hook")
    return f"{told}, {failing} of them last told in vain" if failing else f"{told}, none told in vain"


def of_one(hook: Hook) -> str:
    if not hook.is_active:
        return f"{hook.name} is off: {plural(hook.waiting, 'delivery')} for later"
    if hook.last is not None and hook.last.error:
        return f"{hook.name} was last told in vain: {hook.last.error}"
    return f"{hook.name} is told of {plural(len(hook.events), 'event')}"


def standing(hook: Hook) -> tuple[str, str]:
    """The mark and the word for how it stands."""
    if not hook.is_active:
        return "waived", "off"
    if hook.last is None:
        return "missing", "not tried yet"
    return ("fail", "in vain") if hook.last.error else ("pass", "told")


def outcome(delivery: Delivery) -> str:
    return delivery.error or (f"answered {delivery.status}" if delivery.status else "")


def add(site: Site, hooks: Hooks) -> None:
    pages = HookPages(hooks)
    site.page("/hooks", pages.all, needs="hooks.read", scope="platform")
    site.page("/hooks/{hook}", pages.show, needs="hooks.read", scope="platform")
