"""The SDK of questionnaires, which stands among that of gates."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taxiway.gates.questionnaires import contract
from taxiway.gates.questionnaires.contract import AnswerSheet, PublishQuestionnaire, Questionnaire, Sheet
from taxiway.kernel.transport import Transport
from taxiway.models.client import split
from taxiway.storage.contract import put_blob


class Questionnaires:
    """What only people can say of a model: ``client.gates.questionnaires``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def list(self) -> list[Questionnaire]:
        """The newest version of each, those that ship with the platform among them."""
        return self.transport.call(contract.list_questionnaires).items

    def show(self, name: str, version: int = 0) -> Questionnaire:
        """version: 0 is the newest. Raises NotFound."""
        return self.transport.call(contract.show_questionnaire, questionnaire=name, version=version)

    def publish(self, text: str | Path) -> Questionnaire:
        """The next version of the questionnaire that the YAML names, from a text or a file. Raises YamlBroken."""
        given = text.read_text(encoding="utf-8") if isinstance(text, Path) else text
        name = text.name if isinstance(text, Path) else "questionnaire.yaml"
        return self.transport.call(contract.publish_questionnaire, PublishQuestionnaire(given, name))

    def answer(
        self,
        name: str,
        questionnaire: str,
        answers: Mapping[str, Any],
        *,
        files: Mapping[str, str | Path] | None = None,
        note: str = "",
        take: int | None = None,
    ) -> Sheet:
        """Answers questions about a version; those left out stay as they were answered last, None takes one away.

        files: by question, stored with the answers. take: an earlier version whose answers are begun with, where this
        one has none. Raises AnswerRefused, NotFound.

        >>> client.gates.questionnaires.answer("mortgage@3", "ethics", {"asked": True})  # doctest: +SKIP
        """
        stored = {question: self._store(Path(file)) for question, file in (files or {}).items()}
        body = AnswerSheet(answers={**answers, **stored}, note=note, take=take)
        return self.transport.call(contract.answer_questionnaire, body, **split(name), questionnaire=questionnaire)

    def sheets(self, name: str) -> builtins.list[Sheet]:
        """All answers about a version, newest first; of each questionnaire the newest sheet counts."""
        return self.transport.call(contract.list_sheets, **split(name)).items

    def _store(self, file: Path) -> str:
        """Stores a file's bytes; gives their digest."""
        with file.open("rb") as source:
            digest = f"sha256:{hashlib.file_digest(source, 'sha256').hexdigest()}"
            source.seek(0)
            self.transport.upload(put_blob, source, file.stat().st_size, digest=digest)
        return digest
