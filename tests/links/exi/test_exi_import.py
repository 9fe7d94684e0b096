"""What the codec's import may load: it is paid for by every tool that only reads one document."""

import subprocess
import sys

import v2glab.evidence
import v2glab.links

_LOADED = "import sys; import v2glab.links.exi; print(*{m.partition('.')[0] for m in sys.modules})"


def test_the_codec_loads_neither_models_nor_an_event_loop():
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"pydantic", "asyncio", "ssl", "numpy", "pandas", "websockets", "cryptography"}
    assert "v2glab" in loaded


def test_every_public_name_is_there():
    for package in (v2glab.evidence, v2glab.links):
        for name in package.__all__:
            assert getattr(package, name) is not None
