"""What docs/inference-log.md finds: a server, and an endpoint that answered a hundred rows."""

import subprocess

import pandas as pd
from sklearn.linear_model import LogisticRegression

import taxiway as tw

PATH = "path: open\nmode: block\nstages:\n  production:\n    - performance: {metric: roc_auc, at_least: 0.5}\n"

server = subprocess.Popen(["taxiway", "server", "--port", "5500"], stdout=subprocess.PIPE, text=True)
assert server.stdout is not None
server.stdout.readline()

client = tw.connect()
client.gates.publish(PATH)
client.projects.create("mortgages", risk="low", path="open")
rows = pd.DataFrame({"income": [float(n % 20) for n in range(100)]})
repaid = (rows.income + [n % 7 - 3 for n in range(100)] > 8).astype(int)
fitted = LogisticRegression().fit(rows, repaid)
data = client.datasets.register("loans", rows.assign(repaid=repaid), project="mortgages")
with client.runs.start(project="mortgages") as run:
    run.use(data)
    judged = pd.DataFrame({"repaid": repaid, "said": fitted.predict(rows), "score": fitted.predict_proba(rows)[:, 1]})
    pinned = run.log_predictions(judged, label="repaid", prediction="said", score="score", dataset=data)
    run.log_model(fitted, "mortgage", example=rows, predictions=pinned)
client.gates.evaluate("mortgage@1")
client.models.promote("mortgage@1", "production", reason="every gate is open")
client.endpoints.deploy("mortgage", "mortgage@1")
client.endpoints.invoke("mortgage", rows)
