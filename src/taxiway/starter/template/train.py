"""Trains and logs a first model: `taxiway run -- python train.py`."""

from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import taxiway as tw

PROJECT = "$project"
CONTRACT = """
columns:
  mean radius: {type: number, nullable: false, min: 0}
  benign: {type: integer, nullable: false, allowed: [0, 1]}
"""


def read_table():
    """569 tumours: 30 measurements each, and whether it was benign. The data comes with scikit-learn."""
    return load_breast_cancer(as_frame=True).frame.rename(columns={"target": "benign"})


def make_model(strength=1.0):
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


def main():
    table = read_table()
    features, label = table.drop(columns="benign"), table["benign"]
    client = tw.connect()
    data = client.datasets.register("tumours", table, project=PROJECT, contract=CONTRACT)
    with client.runs.start("logistic regression") as run:
        run.use(data)
        run.params(model="logistic regression", strength=1.0, folds=5)
        # What the gates judge are predictions for rows that the model had not seen.
        scores = cross_val_predict(make_model(), features, label, cv=5, method="predict_proba")[:, 1]
        judged = table[["benign"]].assign(predicted=(scores >= 0.5).astype(int), score=scores)
        run.log(accuracy=accuracy_score(label, judged.predicted), roc_auc=roc_auc_score(label, scores))
        pinned = run.log_predictions(
            judged, label="benign", prediction="predicted", score="score", dataset=data, split="5 folds, each held out"
        )
        model = make_model().fit(features, label)
        version = run.log_model(model, PROJECT, example=features, predictions=pinned)
    print(f"Logged {version.model} version {version.version}. Next:")
    print(f"  taxiway gates evaluate {version.model}@{version.version}")
    print(f"  taxiway models promote {version.model}@{version.version} production")


if __name__ == "__main__":
    main()
