"""What docs/waivers.md finds: an author's version whose rates by race are far apart, and somebody who approves."""

import subprocess

import pandas as pd
from sklearn.linear_model import LogisticRegression

import taxiway as tw

server = subprocess.Popen(["taxiway", "server", "--login", "--port", "5500"], stdout=subprocess.PIPE, text=True)
assert server.stdout is not None
server.stdout.readline()

owner = tw.connect()
owner.projects.create("mortgages", purpose="Decide on mortgages", risk="high")
clients = []
for name, role in {"ana": "contributor", "abe": "approver"}.items():
    owner.access.add_user(name)
    owner.access.grant(name, role, project="mortgages")  # type: ignore[arg-type]
    clients.append(tw.connect("http://127.0.0.1:5500", token=owner.access.make_token(name).token))
author, approver = clients

rows = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0] * 500, "approve": [0, 0, 1, 1] * 500})
rows["race"] = ["black", "black", "black", "white"] * 500
fitted = LogisticRegression().fit(rows[["income"]], rows.approve)
with author.runs.start(project="mortgages") as run:
    judged = rows.assign(said=fitted.predict(rows[["income"]]))
    pinned = run.log_predictions(judged, label="approve", prediction="said", groups=["race"])
    run.log_model(fitted, "mortgage", example=rows[["income"]], predictions=pinned)
author.gates.evaluate("mortgage@1")
