"""What the machine does while a run runs."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.nvidia import GpuMeter
from taxiway.adapters.psutil import MachineMeter
from taxiway.client import connect
from taxiway.runs import system
from taxiway.runs.system import Watching, meters

Rows = list[tuple[str, int, float]]


class Broken:
    def read(self) -> Mapping[str, float]:
        raise OSError("gone")


class Steady:
    def read(self) -> Mapping[str, float]:
        return {"cpu_percent": 12.5}


def test_the_machine_is_read_in_units_that_its_names_say() -> None:
    meter = MachineMeter()
    held = bytearray(30_000_000)

    read = meter.read()

    assert {"cpu_percent", "memory_percent", "disk_used_percent", "process_cpu_percent"} <= read.keys()
    assert {"disk_read_mb_s", "disk_write_mb_s", "network_received_mb_s", "network_sent_mb_s"} <= read.keys()
    assert len(held) / 1e6 < read["process_memory_mb"] < 10_000
    assert all(0 <= read[name] <= 100 for name in ("cpu_percent", "memory_percent", "disk_used_percent"))


def test_every_meter_that_is_installed_is_found() -> None:
    assert [type(meter).__name__ for meter in meters()][:1] == ["MachineMeter"]


def test_a_meter_that_fails_is_given_up_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "meters", lambda: [Broken(), Steady()])
    taken: list[Rows] = []
    watching = Watching(lambda _at, rows: taken.append(rows), 0.01)
    while len(taken) < 3:
        watching.ended.wait(0.01)
    watching.stop()

    assert taken[:3] == [[("system/cpu_percent", step, 12.5)] for step in range(3)]


def test_a_run_keeps_what_the_machine_did_unless_it_is_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIWAY_SYSTEM_S", "0.05")
    with connect(home=tmp_path / "home") as client:
        with client.runs.start() as watched:
            taken, put = threading.Event(), watched._watching.put

            def told(at: int, rows: Rows) -> None:
                put(at, rows)
                taken.set()

            watched._watching.put = told
            assert taken.wait(30)
        monkeypatch.setenv("TAXIWAY_SYSTEM_S", "0")
    with connect(home=tmp_path / "home") as client, client.runs.start() as alone:
        alone._watching.ended.wait(0.2)

    assert "system/cpu_percent" in watched.run.metrics
    assert alone.run.metrics == {}


class Nvml(types.ModuleType):
    """As much of nvidia-ml-py as is asked, for one GPU that does not tell its power."""

    NVMLError = RuntimeError
    NVML_TEMPERATURE_GPU = 0

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: 1,
            "nvmlDeviceGetHandleByIndex": lambda number: number,
            "nvmlDeviceGetUtilizationRates": lambda device: types.SimpleNamespace(gpu=70 + device),
            "nvmlDeviceGetMemoryInfo": lambda device: types.SimpleNamespace(used=2e9, total=8e9),
            "nvmlDeviceGetTemperature": lambda device, kind: 55,
        }
        if name == "nvmlDeviceGetPowerUsage":
            return self.refuse
        if name not in answers:
            raise AttributeError(name)
        return answers[name]

    def refuse(self, device: object) -> float:
        raise RuntimeError("not supported")


def test_a_gpu_tells_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Nvml("pynvml"))

    assert GpuMeter().read() == {
        "gpu_0_percent": 70.0,
        "gpu_0_memory_mb": 2000.0,
        "gpu_0_memory_percent": 25.0,
        "gpu_0_temperature_c": 55.0,
    }
