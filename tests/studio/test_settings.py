"""The page's own settings."""

from __future__ import annotations

import socket
import tempfile
from dataclasses import asdict
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from studio import settings
from studio.i18n.texts import Texts, translations
from studio.settings import PUBLIC_LIMITS, LimitSettings, PageSettings
from wan_client import Backend, SettingsError
from wan_client.settings import DEFAULT_API_BASE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def limits(**environment: str) -> LimitSettings:
    return LimitSettings.load(environment)


def test_on_ones_own_machine_nothing_is_limited_unless_asked_for() -> None:
    assert limits() == LimitSettings()
    assert limits(GRADIO_SERVER_NAME="127.0.0.1") == limits(GRADIO_SERVER_NAME="::1") == LimitSettings()
    assert limits(GRADIO_SHARE="false") == LimitSettings()
    assert limits(WAN_LIMIT_BUDGET="2.5") == LimitSettings(budget=2.5)


@pytest.mark.parametrize(
    "place",
    [
        {"SPACE_ID": "a/b"},
        {"GRADIO_SERVER_NAME": "0.0.0.0"},
        {"GRADIO_SERVER_NAME": "::"},
        {"GRADIO_SERVER_NAME": "demo.example"},
        {"GRADIO_SHARE": "True"},
        {"GRADIO_SHARE": "1"},
        {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"},
        {"WAN_AUTH": "guest:long enough"},
    ],
)
def test_where_strangers_come_everything_is_limited_unless_said_otherwise(place: Mapping[str, str]) -> None:
    assert limits(**place) == PUBLIC_LIMITS
    assert all(value for name, value in asdict(PUBLIC_LIMITS).items() if name not in {"price", "storage_uri"})
    changed = limits(**place, WAN_LIMIT_VISITOR_DAILY="5", WAN_LIMIT_HOURLY="0")
    assert (changed.visitor_daily, changed.hourly, changed.daily) == (5, 0, PUBLIC_LIMITS.daily)


def test_whether_the_page_is_shared_is_decided_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not PageSettings.load({}).share
    assert PageSettings.load({"GRADIO_SHARE": "TRUE"}).share
    assert not PageSettings.load({"GRADIO_SHARE": "true", "SPACE_ID": "a/b"}).share
    monkeypatch.setattr("gradio.utils.colab_check", lambda: True)
    assert PageSettings.load({}).share
    assert limits() == PUBLIC_LIMITS
    assert not PageSettings.load({"GRADIO_SHARE": "false"}).share


@pytest.mark.parametrize("given", ["guest", "guest:", ":long enough", "guest:short"])
def test_a_login_that_can_not_hold_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        PageSettings.load({"WAN_AUTH": given})
    assert caught.value.code == "auth_malformed"
    assert given not in str(caught.value.values)
    assert "long enough" not in repr(PageSettings.load({"WAN_AUTH": "guest:long enough"}))


def test_free_runs_are_limited_by_what_the_server_bears_alone() -> None:
    free = limits(SPACE_ID="a/b", LIMITS_STORAGE_URI="redis://127.0.0.1").of_free_runs
    assert free == LimitSettings(
        visitor_at_once=PUBLIC_LIMITS.visitor_at_once, at_once=PUBLIC_LIMITS.at_once, uploads=PUBLIC_LIMITS.uploads
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("memory://", None),
        ("async+memory://", None),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("async+redis://127.0.0.1", "redis://127.0.0.1"),
        ("rediss://:secret@redis.example:6380/1", "rediss://:secret@redis.example:6380/1"),
    ],
)
def test_the_store_is_named_as_the_library_names_it(given: str, expected: str | None) -> None:
    assert limits(LIMITS_STORAGE_URI=given).storage_uri == expected


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("WAN_LIMIT_VISITOR_HOURLY", "ten"),
        ("WAN_LIMIT_VISITOR_DAILY", "-1"),
        ("WAN_LIMIT_VISITOR_AT_ONCE", "1001"),
        ("WAN_LIMIT_HOURLY", "0.5"),
        ("WAN_LIMIT_DAILY", "inf"),
        ("WAN_LIMIT_AT_ONCE", "nan"),
        ("WAN_LIMIT_BUDGET", "$10"),
        ("WAN_LIMIT_PRICE", "-0.03"),
        ("WAN_LIMIT_UPLOADS", "1.5"),
        ("WAN_TRUSTED_PROXIES", "10.0.0.0/8, everybody"),
        ("WAN_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("WAN_TRUSTED_PROXIES", "*"),
        ("LIMITS_STORAGE_URI", "memcached://:secret@127.0.0.1"),
        ("LIMITS_STORAGE_URI", "redis://:secret@"),
        ("LIMITS_STORAGE_URI", "redis://:secret@127.0.0.1:port"),
        ("LIMITS_STORAGE_URI", "127.0.0.1:6379"),
        ("WAN_SANDBOX_URL", "sandbox:8899"),
        ("WAN_SANDBOX_URL", "http://me:secret@sandbox:8899"),
        ("WAN_SANDBOX_URL", "http://sandbox:8899?"),
    ],
)
def test_what_can_not_be_used_is_told_in_a_sentence(name: str, given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        PageSettings.load({name: given})
    for language in translations():
        told = Texts(language).sentences(caught.value, sandbox=False)
        assert name in told
        assert "secret" not in told


def test_a_store_without_its_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "find_spec", lambda name: None)
    with pytest.raises(SettingsError) as caught:
        limits(LIMITS_STORAGE_URI="redis://127.0.0.1")
    assert 'pip install "wan-client[redis]"' in Texts("en").sentences(caught.value, sandbox=False)


def test_a_shared_sandbox_is_used_where_there_is_no_token_and_reached_without_a_proxy() -> None:
    named = {"WAN_SANDBOX_URL": "http://sandbox:8899/"}
    shared = PageSettings.load({**named, "RUNCOMFY_API_BASE": "https://api.example"})
    assert (shared.engine.backend, shared.engine.api_base) == (Backend.SANDBOX, "http://sandbox:8899")
    assert shared.hosted_base == "https://api.example"
    environ: dict[str, str] = {}
    shared.export_to_environment(environ)
    assert "sandbox" in environ["NO_PROXY"].split(",")
    paid = PageSettings.load({**named, "RUNCOMFY_API_TOKEN": "a-token"})
    assert (paid.engine.backend, paid.engine.api_base) == (Backend.RUNCOMFY, DEFAULT_API_BASE)


def test_only_a_space_trusts_proxies_of_itself() -> None:
    def trusts(address: str, **environment: str) -> bool:
        return any(ip_address(address) in network for network in PageSettings.load(environment).trusted_proxies)

    assert not trusts("127.0.0.1")
    assert trusts("10.1.2.3", SPACE_ID="a/b")
    assert not trusts("203.0.113.9", SPACE_ID="a/b")
    assert not trusts("10.1.2.3", SPACE_ID="a/b", WAN_TRUSTED_PROXIES="none")
    assert trusts("192.0.2.1", WAN_TRUSTED_PROXIES="192.0.2.0/24, ::1")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("GRADIO_SERVER_PORT", "abc", "number_malformed"),
        ("GRADIO_SERVER_PORT", "70000", "number_malformed"),
        ("GRADIO_SERVER_NAME", "192.0.2.1", "address_unusable"),
        ("GRADIO_SERVER_NAME", "not a host", "address_unusable"),
        ("WAN_LOG", "jsno", "choice_unknown"),
        ("GRADIO_TEMP_DIR", __file__, "folder_unusable"),
    ],
)
def test_odd_surroundings_are_a_sentence_with_the_variables_name(name: str, value: str, code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        PageSettings.load({name: value})
    assert (caught.value.code, caught.value.values["name"]) == (code, name)


def test_an_ipv6_address_is_taken_with_brackets_and_without() -> None:
    assert socket.has_ipv6
    assert PageSettings.load({"GRADIO_SERVER_NAME": "[::1]"}).host == "::1"
    assert PageSettings.load({"GRADIO_SERVER_NAME": "::"}).host == "::"


def test_where_gradios_folder_is_anothers_the_page_takes_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert PageSettings.load({}).folder is None
    (tmp_path / "gradio").rmdir()
    # Not even root writes into a file as if it were a folder.
    (tmp_path / "gradio").write_text("")
    folder = PageSettings.load({}).folder
    assert folder
    assert folder.parent == tmp_path


def test_no_proxy_catches_what_stays_on_this_machine() -> None:
    environ = {"NO_PROXY": "inside.example", "GRADIO_SERVER_NAME": "::1"}
    PageSettings.load({}).export_to_environment(environ)
    assert "GRADIO_SERVER_NAME" not in environ
    assert environ["no_proxy"] == environ["NO_PROXY"] == "inside.example,localhost,127.0.0.1,::1"
