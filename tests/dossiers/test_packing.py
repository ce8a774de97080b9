"""The archive's form: what other programs read of it, also where it is larger than its first fields can say."""

import io
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.dossiers.packing import Part, measure, write
from taxiway.dossiers.verify import central_header, end_record, local_header

NAMES = st.text(alphabet="abcé/_.", min_size=1, max_size=12)


class Changed(Exception):
    """What was measured is not what is written."""


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=6))
def test_any_program_reads_what_was_packed(files: dict[str, bytes]) -> None:
    archive = io.BytesIO()

    write(archive, b"{}", [measure(Part(name, data)) for name, data in files.items()], Changed)

    with zipfile.ZipFile(archive) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == {"manifest.json": b"{}", **files}
        assert {each.date_time for each in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_file_that_changes_while_it_is_packed_is_told(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"one")
    measured = measure(Part("weights.bin", file))
    file.write_bytes(b"two")

    with pytest.raises(Changed, match=r"weights\.bin"):
        write(io.BytesIO(), b"{}", [measured], Changed)


@pytest.mark.parametrize(("size", "offset"), [(5 << 30, 7), (3, 5 << 30), (5 << 30, 6 << 30), (0xFFFFFFFF, 0)])
def test_other_programs_read_sizes_and_places_beyond_four_gibibytes(tmp_path: Path, size: int, offset: int) -> None:
    directory = central_header("weights.bin", size, zlib.crc32(b""), offset)
    begin = offset + len(local_header("weights.bin", size, 0)) + size
    file = tmp_path / "large.zip"
    with file.open("wb") as into:  # nothing but its end is written: the rest takes no room
        into.seek(begin)
        into.write(directory + end_record(1, len(directory), begin))

    with zipfile.ZipFile(file) as found:
        [entry] = found.infolist()

    assert (entry.filename, entry.file_size, entry.compress_size, entry.header_offset) == (
        "weights.bin",
        size,
        size,
        offset,
    )
