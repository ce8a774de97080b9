"""What docs/services.md finds: a server, a project with a path of one gate, and two versions of a model."""

import subprocess

import pandas as pd
from sklearn.linear_model import LogisticRegression

import taxiway as tw

PATH = "path: open\nmode: block\nstages:\n  production:\n    - performance: {metric: accuracy, at_least: 0.6}\n"

server = subprocess.Popen(["taxiway", "server", "--port", "5500"], stdout=subprocess.PIPE, text=True)
assert server.stdout is not None
server.stdout.readline()

client = tw.connect()
client.gates.publish(PATH)
client.projects.create("mortgages", risk="low", path="open")
rows = pd.DataFrame({"income": [float(n % 20) for n in range(400)], "debt": [float(n % 7) for n in range(400)]})
approved = (rows.income - rows.debt > 8).astype(int)
with client.runs.start(project="mortgages") as run:
    for strength in (1.0, 0.001):
        run.log_model(LogisticRegression(C=strength).fit(rows, approved), "mortgage", example=rows)
