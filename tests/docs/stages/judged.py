"""What docs/evidence.md and docs/dossiers.md find: a version of a model that was judged on held-out rows."""

import pandas as pd
from sklearn.linear_model import LogisticRegression

import taxiway as tw

client = tw.connect()
client.projects.create("mortgages", purpose="Decide on mortgages", risk="low")
rows = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0] * 100, "approve": [0, 0, 1, 1] * 100})
data = client.datasets.register(
    "loans", rows, project="mortgages", contract="columns: {income: {type: number, nullable: false}}\n"
)
fitted = LogisticRegression().fit(rows[["income"]], rows.approve)
with client.runs.start(project="mortgages") as run:
    run.use(data)
    judged = rows.assign(said=fitted.predict(rows[["income"]]), score=fitted.predict_proba(rows[["income"]])[:, 1])
    pinned = run.log_predictions(judged, label="approve", prediction="said", score="score", dataset=data)
    run.log_model(fitted, "mortgage", example=rows[["income"]], predictions=pinned)
client.close()
