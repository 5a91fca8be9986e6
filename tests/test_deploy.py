"""What takes the page to other places says what it must."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from studio.server import CLOSE_SECONDS, ID_DELIVERY_SECONDS
from wan_client.settings import Timeouts
from wan_sandbox.cli import DEFAULT_PORT

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def space() -> dict[str, Any]:
    return runpy.run_path(str(DEPLOY / "space.py"))


@pytest.mark.parametrize(
    "setting", ["LIMITS_STORAGE_URI=redis://:pass-1234@host:6379/0", "WAN_AUTH=guest:pass-1234", "MY_KEY=pass-1234"]
)
def test_what_looks_like_a_password_becomes_a_secret_and_is_not_printed(setting: str) -> None:
    ran = run_space("me/wan", "--dry-run", "--variable", setting, PATH="/bin:/usr/bin")
    assert ran.returncode == 0, ran.stderr
    assert f"would set secret {setting.partition('=')[0]}" in ran.stdout
    assert "pass-1234" not in ran.stdout + ran.stderr


def test_offline_is_a_sentence(tmp_path: Path) -> None:
    ran = run_space("me/wan", PATH="/bin:/usr/bin", HF_HUB_OFFLINE="1", HF_TOKEN="hf_x", HOME=str(tmp_path))
    assert ran.returncode == 69
    assert "offline" in ran.stderr
    assert "Traceback" not in ran.stderr


def run_space(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DEPLOY / "space.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)


def test_the_image_is_small_unprivileged_and_healthy() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    for needed in ("-slim", "--no-cache-dir", "\nUSER 1000\n", "HEALTHCHECK", "/livez", "GRADIO_SERVER_NAME=0.0.0.0"):
        assert needed in dockerfile
    assert dockerfile.index("COPY deploy/requirements.txt") < dockerfile.index("COPY app.py")


def test_the_builder_gets_what_the_image_copies_and_nothing_else() -> None:
    everything, *allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()[1:]
    assert everything == "*"
    sent = {line[1:] for line in allowed if line.startswith("!")}
    copies = [line.split()[1] for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if line[:4] == "COPY"]
    assert sent == {source.rstrip("/") for source in copies}
    assert all((ROOT / source).exists() for source in sent)


def test_two_replicas_share_limits_and_files(compose: dict[str, Any]) -> None:
    services = compose["services"]
    replicas = [services["app-1"], services["app-2"]]
    for replica in replicas:
        assert replica["environment"]["LIMITS_STORAGE_URI"].startswith("redis://redis")
        assert replica["volumes"] == ["files:/files"]
        assert "ports" not in replica
    assert "ports" not in services["redis"]
    assert set(services["proxy"]["depends_on"]) == {"app-1", "app-2"}


def test_replicas_without_a_token_share_a_sandbox_that_nobody_else_reaches(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert "ports" not in services["sandbox"]
    for replica in (services["app-1"], services["app-2"]):
        assert replica["environment"]["WAN_SANDBOX_URL"] == f"http://sandbox:{DEFAULT_PORT}"
        assert "sandbox" in replica["depends_on"]


def test_only_the_proxy_is_believed(compose: dict[str, Any]) -> None:
    (network,) = compose["networks"]["default"]["ipam"]["config"]
    assert compose["services"]["app-1"]["environment"]["WAN_TRUSTED_PROXIES"] == network["subnet"]


def test_no_submit_is_cut_off_by_the_grace_period(compose: dict[str, Any]) -> None:
    grace = compose["services"]["app-1"]["stop_grace_period"]
    assert float(grace.removesuffix("s")) > Timeouts().sending + ID_DELIVERY_SECONDS + CLOSE_SECONDS


def test_the_page_is_published_on_loopback_unless_another_port_is_named(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published == ["${HTTP_PORT:-127.0.0.1:8080}:80", "${HTTPS_PORT:-127.0.0.1:8443}:443"]


def test_every_service_is_bounded_and_without_privileges(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]
        assert service["logging"]["options"]["max-size"]


def test_the_image_has_what_its_settings_need() -> None:
    pinned = (ROOT / "deploy" / "requirements.txt").read_text("utf-8")
    for package in ("boto3", "mcp", "redis"):
        assert re.search(rf"^{package}==", pinned, re.MULTILINE), package


def test_a_space_gets_the_page_and_nothing_private(space: dict[str, Any]) -> None:
    files = space["files"]()
    assert {"README.md", "app.py", "requirements.txt", "studio/page/build.py", "wan_client/client.py"} <= set(files)
    assert not [name for name in files if ".env" in name or name.startswith((".", "tests/", "benchmarks/", "deploy/"))]


def test_a_secret_that_git_knows_by_mistake_is_still_not_uploaded(
    space: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("app.py", ".env", "studio/.env", "studio/.env.local", "studio/page/build.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    for command in (["init", "-q"], ["add", "-A", "-f"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    monkeypatch.setitem(space["files"].__globals__, "ROOT", tmp_path)
    assert space["files"]() == ["app.py", "studio/page/build.py"]


def test_a_dry_run_says_everything_and_shows_no_token() -> None:
    secret = "rc-secret"
    ran = run_space(
        "me/wan",
        "--dry-run",
        "--with-token",
        "--variable",
        "WAN_LIMIT_BUDGET=5",
        RUNCOMFY_API_TOKEN=secret,
        PATH="/bin:/usr/bin",
    )
    assert ran.returncode == 0, ran.stderr
    assert "would create me/wan if it is not there (private)" in ran.stdout
    assert "would set variable WAN_LIMIT_BUDGET to 5" in ran.stdout
    assert "would set secret RUNCOMFY_API_TOKEN" in ran.stdout
    assert "app.py" in ran.stdout
    assert secret not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["wan"],
        ["/wan"],
        ["me/wan/more"],
        ["me/wan", "--with-token"],
        ["me/wan", "--variable", "RUNCOMFY_API_TOKEN=x"],
        ["me/wan", "--variable", "x"],
    ],
)
def test_what_would_go_wrong_is_refused(arguments: list[str]) -> None:
    ran = run_space("me/wan", *arguments, PATH="/bin:/usr/bin")
    assert ran.returncode in {2, 64}
    assert "Traceback" not in ran.stderr
