from __future__ import annotations

import logging
from pathlib import Path

import pytest

from wan_client import Backend, Settings, SettingsError
from wan_client.settings import check_base, check_network, is_loopback

TOKEN = "tok-A1b2C3"


def test_the_first_token_name_wins() -> None:
    both = {"RUNCOMFY_API_TOKEN": "first", "RUNCOMFY_TOKEN": "second"}
    assert Settings.load(both).token == "first"
    assert Settings.load({"RUNCOMFY_TOKEN": "second"}).token == "second"
    assert Settings.load({"RUNCOMFY_API_TOKEN": " ", "RUNCOMFY_TOKEN": "second"}).token == "second"


def test_a_token_chooses_the_engine_unless_told_otherwise() -> None:
    assert Settings.load({}).backend is Backend.SANDBOX
    assert Settings.load({"RUNCOMFY_TOKEN": TOKEN}).backend is Backend.RUNCOMFY
    forced = Settings.load({"RUNCOMFY_TOKEN": TOKEN, "WAN_BACKEND": "Sandbox"})
    assert forced.backend is Backend.SANDBOX
    assert forced.token != TOKEN, "a real token is never shown to the sandbox"
    assert Settings.load({"RUNCOMFY_TOKEN": TOKEN}).api_base == "https://model-api.runcomfy.net"


def test_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("RUNCOMFY_API_TOKEN=of-the-file\nWAN_DEADLINE=60\n")
    assert Settings.load().token == "of-the-file"
    assert Settings.load().deadline == 60
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "of-the-shell")
    assert Settings.load().token == "of-the-shell"


VENDOR = "https://model-api.runcomfy.net/"


@pytest.mark.parametrize(
    ("shell", "file", "refused"),
    [
        ({"RUNCOMFY_API_TOKEN": TOKEN}, {"RUNCOMFY_API_BASE": "https://example.com"}, True),
        ({"RUNCOMFY_TOKEN": TOKEN}, {"RUNCOMFY_API_BASE": "https://example.com"}, True),
        ({"RUNCOMFY_API_BASE": "https://example.com"}, {"RUNCOMFY_API_TOKEN": TOKEN}, True),
        ({"RUNCOMFY_API_TOKEN": TOKEN}, {"RUNCOMFY_API_BASE": "https://example.com", "RUNCOMFY_TOKEN": "x"}, True),
        ({"RUNCOMFY_API_TOKEN": " "}, {"RUNCOMFY_API_BASE": "https://example.com", "RUNCOMFY_TOKEN": "x"}, False),
        ({"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_API_BASE": "https://example.com"}, {}, False),
        ({}, {"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_API_BASE": "https://example.com"}, False),
        ({"RUNCOMFY_API_TOKEN": TOKEN}, {"RUNCOMFY_API_BASE": VENDOR}, False),
        ({"RUNCOMFY_API_TOKEN": TOKEN}, {"RUNCOMFY_API_BASE": "http://127.0.0.1:9"}, False),
        ({"RUNCOMFY_API_TOKEN": TOKEN, "WAN_BACKEND": "sandbox"}, {"RUNCOMFY_API_BASE": "https://example.com"}, False),
    ],
)
def test_a_token_does_not_follow_an_address_that_is_set_elsewhere(
    monkeypatch: pytest.MonkeyPatch, shell: dict[str, str], file: dict[str, str], *, refused: bool
) -> None:
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in file.items()))
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    if not refused:
        Settings.load()
        return
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert caught.value.code == "base_of_another_place"
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("model", ["", " x", "../x", "a//b", "a/", "/a", "a b", "a?b", "a#b", "a/../b", "é", "x" * 300])
def test_what_is_no_model_is_refused(model: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(Backend.RUNCOMFY, token=TOKEN, model=model)
    assert caught.value.code == "model_malformed"


def test_the_model_is_read_from_the_environment() -> None:
    assert Settings.load({"RUNCOMFY_TOKEN": TOKEN, "WAN_MODEL": "wan-ai/wan-2.7/edit"}).model == "wan-ai/wan-2.7/edit"


def test_env_file_is_taken_literally() -> None:
    Path(".env").write_text("RUNCOMFY_API_TOKEN='a${HOME}b'\n")
    assert Settings.load().token == "a${HOME}b"


def test_env_file_that_is_no_text_is_a_clear_error() -> None:
    Path(".env").write_bytes(b"RUNCOMFY_API_TOKEN=\xff\xfe\n")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert caught.value.code == "env_file_unreadable"
    assert ".env" in str(caught.value)


@pytest.mark.parametrize(
    ("env", "code"),
    [
        ({"WAN_BACKEND": "runcomfy"}, "token_missing"),
        ({"WAN_BACKEND": "cloud"}, "backend_unknown"),
        ({"RUNCOMFY_TOKEN": "to ken"}, "token_malformed"),
        ({"RUNCOMFY_TOKEN": "tok\u00e9n"}, "token_malformed"),
        ({"RUNCOMFY_TOKEN": "to\nken"}, "token_malformed"),
        ({"RUNCOMFY_API_BASE": "http://model-api.runcomfy.net"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "http://127.0.0.1.example.com"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "https://user:pw@example.com"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "https://example.com/?a=1"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "https://example.com?"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "https://example.com/#x"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "https://example.com#"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "https://example.com:99999"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "ftp://example.com"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "https://"}, "base_malformed"),
        ({"RUNCOMFY_API_BASE": "example.com"}, "base_malformed"),
        ({"WAN_DEADLINE": "soon"}, "number_malformed"),
        ({"WAN_DEADLINE": "0"}, "number_malformed"),
        ({"WAN_DEADLINE": "nan"}, "number_malformed"),
        ({"WAN_DEADLINE": "inf"}, "number_malformed"),
    ],
)
def test_a_bad_value_is_named(env: dict[str, str], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"RUNCOMFY_API_BASE": "http://127.0.0.1:1", **env})
    assert caught.value.code == code
    assert str(caught.value.values["name"]) in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://example.com/", "https://example.com"),
        ("https://example.com/api/", "https://example.com/api"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_base_may_be_https_or_http_on_this_machine(given: str, base: str) -> None:
    assert check_base(given) == base
    assert is_loopback(base) == base.startswith("http:")


def test_settings_made_by_hand_are_checked_as_well() -> None:
    with pytest.raises(SettingsError):
        Settings(Backend.RUNCOMFY, "http://example.com", TOKEN)
    with pytest.raises(SettingsError) as caught:
        Settings(Backend.RUNCOMFY, token=f"{TOKEN}\r\nX-Other: 1")
    assert TOKEN not in str(caught.value)
    with pytest.raises(SettingsError):
        Settings(Backend.RUNCOMFY, token=TOKEN, deadline=0)


def test_the_token_is_in_no_repr_and_no_message(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        settings = Settings.load({"RUNCOMFY_TOKEN": TOKEN})
        logging.getLogger().debug("%r %s", settings, settings)
    assert TOKEN not in caplog.text
    with pytest.raises(SettingsError) as caught:
        Settings.load({"RUNCOMFY_TOKEN": f"{TOKEN} {TOKEN}"})
    assert TOKEN not in f"{caught.value!s}{caught.value!r}{caught.value.values}"


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"HTTP_PROXY": "foo://proxy.example"}, "proxy_malformed"),
        ({"https_proxy": "http://user:secret@proxy.example:port"}, "proxy_malformed"),
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, "proxy_socks"),
        ({"NO_PROXY": "localhost,[::1]"}, "no_proxy_malformed"),
        ({"no_proxy": "::1/128"}, "no_proxy_malformed"),
        ({"SSL_CERT_FILE": "nowhere.pem"}, "certificates_unusable"),
        ({"SSL_CERT_FILE": __file__}, "certificates_unusable"),
    ],
)
def test_a_bad_network_variable_is_a_sentence_with_its_name(variables: dict[str, str], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_network(variables)
    assert caught.value.code == code
    assert next(iter(variables)) in str(caught.value)
    assert "secret" not in str(caught.value)


def test_usable_network_variables_pass() -> None:
    check_network(
        {
            "HTTP_PROXY": "proxy.example:3128",
            "HTTPS_PROXY": "http://user:secret@proxy.example:3128",
            "NO_PROXY": "localhost, 127.0.0.1, ::1, .example.com, 10.0.0.0/8, https://inside.example,*",
            "SSL_CERT_FILE": "",
        }
    )
