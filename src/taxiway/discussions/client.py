"""The SDK of discussions: ``client.discussions``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from taxiway.access.roles import Role
from taxiway.discussions import contract
from taxiway.discussions.contract import (
    Answer,
    EditComment,
    ListThreads,
    Reply,
    StartThread,
    Thread,
    TurnThread,
)
from taxiway.kernel.transport import Transport


class Discussions:
    """What people say about things such as ``model:mortgage@3``, and whom they ask to look."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def say(self, thing: str, text: str) -> Thread:
        """Begins a discussion, in Markdown. ``@name`` tells those who may read the thing. Raises NotFound, BadField.

        >>> client.discussions.say("model:mortgage@3", "Why is income left out, @ana?")  # doctest: +SKIP
        """
        return self.transport.call(contract.start_thread, StartThread(thing, text))

    def ask(self, thing: str, text: str, *, people: Sequence[str] = (), role: Role | Literal[""] = "") -> Thread:
        """Asks people, or whoever holds a role, to look at a thing. It stands in their inbox until they answered.

        >>> client.discussions.ask("model:mortgage@3", "Is the card right?", people=["vera"])  # doctest: +SKIP
        """
        return self.transport.call(contract.start_thread, StartThread(thing, text, list(people), role))

    def list(
        self,
        thing: str = "",
        *,
        project: str = "",
        state: Literal["open", "resolved", "all"] = "open",
        whom: str = "",
        limit: int = 100,
    ) -> list[Thread]:
        """The latest word first."""
        body = ListThreads(thing, project, state, whom, limit)
        return self.transport.call(contract.list_threads, body).items

    def show(self, discussion: str) -> Thread:
        """Raises NotFound."""
        return self.transport.call(contract.show_thread, discussion=discussion)

    def reply(self, discussion: str, text: str = "", *, answer: Answer | Literal[""] = "") -> Thread:
        """Says something; with an answer, what one found who was asked to look. Raises NotAsked."""
        return self.transport.call(contract.reply, Reply(text, answer), discussion=discussion)

    def edit(self, discussion: str, number: int, text: str) -> Thread:
        """Changes one's own comment. Raises NotYours."""
        return self.transport.call(contract.edit_comment, EditComment(text), discussion=discussion, number=number)

    def withdraw(self, discussion: str, number: int) -> Thread:
        """Takes back one's own comment; a mark stays. Raises NotYours."""
        return self.transport.call(contract.withdraw_comment, discussion=discussion, number=number)

    def resolve(self, discussion: str, comment: str = "") -> Thread:
        """Who began it may, and the project's owners. Raises NotYours, AlreadySo."""
        return self.transport.call(contract.turn_thread, TurnThread("resolved", comment), discussion=discussion)

    def reopen(self, discussion: str, comment: str = "") -> Thread:
        """Raises AlreadySo."""
        return self.transport.call(contract.turn_thread, TurnThread("open", comment), discussion=discussion)
