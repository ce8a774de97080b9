"""What people say about the demo's projects and models: purposes, values, cards, answers. All are examples."""

from __future__ import annotations

from taxiway.projects.contract import CreateProject, Kpi

MORTGAGES = CreateProject(
    name="mortgage-approvals",
    purpose="Propose a decision on mortgage applications, so that clear cases do not wait for the committee.",
    risk="high",
    path="careful",
    owner="ana",
    sponsor="Head of retail lending",
    kpi=Kpi(name="working days from application to decision", baseline=12.0, unit_value=40.0, unit="days"),
)
FLIGHTS = CreateProject(
    name="flight-delays",
    purpose="Warn two hours before departure which flights will arrive late, so that connections are rebooked in time.",
    risk="low",
    path="light",
    owner="ana",
    sponsor="Head of ground operations",
    kpi=Kpi(name="missed connections in 1,000 passengers", baseline=14.0, unit_value=180.0, unit="passengers"),
)
PROJECTS = (MORTGAGES, FLIGHTS)

MORTGAGE_CARD = {
    "intended_use": (
        "Proposes approval or rejection of a mortgage application to a loan officer, who decides. An example on "
        "public data, not for real lending."
    ),
    "limits": (
        "Learned from 1,989 applications in Boston, 1990. It repeats what that bank decided, not who would have "
        "repaid. 111 applicants are Hispanic and 197 Black: numbers about them are wide."
    ),
    "ethical_considerations": (
        "The bank's own decisions differ by race. Race, sex, marital status, age, dependents and neighbourhood are "
        "no features; race is used to measure what the model does to whom, and to mitigate in training."
    ),
    "who_is_affected": "People who apply for a mortgage, and those who live with them.",
    "contact": "ana (author)",
}
ETHICS = {
    "benefit": (
        "Applicants with a clear case: they hear within a day and need not wait for twelve. The project's own "
        "measure shows it."
    ),
    "harm": (
        "Black and Hispanic applicants, whom the bank rejected more often. Approval rates by race are measured on "
        "held-out applications, with intervals."
    ),
    "asked": True,
    "asked_whom": "Two loan officers and the city's housing counsellors, in May. They want reasons, not a score.",
    "proxies": "The neighbourhood (min30, mi, vr, bd) is left out. Credit history follows race in part, and stays.",
    "alternatives": "The logistic regression without mitigation: nobody has shown that it is even between groups.",
    "residual": "It repeats what the bank decided in 1990. The head of retail lending accepts that for proposals.",
}
IMPACT = {
    "about_people": "yes",
    "area": "credit, insurance or essential services",
    "how_many": "2000",
    "vulnerable": "no",
    "worst_error": "money or a chance that comes back",
    "contest": "A letter names the officer who decided; within 30 days anybody can ask that officer to decide anew.",
    "manipulates": "no",
}
FLIGHT_CARD = {
    "intended_use": "Ranks departures from New York by the risk of arriving 15 minutes late or more, two hours ahead.",
    "limits": (
        "Learned from January and February 2013 alone; has seen no thunderstorms and no summer. Cancelled and "
        "diverted flights never get a label and are left out."
    ),
    "ethical_considerations": "No personal data. A wrong warning costs a rebooking, a missing one a connection.",
    "who_is_affected": "Passengers with a connection, and the crews that rebook them.",
    "contact": "ana (author)",
}
