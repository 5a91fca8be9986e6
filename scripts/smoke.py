"""Try the project on the Python that runs this: import, one edit by the command, one by ``/edit`` of the page.

``scripts/smoke_all.py`` does so on every Python of the machine. Only the demo's own requirements are needed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from gradio_client import Client, handle_file
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PROMPT, PHOTO = "turn image 1 into a pencil sketch", str(ROOT / "assets" / "photos" / "cat.jpg")
SECONDS = 120.0


def main() -> None:
    """Run the three checks in a folder of their own.

    Raises:
        subprocess.SubprocessError: A program failed or took too long.
        AssertionError: The page did not start, or did not say that the picture is a preview.
    """
    # On Windows a file that a process still holds can't be deleted.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNCOMFY", "WAN_"))}
        environment = {
            **kept,
            "GRADIO_ANALYTICS_ENABLED": "False",
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_TEMP_DIR": str(folder / "files"),
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder / "state"),
        }
        sketch = folder / "sketch.png"
        command = [sys.executable, "-m", "wan_client", PROMPT, PHOTO, "-o", str(sketch)]
        subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, timeout=SECONDS, check=True)
        check_picture(sketch)

        app = subprocess.Popen([sys.executable, str(ROOT / "app.py")], env=environment, cwd=folder)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/readyz", app)
            client = Client(url, verbose=False, download_files=str(folder))
            picture, facts = client.predict(PROMPT, handle_file(PHOTO), api_name="/edit")
            if not facts["local_preview"]:
                raise AssertionError(facts)
            check_picture(Path(picture["path"] if isinstance(picture, dict) else picture))
        finally:
            app.terminate()
            app.wait(SECONDS)


def check_picture(path: Path) -> None:
    """Decode a picture."""
    with Image.open(path) as picture:
        picture.load()


def wait_for(url: str, app: subprocess.Popen[bytes]) -> None:
    """Wait until the page answers.

    Raises:
        AssertionError: It ended, or did not answer in time.
    """
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + SECONDS
    while app.poll() is None and time.monotonic() < deadline:
        try:
            direct.open(url, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the page did not start")


if __name__ == "__main__":
    main()
