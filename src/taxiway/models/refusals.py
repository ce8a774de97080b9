"""What models refuse, each refusal with its next step."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class ModelElsewhere(TaxiwayError):
    """A model name that another project owns."""

    status = 409
    model: str
    project: str

    def __str__(self) -> str:
        return f"The model {self.model!r} belongs to another project than {self.project}. Choose another name."


class BundleDiffers(TaxiwayError):
    """A manifest that does not have the digest it was sent with."""

    status = 409
    model: str
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"The manifest of {self.model} has the digest {self.found}, not {self.expected}: it was changed on its "
            f"way, or by hand. Seal the folder anew with `run.log_model` and register that."
        )


class StillPending(TaxiwayError):
    """A version that is not registered yet, because no server has answered since it was logged."""

    status = 503
    model: str
    run: str
    problem: str

    def __str__(self) -> str:
        return f"{self.model} has no version of run {self.run} yet. {self.problem}"


class RunElsewhere(TaxiwayError):
    """A version that claims to come from a run of another project."""

    status = 409
    model: str
    run: str
    project: str

    def __str__(self) -> str:
        return (
            f"{self.model} says it comes from run {self.run}, which is not of the project {self.project}. "
            f"Log it from a run of that project."
        )


class EvaluationUnfit(TaxiwayError):
    """Pinned predictions that are not what was said about them."""

    status = 422
    field: str
    problem: str
    expected: str

    def __str__(self) -> str:
        return f"evaluation.{self.field}: {self.problem}; give {self.expected}."


class AliasGuarded(TaxiwayError):
    """An alias named in the path: it moves with its stage and in no other way."""

    status = 409
    is_audited = True
    model: str
    alias: str
    stage: str
    version: int

    def __str__(self) -> str:
        return (
            f"The alias {self.alias!r} of {self.model} moves only with the stage {self.stage}, through the gates. "
            f"Use `taxiway models promote {self.model}@{self.version} {self.stage}`."
        )


class AlreadyThere(TaxiwayError):
    """A version that stands already where it was to be moved."""

    status = 409
    model: str
    version: int
    stage: str

    def __str__(self) -> str:
        return (
            f"{self.model} v{self.version} is in {self.stage} already; nothing was changed. "
            f"See `taxiway models show {self.model}@{self.version}`."
        )


class Unguarded(TaxiwayError):
    """No gates are in place to ask, so nothing moves."""

    status = 503
    model: str
    version: int

    def __str__(self) -> str:
        return (
            f"{self.model} v{self.version} stays where it is: this server has no gates to ask. "
            f"Start it with `taxiway server`, which has them."
        )


class MovedMeanwhile(TaxiwayError):
    """A version that somebody else moved while it was being moved."""

    status = 409
    model: str
    version: int
    before: str
    stage: str

    def __str__(self) -> str:
        return (
            f"{self.model} v{self.version} went from {self.before} to {self.stage} meanwhile; nothing was changed. "
            f"Look at it again: `taxiway models show {self.model}@{self.version}`."
        )


class StillAnswers(TaxiwayError):
    """A version that was to leave its stage, its name or the platform while endpoints answer with it."""

    status = 409
    is_audited = True
    model: str
    version: int
    stage: str
    endpoints: list[str]

    def __str__(self) -> str:
        first = self.endpoints[0]
        what = f"be {self.stage}" if self.stage in ("deleted", "renamed") else f"go to {self.stage}"
        return (
            f"{self.model} v{self.version} cannot {what}: it answers on {', '.join(self.endpoints)}. "
            f"Deploy another version there first (`taxiway endpoints deploy {first} MODEL@VERSION`), or stop it "
            f"(`taxiway endpoints stop {first} --reason …`)."
        )


class NoBundle(TaxiwayError):
    """A version that only names its source was asked for what needs a model's files."""

    status = 409
    model: str
    version: int
    what: str  # such as "be deployed"
    reason: str

    def __str__(self) -> str:
        return f"{self.model} v{self.version} cannot {self.what}: {self.reason}"


class TwinNotMade(TaxiwayError):
    """A twin was asked for that cannot answer as the model does, or not faster."""

    status = 422
    model: str
    version: int
    reason: str

    def __str__(self) -> str:
        return f"{self.model} v{self.version} goes on with its own library, and no twin was made: {self.reason}."


class StillStands(TaxiwayError):
    """A version that was to be deleted while it is in production."""

    status = 409
    is_audited = True
    model: str
    version: int
    stage: str

    def __str__(self) -> str:
        return (
            f"{self.model} v{self.version} is in {self.stage} and is not deleted. Archive it first: "
            f"`taxiway models promote {self.model}@{self.version} archived --reason …`."
        )


class NumbersTaken(TaxiwayError):
    """A name that a deleted model had: its versions' numbers are not given to others."""

    status = 409
    name: str
    versions: int

    def __str__(self) -> str:
        return (
            f"The name {self.name!r} belonged to a model with {self.versions} versions that was deleted. Records still "
            f"name them, so no other model takes the name. Choose another."
        )


class EvaluationPinned(TaxiwayError):
    """A version that is judged by other predictions already."""

    status = 409
    model: str
    version: int
    digest: str

    def __str__(self) -> str:
        return (
            f"{self.model} v{self.version} is judged by the predictions {self.digest} already, and that does not "
            f"change. Register a new version for others."
        )


class SignatureUnfit(TaxiwayError):
    """A signature over a folder that does not hold, or cannot be made."""

    status = 409
    signature: str
    problem: str

    def __str__(self) -> str:
        return (
            f"The signature {self.signature} does not stand for the folder: {self.problem}. "
            f"`taxiway models sign` makes one in the form of OpenSSF Model Signing."
        )


class ModelKeyUnusable(TaxiwayError):
    """A key that cannot sign a folder, or verify what signed it."""

    status = 422
    file: str
    problem: str

    def __str__(self) -> str:
        return (
            f"The key {self.file} cannot be used: {self.problem}. Make one with `openssl genpkey -algorithm EC "
            f"-pkeyopt ec_paramgen_curve:P-256`, or leave --key away for one of your own."
        )
