"""The API of questionnaires."""

from __future__ import annotations

from taxiway.gates.questionnaires import contract
from taxiway.gates.questionnaires.service import Questionnaires
from taxiway.web.serve import Server


def bind(server: Server, questionnaires: Questionnaires) -> None:
    server.serve(contract.publish_questionnaire, questionnaires.publish)
    server.serve(contract.list_questionnaires, questionnaires.list)
    server.serve(contract.show_questionnaire, questionnaires.show)
    server.serve(contract.answer_questionnaire, questionnaires.answer)
    server.serve(contract.list_sheets, questionnaires.sheets)
