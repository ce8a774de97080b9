"""What is refused of external endpoints, by name, free of every framework."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class EndpointExternal(TaxiwayError):
    """Something was asked of an external endpoint that only those served here can do."""

    status = 409
    endpoint: str

    def __str__(self) -> str:
        return (
            f"The endpoint {self.endpoint} answers elsewhere; nothing here runs or divides its requests. "
            f"Change it where it runs, then say so: `taxiway endpoints register-external {self.endpoint} --model M@V`."
        )


class EndpointHere(TaxiwayError):
    """An endpoint that is served here was to be registered as external, or its log to be fed."""

    status = 409
    endpoint: str

    def __str__(self) -> str:
        return (
            f"The endpoint {self.endpoint} is served here, and its gateway writes its log. "
            "Choose another name for the one that answers elsewhere."
        )


class PredictionAmbiguous(TaxiwayError):
    """Several external endpoints were fed a request of one name."""

    status = 409
    prediction: str
    count: int

    def __str__(self) -> str:
        return (
            f"{self.count} external endpoints were fed a prediction called {self.prediction}. "
            f"Say which one: ENDPOINT:{self.prediction}, or the id that Taxiway gave it."
        )
