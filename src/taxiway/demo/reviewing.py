"""Act 1, steps 6 and 7: what people are asked about a version, and an objection that only a second person closes."""

from __future__ import annotations

from taxiway.demo.doors import taxiway
from taxiway.demo.facts import ETHICS, IMPACT, MORTGAGE_CARD, MORTGAGES
from taxiway.demo.scene import Scene, gate_of, verdicts
from taxiway.demo.tracked import Trained
from taxiway.gates.findings.contract import Finding
from taxiway.gates.findings.refusals import SecondPerson

QUESTIONNAIRES = ("ethics", "impact-on-people")


def answer_questionnaires(scene: Scene, trained: Trained) -> None:
    """Step 6: the owner answers what no check can measure, in Python and on the command line."""
    narrator, ana = scene.narrator, scene.cast["ana"]
    narrator.step(f"Ana, the project's owner, answers what no check can measure about {trained.name}")
    before = verdicts(ana.gates.show(trained.name))
    gates = {name: before[name] for name in QUESTIONNAIRES}
    narrator.expect(set(gates.values()) == {"missing"}, "two questionnaires that nobody has answered", gates)

    ethics = ana.gates.questionnaires.answer(trained.name, QUESTIONNAIRES[0], ETHICS)
    narrator.say(f"{ethics.questionnaire}, {len(ethics.answers)} answers. Who could be worse off?")
    narrator.say(f"“{ethics.answers['harm']}”")
    given = ["--set", *(f"{name}={value}" for name, value in IMPACT.items())]
    command = ("gates", "answer", trained.name, QUESTIONNAIRES[1])
    done = taxiway(*command, *given, url=scene.url, token=scene.cast.tokens["ana"])
    narrator.expect(done.returncode == 0, "exit code 0 from `taxiway gates answer`", done.stderr)
    narrator.say(f"`taxiway {' '.join(command)} --set …` says: {done.stdout.strip().splitlines()[-1]}")

    impact = next(sheet for sheet in ana.gates.questionnaires.sheets(trained.name) if sheet.name == QUESTIONNAIRES[1])
    tier = impact.reading.tier
    narrator.expect(tier == MORTGAGES.risk == "high", "answers that make it high risk, as its project is", tier)
    standing = ana.gates.evaluate(trained.name)
    for name in gates:
        outcome = gate_of(standing, name).outcome
        narrator.expect(outcome.verdict == "pass", f"the gate {name} open", outcome.reason)
        narrator.say(f"● {name}: {outcome.reason}")
    narrator.say(
        f"Had they come to a higher tier than the project's, the gate would be closed. "
        f"{scene.link(f'/models/{trained.version.model}/versions/{trained.version.version}')}"
    )


def object_and_mend(scene: Scene, plain: Trained, trained: Trained) -> None:
    """Step 7: the validator's finding stops production until the author has mended it and the validator has looked."""
    narrator, ana = scene.narrator, scene.cast["ana"]
    narrator.step("Vera finds something, and it stops production until she closes it")
    finding = stopped_by_finding(scene, plain, trained)
    price = f"The mitigation cost {(plain.judged.accuracy - trained.judged.accuracy) * 100:.1f} points of accuracy"
    price += f" ({plain.judged.accuracy:.4f} to {trained.judged.accuracy:.4f} on held-out applications)."
    ana.gates.findings.move(finding.id, "in_progress", comment="writing it down")
    ana.models.enter_card(trained.name, limits=f"{MORTGAGE_CARD['limits']} {price}")
    ana.gates.evaluate(trained.name)
    ana.gates.findings.move(finding.id, "resolved", comment=f"the card says now: {price}")
    narrator.say(f"Ana writes on the card: “{price}” Then she tries to close the finding herself:")
    refused = ""
    try:
        ana.gates.findings.move(finding.id, "closed", comment="It is done, I did it.")
    except SecondPerson as refusal:
        refused = str(refusal)
    narrator.expect(bool(refused), "closing by the one who mended it, refused", "it was closed")
    narrator.say(f"■ Ana: {refused}")
    still = gate_of(ana.gates.show(trained.name), "findings").verdict
    narrator.expect(still == "fail", "a gate that stays closed while the finding is only resolved", still)

    closed = scene.cast["vera"].gates.findings.move(finding.id, "closed", comment="Read it on the card, it is right.")
    verdict = gate_of(ana.gates.show(trained.name), "findings").verdict
    narrator.expect((closed.state, verdict) == ("closed", "pass"), "the gate findings open", (closed.state, verdict))
    narrator.say(
        f"● Vera closed it after {len(closed.steps)} steps, all kept. {scene.link(f'/gates/findings/{closed.id}')}"
    )


def stopped_by_finding(scene: Scene, plain: Trained, trained: Trained) -> Finding:
    """Vera opens a finding, and Olu is refused production for it."""
    narrator, vera = scene.narrator, scene.cast["vera"]
    approved = {name: each.judged.approved["black"] for name, each in (("before", plain), ("after", trained))}
    finding = vera.gates.findings.open(
        "The card does not say what the mitigation costs",
        project=MORTGAGES.name,
        severity="high",
        things=[trained.version.ref],
        owner="ana",
        detail=(
            f"Approvals of black applicants went from {approved['before']:.3f} to {approved['after']:.3f}, and "
            f"accuracy fell. Who reads the card alone does not learn of it."
        ),
        remediation="say it on the card, with the numbers",
    )
    narrator.say(
        f"■ Vera: “{finding.title}” ({finding.severity}, for {finding.owner} to mend by {finding.due_at:%Y-%m-%d}). "
        f"{finding.detail}"
    )
    command = ("models", "promote", trained.name, "production")
    done = taxiway(*command, url=scene.url, token=scene.cast.tokens["olu"])
    narrator.expect(done.returncode == 1, "exit code 1 from `taxiway models promote`", done.returncode)
    why = next((line for line in done.stderr.splitlines() if line.startswith("- findings")), "")
    narrator.expect(finding.title in why, "the finding named as what stops it", done.stderr)
    narrator.say(f"Olu: `taxiway {' '.join(command)}` ends with exit code {done.returncode}.")
    narrator.say(why)
    return finding
