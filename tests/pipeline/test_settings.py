from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.settings import Settings, describe, parse_channels


def test_defaults_need_no_environment() -> None:
    settings = Settings.from_env({"PATH": "/bin", "OVERTONE_HOME": ""})
    assert settings == Settings()
    assert settings.store_url.endswith("/.overtone/overtone.db")


def test_values_are_read_with_their_types() -> None:
    settings = Settings.from_env(
        {
            "OVERTONE_HOME": "/data/calls",
            "OVERTONE_RIVA_TLS": "yes",
            "OVERTONE_SERVE_PORT": "0",
            "OVERTONE_RIVA_TIMEOUT_S": "2.5",
            "OVERTONE_CHANNELS": "customer, agent",
        }
    )
    assert settings.home == Path("/data/calls")
    assert settings.riva_tls is True
    assert (settings.serve_port, settings.riva_timeout_s) == (0, 2.5)
    assert settings.channels == ("customer", "agent")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OVERTONE_SERVE_PORT", "http", "OVERTONE_SERVE_PORT is 'http'; give a number"),
        ("OVERTONE_SERVE_PORT", "70000", "OVERTONE_SERVE_PORT is 70000"),
        ("OVERTONE_RIVA_TLS", "maybe", "give true or false"),
        ("OVERTONE_CHANNELS", "agent,boss", "OVERTONE_CHANNELS is 'agent,boss'"),
        ("OVERTONE_ASR_URL", "x:1", "unknown setting OVERTONE_ASR_URL"),
        ("OVERTONE_SERVE_CERT", "a.pem", "OVERTONE_SERVE_KEY"),
        ("OVERTONE_SERVE_CLIENT_CA", "ca.pem", "OVERTONE_SERVE_CERT"),
        ("OVERTONE_RIVA_CLIENT_KEY", "k.pem", "OVERTONE_RIVA_CLIENT_CERT"),
        ("OVERTONE_SERVE_QUEUE", "0", "at least 1"),
        ("OVERTONE_RIVA_TIMEOUT_S", "-1", "above 0"),
    ],
)
def test_a_bad_value_names_its_variable(variable: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        Settings.from_env({variable: value})


def test_a_child_process_gets_the_same_settings() -> None:
    settings = Settings.from_env({"OVERTONE_CHANNELS": "customer,agent", "OVERTONE_SERVE_PORT": "7"})
    child = settings.to_env({"PATH": "/bin", "OVERTONE_SERVE_PORT": "8", "OVERTONE_LANGUAGE": "de-DE"})
    assert child["PATH"] == "/bin"
    assert Settings.from_env(child) == settings


def test_secrets_are_masked() -> None:
    settings = Settings(riva_metadata="authorization=Bearer abc", database_url="postgresql+psycopg://o:p@ss/w@db/x")
    shown = {row["variable"]: row["value"] for row in describe(settings)}
    assert shown["OVERTONE_RIVA_METADATA"] == "***"
    assert shown["OVERTONE_DATABASE_URL"] == "postgresql+psycopg://o:***@db/x"


def test_channels_of_an_option_name_the_option() -> None:
    assert parse_channels("Customer", origin="--channels") == ("customer",)
    with pytest.raises(ConfigError, match="--channels"):
        parse_channels("", origin="--channels")
