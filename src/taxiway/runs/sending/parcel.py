"""Files with a request that follows them, on their way by way of the spool: how far they came."""

from __future__ import annotations

from taxiway.runs.sending.sender import Sender


class Parcel:
    """What was handed over to be delivered. number: of the request's record in the stream."""

    def __init__(self, sender: Sender, number: int) -> None:
        self.sender = sender
        self.number = number

    @property
    def is_delivered(self) -> bool:
        """Whether it is off our hands: answered, or refused for good."""
        return self.sender.stream.done_records >= self.number

    def answer(self, wait_s: float, *, is_patient: bool = False) -> bytes | None:
        """What the server answered; None where that does not come within the time.

        is_patient: waits the whole time also for a server that is away. Raises what the server refused, each time.
        """
        answer: bytes | None = self.sender.answer_to(self.number, wait_s, is_patient=is_patient)
        return answer

    @property
    def place(self) -> str:
        """The folder that it waits in."""
        return str(self.sender.stream.folder)

    @property
    def cause(self) -> str:
        """Why it waits, where that is known."""
        cause = self.sender.cause
        return str(cause) if cause is not None else "The server has not answered yet."
