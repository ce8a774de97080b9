"""What docs/findings.md finds: a validator, an author, and the author's model in three versions."""

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
for name, role in {"ana": "contributor", "vera": "validator"}.items():
    owner.access.add_user(name)
    owner.access.grant(name, role, project="mortgages")  # type: ignore[arg-type]
    clients.append(tw.connect("http://127.0.0.1:5500", token=owner.access.make_token(name).token))
ana, validator = clients

rows = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0]})
fitted = LogisticRegression().fit(rows, [0, 0, 1, 1])
with ana.runs.start(project="mortgages") as run:
    for _ in range(3):
        run.log_model(fitted, "mortgage", example=rows)
