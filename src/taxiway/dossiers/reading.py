"""What a dossier says of itself to whoever opens it."""

READ_ME = """\
# A dossier of a model version

This archive says what a model version is, where it came from, what was found about it, who let it through and why.
It verifies without Taxiway, with Python 3.11 or newer and the package `cryptography`:

    python verify.py THIS.zip --key FINGERPRINT

Take `verify.py` from somewhere that you trust, or read it: it is short. Without `--key` it tells whether everything
fits together and which key sealed it; whose key that is, only its owner can tell you (`taxiway evidence keys`).
With `--head FILE`, a head of the audit log that you kept, it also tells whether the log is still the one of then.

| what | where |
|---|---|
| the list of all files by SHA-256, signed, with the keys and what is missing | `manifest.json` |
| the version, its stages, its card | `version.json`, `stages.json`, `card.json` |
| the model itself, as it was approved | `bundle/` |
| the data it was trained on, by digest and profile; no rows | `datasets/` |
| the run that made it: parameters, metrics, code, packages | `run/` |
| evidence, approvals, and the text of every path that it was judged by | `gates/` |
| in-toto Statements in DSSE envelopes, one for each step | `statements/` |
| every entry of the audit log about it, each proven against one signed head | `audit/` |
| the technical documentation and the card, for people | `documents/` |
| which records are evidence for which clauses of frameworks | `coverage/` |
| the card as other systems take it | `cards/` |
| the public keys | `keys/` |

The archive is a plain zip, nothing in it is compressed, and the same version makes the same bytes.
"""
