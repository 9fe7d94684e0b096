"""Sensors in a folder that looks like the kernel's."""

from pathlib import Path

import pytest

from v2glab.evidence import DeviceError, InputError, LimitError
from v2glab.instruments import open_instrument


def folder(tmp_path: Path, **files: str) -> str:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path.as_uri()


def test_thousandths_of_a_degree_and_the_newline(tmp_path: Path) -> None:
    address = folder(tmp_path, name="twin\n", temp1_input="61250\n", temp3_input="-5500\n")
    sensors = open_instrument("heatsink", "hwmon", address)
    assert sensors.identify() == "twin"
    assert sensors.points() == ("heatsink", "ambient"), "only what is there"
    seen = sensors.read()
    assert (seen["heatsink"].value, seen["ambient"].value) == (61.25, -5.5)
    assert seen["heatsink"].unit == "degC"
    (tmp_path / "temp1_input").write_text("62000\n")
    assert sensors.read("heatsink")["heatsink"].value == 62.0


@pytest.mark.parametrize("text", ["", "\n", "warm\n", "61.2\n", "1_0\n", "\xff", "1" * 70 + "x"])
def test_files_without_an_integer(tmp_path: Path, text: str) -> None:
    sensors = open_instrument("h", "hwmon", folder(tmp_path, temp1_input=text))
    with pytest.raises(DeviceError, match="an integer"):
        sensors.read("heatsink")


def test_missing_folders_sensors_and_writes(tmp_path: Path) -> None:
    gone = open_instrument("h", "hwmon", (tmp_path / "gone").as_uri())
    with pytest.raises(DeviceError, match="hwmon interface"):
        gone.identify()
    sensors = open_instrument("h", "hwmon", folder(tmp_path, temp1_input="1\n"))
    with pytest.raises(InputError, match="one of: heatsink"):
        sensors.read("ambient")
    with pytest.raises(LimitError):
        sensors.ensure("heatsink", 20)
    for address in ("hwmon0", "file://host/sys", "tcp://x:1"):
        with pytest.raises(InputError):
            open_instrument("h", "hwmon", address)
