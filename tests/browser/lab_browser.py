"""JupyterLab on loopback and a headless Chromium that may reach nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM = "/usr/bin/chromium"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_TOKEN = "lab-browser-test"

#: Counts canvases with ink through all shadow roots; a widget container alone proves nothing.
INKED_CANVASES = """() => {
  const found = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.tagName === 'CANVAS' && element.width > 50 && element.height > 50) {
        const pixels = element.getContext('2d')?.getImageData(0, 0, element.width, element.height).data;
        if (pixels && pixels.some((value, at) => at % 4 === 3 && value > 0)) found.push(element.width);
      }
      if (element.shadowRoot) walk(element.shadowRoot);
    }
  };
  walk(document);
  return found.length;
}"""

#: Points of the longest live line in the page.
LIVE_POINTS = """() => {
  const documents = (window.Bokeh && window.Bokeh.documents) || [];
  const lengths = [0];
  for (const one of documents) for (const model of one._all_models.values())
    if (model.name && model.name.startsWith('live-') && model.data) {
      const time = model.data.time_s ?? model.data.get?.('time_s') ?? [];
      lengths.push(time.length);
    }
  return Math.max(...lengths);
}"""


@dataclass
class Seen:
    """What a page asked for."""

    local: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def need_chromium() -> None:
    """Skip where there is no Chromium; on the CI that is a failure."""
    if Path(CHROMIUM).exists():
        return
    if os.environ.get("CI") == "true":
        pytest.fail("no /usr/bin/chromium; install the Debian package chromium")
    pytest.skip("no /usr/bin/chromium")


@contextmanager
def lab(folder: Path, home: Path) -> Iterator[str]:
    """Serve a folder with JupyterLab on a free loopback port; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Settings of whoever runs the test must not matter, nor be touched.
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--allow-root", "--ServerApp.port_retries=0", f"--IdentityProvider.token={_TOKEN}"]
    command += [f"--ServerApp.root_dir={folder}"]
    log = home / "lab.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=subprocess.STDOUT)
    try:
        _wait(f"http://127.0.0.1:{port}/api/status?token={_TOKEN}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def page(seen: Seen) -> Iterator[Any]:
    """Yield a page of a fresh browser; requests off 127.0.0.1 are blocked and recorded."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        context = browser.new_context(viewport={"width": 1300, "height": 1000})
        context.route("**/*", lambda route: _sort(route, seen))
        try:
            yield context.new_page()
        finally:
            browser.close()


def run_all(tab: Any, address: str, notebook: str) -> None:
    """Open a notebook and execute every cell; return when the kernel has answered the last."""
    tab.goto(f"{address}/doc/tree/{notebook}?token={_TOKEN}")
    tab.wait_for_selector(".jp-CodeCell", timeout=60_000)
    # The indicator in the toolbar says idle before there is a kernel; the status bar does not.
    tab.wait_for_selector(".jp-StatusBar-TextItem:has-text('| Idle')", timeout=60_000, state="attached")
    tab.click(".lm-MenuBar-itemLabel:text-is('Run')")
    tab.click(".lm-Menu-itemLabel:text-is('Run All Cells')")


def wait_until_run(tab: Any, timeout_s: float = 120.0) -> None:
    """Wait until every code cell has an execution count, and none is waiting."""
    script = """() => {
      const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(e => e.textContent);
      return prompts.length > 0 && prompts.every(text => /\\[\\d+\\]/.test(text));
    }"""
    tab.wait_for_function(script, timeout=timeout_s * 1000)


def _sort(route: Any, seen: Seen) -> None:
    address = urlsplit(route.request.url)
    if address.scheme in ("data", "blob") or address.hostname == "127.0.0.1":
        seen.local.append(route.request.url)
        route.continue_()
    else:
        seen.elsewhere.append(route.request.url)
        route.abort()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


def copy_notebooks(source: Path, target: Path) -> Path:
    """Copy notebooks, so that a test never writes into the project."""
    return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns(".ipynb_checkpoints")))
