"""What NVIDIA's own command line clients do, done through the same functions of their package."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import riva.client as riva
import riva.client.proto.riva_asr_pb2 as asr_wire
import riva.client.proto.riva_tts_pb2 as tts_wire
from riva.client.argparse_utils import EXIT_INVALID_ARGUMENT, EXIT_UNAVAILABLE, cli_main

from tests.server.material import TIMES, WISDOM, encoded, reading, silence, wav

TWO = np.concatenate((silence(0.5), reading(), silence(1.2), reading(4.8, 6.5), silence(1.0)))


@pytest.fixture(scope="module")
def auth(speech_server: str) -> riva.Auth:
    return riva.Auth(uri=speech_server)


@pytest.fixture(scope="module", params=[16_000, 22_050, 48_000])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of two sentences at one of the rates that NVIDIA's examples have."""
    path = tmp_path_factory.mktemp("recordings") / f"two-{request.param}.wav"
    path.write_bytes(wav(TWO, request.param))
    return path


def streaming_config(**said: Any) -> asr_wire.StreamingRecognitionConfig:
    """The config of transcribe_file.py: no encoding, no rate, no language, everything optional sent."""
    config = riva.StreamingRecognitionConfig(
        config=riva.RecognitionConfig(max_alternatives=1, verbatim_transcripts=True, **said), interim_results=True
    )
    riva.add_word_boosting_to_config(config, None, 4.0)
    riva.add_speaker_diarization_to_config(config, False, 3)
    riva.add_endpoint_parameters_to_config(config, -1, -1.0, -1, -1, -1.0, -1.0)
    riva.add_custom_configuration_to_config(config, "")
    return config


def printed(auth: riva.Auth, path: Path, config: asr_wire.StreamingRecognitionConfig, **how: Any) -> str:
    """What transcribe_file.py prints."""
    service, output = riva.ASRService(auth), io.StringIO()
    with riva.AudioChunkFileIterator(path, 1600) as audio:
        responses = service.streaming_response_generator(audio_chunks=audio, streaming_config=config)
        riva.print_streaming(responses=responses, output_file=output, **how)
    return output.getvalue()


def test_transcribe_file(auth: riva.Auth, recording: Path) -> None:
    assert printed(auth, recording, streaming_config()).splitlines() == [f"## {TIMES} ", f"## {WISDOM} "]


def test_transcribe_file_with_confidence_and_with_intermediate_results(auth: riva.Auth, tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    path.write_bytes(wav(TWO))
    lines = printed(auth, path, streaming_config(), additional_info="confidence").splitlines()
    assert f"## {TIMES} " in lines
    assert any(line.startswith("Confidence:") for line in lines)
    assert f"## {WISDOM} " in printed(auth, path, streaming_config(), show_intermediate=True)


def test_transcribe_file_of_another_format_is_sent_as_it_is(auth: riva.Auth, tmp_path: Path) -> None:
    path = tmp_path / "two.flac"
    path.write_bytes(encoded(TWO, "flac", "flac"))
    assert printed(auth, path, streaming_config()).splitlines() == [f"## {TIMES} ", f"## {WISDOM} "]


def test_riva_streaming_asr_client_with_several_clients_and_iterations(auth: riva.Auth, tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    path.write_bytes(wav(TWO))
    config = streaming_config(enable_word_time_offsets=True, enable_automatic_punctuation=True)
    outputs: list[str] = []

    def client() -> None:
        for _ in range(2):
            outputs.append(printed(auth, path, config, additional_info="time", word_time_offsets=True))

    threads = [threading.Thread(target=client) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(outputs) == 6
    for output in outputs:
        assert output.count("Transcript 0: It was the") == 2
        rows = [line.split() for line in output.splitlines() if line.startswith(("wisdom", "It "))]
        assert [row[0] for row in rows] == ["It", "It", "wisdom."]
        assert all(int(row[1]) < int(row[2]) for row in rows)


def test_transcribe_file_offline(auth: riva.Auth, recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = riva.RecognitionConfig(max_alternatives=1, enable_automatic_punctuation=True, verbatim_transcripts=False)
    riva.print_offline(response=riva.ASRService(auth).offline_recognize(recording.read_bytes(), config))
    shown, _, transcript = capsys.readouterr().out.partition("Final transcript: ")
    assert transcript.lower().replace(",", "").replace(".", "") == f"{TIMES} {WISDOM} \n"
    assert json.loads(shown)["results"][0]["channelTag"] == 1


def test_transcribe_file_offline_of_silence_prints_nothing_and_does_not_fail(
    auth: riva.Auth, capsys: pytest.CaptureFixture[str]
) -> None:
    riva.print_offline(response=riva.ASRService(auth).offline_recognize(wav(silence(1)), riva.RecognitionConfig()))
    assert "Final transcript" not in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "expected"), [("offline", "whisper-tiny.en"), ("online", "moonshine-tiny-en")])
def test_list_models(auth: riva.Auth, kind: str, expected: str) -> None:
    request = asr_wire.RivaSpeechRecognitionConfigRequest()
    models: dict[str, list[str]] = {}
    for found in riva.ASRService(auth).stub.GetRivaSpeechRecognitionConfig(request).model_config:
        if found.parameters["type"] == kind:
            models.setdefault(found.parameters["language_code"], []).append(found.model_name)
    assert models == {"en-US": [expected]}


def test_list_voices_and_talk(auth: riva.Auth) -> None:
    service = riva.SpeechSynthesisService(auth)
    (model,) = service.stub.GetRivaSynthesisConfig(tts_wire.RivaSynthesisConfigRequest()).model_config
    subvoice = model.parameters["subvoices"].split(",")[0].split(":")[0]
    voice = f"{model.parameters['voice_name']}.{subvoice}"
    text = "Hello. How can I help you today?"
    whole = service.synthesize(text, voice, "en-US", sample_rate_hz=22_050, custom_dictionary={}).audio
    parts = [part.audio for part in service.synthesize_online([text], voice, "en-US", sample_rate_hz=22_050)]
    assert len(parts) > 1
    assert b"".join(parts) == whole


def test_the_exit_codes_of_nvidias_command_line(auth: riva.Auth, tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    path.write_bytes(wav(reading()))

    def unknown_language() -> None:
        printed(auth, path, streaming_config(language_code="ru-RU"))

    def no_server() -> None:
        printed(riva.Auth(uri="localhost:1"), path, streaming_config())

    assert cli_main(unknown_language)() == EXIT_INVALID_ARGUMENT
    assert cli_main(no_server)() == EXIT_UNAVAILABLE
