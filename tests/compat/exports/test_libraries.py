"""What an image gets beside our wheel: a model that was trained here must be readable there."""

from __future__ import annotations

from pathlib import Path

import msgspec

from taxiway.compat.exports.image import Exported, dockerfile
from taxiway.compat.exports.libraries import beside, pinned

LOCK = "# made by Taxiway\nlightgbm==4.7.0\npandas==3.1.1\npytest==9.1.0 ; python_version > '3'\nxgboost-cpu==3.2.0\n"


def plain(exported: Exported) -> Exported:
    """The same version without its twin."""
    manifest = exported.bundle.manifest
    files = tuple(file for file in manifest.files if not file.path.endswith(".onnx"))
    bundle = msgspec.structs.replace(exported.bundle, manifest=msgspec.structs.replace(manifest, files=files))
    return msgspec.structs.replace(exported, bundle=bundle)


def holding(exported: Exported, folder: Path, **native: object) -> Exported:
    """The same version without a twin, with other words about its file, and a lock of four lines."""
    exported = plain(exported)
    folder.joinpath("requirements.lock").write_text(LOCK)
    manifest = exported.bundle.manifest
    other = msgspec.structs.replace(manifest, native=msgspec.structs.replace(manifest.native, **native))
    bundle = msgspec.structs.replace(exported.bundle, folder=folder, manifest=other)
    return msgspec.structs.replace(exported, bundle=bundle)


def test_tables_come_along_as_the_adapter_needs_them(exported: Exported) -> None:
    text = dockerfile(exported, "docker", {})

    assert beside(plain(exported).bundle) == ("pandas",)
    assert beside(exported.bundle) == ("onnxruntime", "pandas")  # it has a twin
    assert 'whl[server,sklearn]" onnxruntime pandas\n' in text
    assert "apt-get" not in text


def test_the_library_of_a_wrapped_model_comes_along(exported: Exported, tmp_path: Path) -> None:
    types = ("collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier")
    wrapped = holding(exported, tmp_path, trusted_types=types)
    text = dockerfile(wrapped, "docker", {})

    assert beside(wrapped.bundle) == ("lightgbm", "pandas")
    assert 'whl[server,sklearn]" lightgbm pandas\n' in text
    assert "--no-install-recommends libgomp1\n" in text


def test_a_library_is_called_as_the_lock_calls_it(exported: Exported, tmp_path: Path) -> None:
    assert beside(holding(exported, tmp_path, trusted_types=("xgboost.sklearn.XGBClassifier",)).bundle) == (
        "pandas",
        "xgboost-cpu",
    )


def test_what_only_reading_would_tell_gets_all_of_its_lock(exported: Exported, tmp_path: Path) -> None:
    pickled = holding(exported, tmp_path, serialization="cloudpickle").bundle

    assert beside(pickled) == ("lightgbm", "pandas", "pytest", "xgboost-cpu")
    assert pinned(pickled)["pytest"] == "9.1.0"
