"""Documents against their shipped schemas, and files that are whole or absent."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import (
    InputError,
    StorageError,
    check_document,
    read_toml,
    read_verdicts,
    schema,
    storing,
    verdicts_document,
    write_atomic,
    write_json,
    write_verdicts,
)

SCHEMAS = sorted(p.stem for p in Path(schema.__globals__["__file__"]).parent.glob("schemas/*.json"))


def test_the_documented_schemas_are_shipped() -> None:
    assert {"run-1", "verdicts-1", "result-1", "telemetry-1", "wire-1"} <= set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_one_and_names_itself(name: str) -> None:
    document = schema(name)
    jsonschema_rs.meta.validate(document)
    assert document["$id"] == f"urn:v2glab:schema:{name}"
    assert document["title"]
    assert document["description"]
    assert document["additionalProperties"] is False
    assert set(document["required"]) <= set(document["properties"])


def test_missing_schema_is_no_silent_pass() -> None:
    with pytest.raises(FileNotFoundError):
        schema("run-99")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(_JSON)
def test_any_other_document_is_refused_with_a_typed_error(document: object) -> None:
    for name in ("run-1", "verdicts-1", "result-1"):
        with pytest.raises(InputError, match=f"schema {name}"):
            check_document(name, document, "somewhere.json")


def test_refusal_names_file_and_place() -> None:
    document = {"schema": "v2glab-verdicts/1", "verdicts": [{"procedure": 3}]}
    with pytest.raises(InputError, match=r"found\.json, at verdicts/0"):
        check_document("verdicts-1", document, "found.json")


def test_empty_document_is_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.json"
    write_verdicts(path, {})
    assert (
        json.loads(path.read_text())
        == verdicts_document({})
        == {"schema": "v2glab-verdicts/1", "verdicts": []}
    )
    assert read_verdicts(path) == {}


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_hostile_bytes_give_a_typed_error(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "verdicts.json")
        path.write_bytes(content)
        with pytest.raises(InputError):
            read_verdicts(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.json"):
        read_verdicts(tmp_path / "gone.json")
    with pytest.raises(InputError, match=r"gone\.toml"):
        read_toml(tmp_path / "gone.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = ", b"a = 1\na = 2"])
def test_broken_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.toml"):
        read_toml(path)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=1000), st.binary(max_size=1000))
def test_file_holds_the_new_content_and_nothing_is_left_beside(old: bytes, new: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sub", "file")
        write_atomic(path, old)
        write_atomic(path, new)
        assert path.read_bytes() == new
        assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_permission_bits_are_set_from_the_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_atomic(path, b"secret", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_reader_never_sees_a_part(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"a" * 100)
    handle = os.open(path, os.O_RDONLY)
    write_atomic(path, b"b" * 300)
    assert os.read(handle, 1000) == b"a" * 100  # the old file, whole
    os.close(handle)
    assert path.read_bytes() == b"b" * 300


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="free disk space"):
        write_atomic(tmp_path / "file" / "inside", b"x")
    path = tmp_path / "data.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}


def test_json_is_sorted_and_readable(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    write_json(path, {"z": "Ω", "a": [1]})
    assert path.read_text() == '{\n  "a": [\n    1\n  ],\n  "z": "Ω"\n}\n'


def test_disk_trouble_becomes_the_house_error() -> None:
    with pytest.raises(StorageError, match="the record: No space left"), storing("the record"):
        raise OSError(28, "No space left on device")
