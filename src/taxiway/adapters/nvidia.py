"""NVIDIA GPUs, read by nvidia-ml-py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

MB = 1e6


class GpuMeter:
    """Figures of every GPU, such as ``gpu_0_percent``. Raises NVMLError where there is none, ImportError without the
    library."""

    def __init__(self) -> None:
        import pynvml

        self.nvml: Any = pynvml
        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
        if not count:
            raise LookupError("no GPU")
        self.devices = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(count)]

    def read(self) -> Mapping[str, float]:
        figures: dict[str, float] = {}
        for number, device in enumerate(self.devices):
            for name, value in self._of(device).items():
                figures[f"gpu_{number}_{name}"] = value
        return figures

    def _of(self, device: Any) -> dict[str, float]:
        """One GPU's figures; what it does not tell is left out."""
        nvml = self.nvml
        asked: dict[str, Callable[[], float]] = {
            "percent": lambda: nvml.nvmlDeviceGetUtilizationRates(device).gpu,
            "memory_mb": lambda: nvml.nvmlDeviceGetMemoryInfo(device).used / MB,
            "memory_percent": lambda: share(nvml.nvmlDeviceGetMemoryInfo(device)),
            "power_w": lambda: nvml.nvmlDeviceGetPowerUsage(device) / 1000,
            "temperature_c": lambda: nvml.nvmlDeviceGetTemperature(device, nvml.NVML_TEMPERATURE_GPU),
        }
        found: dict[str, float] = {}
        for name, ask in asked.items():
            with suppress(nvml.NVMLError):
                found[name] = float(ask())
        return found


def share(memory: Any) -> float:
    return 100.0 * float(memory.used) / float(memory.total)
