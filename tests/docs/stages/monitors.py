"""What docs/monitors.md finds: an endpoint that was right about January's flights and wrong about March's."""

import subprocess
from datetime import UTC, datetime, timedelta

import pandas as pd
from sklearn.linear_model import LogisticRegression

import taxiway as tw

PATH = "path: open\nmode: block\nstages:\n  production:\n    - performance: {metric: roc_auc, at_least: 0.5}\n"
ROWS = 400

server = subprocess.Popen(["taxiway", "server", "--port", "5500"], stdout=subprocess.PIPE, text=True)
assert server.stdout is not None
server.stdout.readline()

owner = tw.connect()
owner.gates.publish(PATH)
owner.projects.create("delays", risk="low", path="open")
rows = pd.DataFrame({"wind": [float(n % 20) for n in range(ROWS)]})
late = (rows.wind + [n % 7 - 3 for n in range(ROWS)] > 12).astype(int)
fitted = LogisticRegression().fit(rows, late)
data = owner.datasets.register("flights", rows.assign(late=late), project="delays")
with owner.runs.start(project="delays") as run:
    run.use(data)
    judged = pd.DataFrame({"late": late, "said": fitted.predict(rows), "score": fitted.predict_proba(rows)[:, 1]})
    pinned = run.log_predictions(judged, label="late", prediction="said", score="score", dataset=data)
    run.log_model(fitted, "flights", example=rows, predictions=pinned)
owner.gates.evaluate("flights@1")
owner.models.promote("flights@1", "production", reason="every gate is open")
owner.endpoints.deploy("flights", "flights@1")
for month, truth in ((1, late), (3, 1 - late)):
    times = [datetime(2026, month, 1, tzinfo=UTC) + timedelta(days=n % 28) for n in range(ROWS)]
    answer = owner.endpoints.invoke("flights", rows, event_at=times)
    owner.endpoints.label(
        "flights", [{"prediction_id": answer.prediction_id, "row": n, "label": int(y)} for n, y in enumerate(truth)]
    )
