"""Processor, memory, disk and network of this machine, read by psutil."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import psutil

MB = 1e6


class MachineMeter:
    """Figures of the whole machine, and of this process with its children."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.folder = str(Path.cwd())
        psutil.cpu_percent()  # the first call begins the count
        self.at = time.monotonic()
        self.before = totals()
        self.cpu_s = self._of_family()[0]

    def read(self) -> Mapping[str, float]:
        now, counts = time.monotonic(), totals()
        elapsed = max(now - self.at, 1e-9)
        rates = {name: (counts[name] - self.before[name]) / elapsed / MB for name in counts if name in self.before}
        cpu_s, memory = self._of_family()
        figures = {
            "cpu_percent": psutil.cpu_percent(),
            "memory_percent": psutil.virtual_memory().percent,
            "memory_used_mb": psutil.virtual_memory().used / MB,
            "disk_used_percent": psutil.disk_usage(self.folder).percent,
            "process_cpu_percent": max(cpu_s - self.cpu_s, 0.0) / elapsed * 100,
            "process_memory_mb": memory / MB,
            **rates,
        }
        self.at, self.before, self.cpu_s = now, counts, cpu_s
        return figures

    def _of_family(self) -> tuple[float, float]:
        """Processor seconds and resident bytes of this process and its children; those that end meanwhile are left
        out."""
        cpu_s = memory = 0.0
        for one in (self.process, *self.process.children(recursive=True)):
            try:
                times = one.cpu_times()
                cpu_s += times.user + times.system
                memory += one.memory_info().rss
            except psutil.Error:
                continue
        return cpu_s, memory


def totals() -> dict[str, float]:
    """Bytes since the machine started; what a machine does not count is left out."""
    found: dict[str, float] = {}
    if disk := psutil.disk_io_counters():
        found |= {"disk_read_mb_s": disk.read_bytes, "disk_write_mb_s": disk.write_bytes}
    if network := psutil.net_io_counters():
        found |= {"network_received_mb_s": network.bytes_recv, "network_sent_mb_s": network.bytes_sent}
    return found
