"""What docs/gates.md finds: a server with login, an author, a validator, and a version of a fair model with a card."""

import subprocess

import pandas as pd
from sklearn.linear_model import LogisticRegression

import taxiway as tw

PROJECT = "mortgages"
PEOPLE = {"ana": "contributor", "vera": "validator"}
CONTRACT = "columns: {income: {type: number, nullable: false}, approve: {type: integer, allowed: [0, 1]}}\n"
FIELDS = ("intended_use", "limits", "ethical_considerations", "who_is_affected", "contact")

server = subprocess.Popen(["taxiway", "server", "--login", "--port", "5500"], stdout=subprocess.PIPE, text=True)
assert server.stdout is not None
server.stdout.readline()

owner = tw.connect()
owner.projects.create(PROJECT, purpose="Decide on mortgages", risk="high")
clients = []
for name, role in PEOPLE.items():
    owner.access.add_user(name)
    owner.access.grant(name, role, project=PROJECT)  # type: ignore[arg-type]
    clients.append(tw.connect("http://127.0.0.1:5500", token=owner.access.make_token(name).token))
author, validator = clients

rows = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0] * 500, "approve": [0, 0, 1, 1] * 500})
rows["race"] = ["black"] * 1000 + ["white"] * 1000
data = author.datasets.register("loans", rows, project=PROJECT, contract=CONTRACT)
fitted = LogisticRegression().fit(rows[["income"]], rows.approve)
with author.runs.start(project=PROJECT) as run:
    run.use(data)
    judged = rows.assign(said=fitted.predict(rows[["income"]]))
    pinned = run.log_predictions(judged, label="approve", prediction="said", groups=["race"], dataset=data)
    run.log_model(fitted, "mortgage", example=rows[["income"]], predictions=pinned)
author.models.enter_card("mortgage@1", **dict.fromkeys(FIELDS, "as the team agreed"))
