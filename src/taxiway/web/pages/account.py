"""The page of one's own account: who one is, one's roles, one's tokens."""

from __future__ import annotations

from taxiway.access.contract import MakeToken, Token
from taxiway.access.service import Access
from taxiway.kernel.problems import convert
from taxiway.web.site import Html, Redirect, Site, View


class Account:
    """provider: the identity provider that an account can be connected to; empty where there is none."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.provider = access.sign_ins.mapping.provider if access.sign_ins else ""

    def show(self, view: View) -> Html:
        return self._page(view)

    def make_token(self, view: View, fields: dict[str, str]) -> Html:
        """The page with the new token on it: it is shown this once and never led to."""
        made = self.access.make_my_token(view.caller, convert(fields, MakeToken))
        return self._page(view, made)

    def end_token(self, view: View, fields: dict[str, str]) -> Redirect:
        self.access.revoke_my_token(view.caller, token=fields.get("token", ""))
        return Redirect("/me#tokens")

    def _page(self, view: View, made: Token | None = None) -> Html:
        most_days = self.access.most_token_days(view.caller.name)
        values = {
            "title": "Account",
            "me": self.access.who_am_i(view.caller),
            "tokens": self.access.my_tokens(view.caller).items,
            "made": made,
            "sent": view.sent,
            "days": min(90, most_days),
            "most_days": most_days,
            "provider": self.provider,
            "is_connected": bool(self.access.sign_ins and self.access.sign_ins.is_connected(view.caller.name)),
        }
        return Html("web/account.html", "", values)


def add(site: Site, access: Access) -> None:
    account = Account(access)
    site.page("/me", account.show, needs="access.self", scope="platform")
    site.form("/me/tokens", account.make_token, page=account.show, needs="access.self", scope="platform")
    site.form("/me/tokens/end", account.end_token, page=account.show, needs="access.self", scope="platform")
