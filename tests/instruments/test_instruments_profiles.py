"""Profiles: those that travel with the package, and every way one can be wrong."""

import re
from pathlib import Path

import pytest

from v2glab.evidence import InputError
from v2glab.instruments import ModbusProfile, ScpiProfile, list_profiles, load_profile

HEAD = """schema = 1
[profile]
name = "x"
vendor = "v"
model = "m"
kind = "modbus"
source = "s"
[modbus]
word_order = "msw-first"
"""
GOOD = """[[register]]
name = "voltage"
address = 0
function = 3
type = "float32"
unit = "V"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", list_profiles())
def test_profiles_of_the_package_are_sound(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.profile.source


@pytest.mark.parametrize("name", ["eastron_sdm630", "carlogavazzi_em24", "janitza_umg604"])
def test_meters_have_the_points_that_procedures_use(name: str) -> None:
    profile = load_profile(name)
    assert isinstance(profile, ModbusProfile)
    registers = profile.registers
    for quantity, unit in (("voltage", "V"), ("current", "A"), ("power", "W")):
        for phase in "abc":
            assert registers[f"{quantity}_{phase}"].unit == unit
    assert registers["power"].scale < 0, "the meters count import positive, the project export"
    assert registers["frequency"].unit == "Hz"


def test_word_order_of_the_profile_reaches_each_register() -> None:
    profile = load_profile("carlogavazzi_em24")
    assert isinstance(profile, ModbusProfile)
    assert {r.word_order for r in profile.register_list} == {"lsw-first"}


def test_analyser_items_stand_where_their_points_look() -> None:
    profile = load_profile("yokogawa_wt310")
    assert isinstance(profile, ScpiProfile)
    items = dict(re.match(r":NUM:NORM:ITEM(\d+) (.+)", c).groups() for c in profile.scpi.setup if "ITEM" in c)
    function = {"voltage": "U", "current": "I", "power": "P", "reactive_power": "Q"}
    for name, point in profile.points.items():
        base, _, phase = name.rpartition("_")
        if phase in ("a", "b", "c"):
            assert items[str(point.index + 1)] == f"{function[base]},{'abc'.index(phase) + 1}"
    assert items[str(profile.points["power"].index + 1)] == "P,SIGMA"
    assert f":NUM:NORM:NUM {len(items)}" in profile.scpi.setup


def second(name: str = "current", address: int = 2, more: str = "") -> str:
    return GOOD.replace("voltage", name).replace("address = 0", f"address = {address}") + more


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (HEAD + GOOD + second(address=1), 18, "overlaps 'voltage'"),
        (HEAD + GOOD + second(address=4) + second("power", 5), 24, "overlaps 'current'"),
        (HEAD + GOOD.replace("float32", "float16"), 14, "float32"),
        (HEAD + GOOD.replace('unit = "V"\n', ""), 10, "unit"),
        (HEAD + GOOD.replace('"V"', '""'), 15, "at least 1"),
        (HEAD + GOOD + "minimum = 5\nmaximum = 1\n", 10, "minimum 5 is above maximum 1"),
        (HEAD + GOOD.replace("float32", "uint16") + "maximum = 70000\n", 10, "does not fit into uint16"),
        (HEAD + GOOD + second("voltage"), 17, "two points named 'voltage'"),
        (HEAD + GOOD + "gain = 2\n", 16, "gain"),
        (HEAD + 'speed = 3\n' + GOOD, 10, "speed"),
        (HEAD + GOOD.replace("address = 0", "address = 65535"), 10, "above 65535"),
        (HEAD + GOOD.replace("address = 0", "address = 65536"), 12, "less than 65536"),
        (HEAD + GOOD.replace("function = 3", "function = 5"), 13, "3 or 4"),
        (HEAD + GOOD.replace("function = 3", "function = 4") + 'access = "rw"\n', 10, "cannot be written"),
        (HEAD + GOOD + "scale = 0\n", 10, "scale must not be 0"),
        (HEAD + GOOD + "scale = nan\n", 16, "finite"),
        (HEAD + GOOD + "words = 3\n", 10, "words = 3"),
        (HEAD.replace("schema = 1", "schema = 2") + GOOD, 1, "1"),
        (HEAD, 1, "register"),
        (HEAD + GOOD.replace('"voltage"', '"Voltage L1"'), 11, "pattern"),
    ],
)  # fmt: skip
def test_a_wrong_profile_is_refused_with_file_line_and_remedy(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_profile(path)
    assert f"{path}, line {line}:" in caught.value.found
    assert says in caught.value.found
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "says"),
    [("schema = \n", "line 1"), ("\xff\xfe", "line 1"), ("schema = [", "end of document"),
     ("", "kind"), ("profile = 3", "kind"),
     (HEAD.replace('"modbus"', '"telnet"'), "telnet")],
)  # fmt: skip
def test_files_that_are_no_profile(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        load_profile(write(tmp_path, text))
    assert says in caught.value.found


def test_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(InputError, match="eastron_sdm630"):
        load_profile("no_such_meter")


def test_scpi_roles_need_their_commands(tmp_path: Path) -> None:
    head = HEAD.split("[modbus]", maxsplit=1)[0].replace('"modbus"', '"scpi"')
    path = write(
        tmp_path, head + '[scpi]\nidentity = "X"\nrole = "grid_simulator"\n[commands]\ncount = "c"\n'
    )
    with pytest.raises(InputError, match="line 11: commands: role 'grid_simulator' needs a command 'abort'"):
        load_profile(path)
    point = '[[point]]\nname = "u"\nunit = "V"\nquery = "U?"\naccess = "rw"\nwrite = "U 1"\n'
    with pytest.raises(InputError, match=r"holds \{value\}"):
        load_profile(write(tmp_path, head + '[scpi]\nidentity = "X"\n' + point))
