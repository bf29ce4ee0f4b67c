"""How a server starts, listens, refuses, and ends: real processes, real sockets, real certificates."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import riva.client as riva
import riva.client.proto.health_pb2 as health
import riva.client.proto.health_pb2_grpc as health_grpc
import riva.client.proto.riva_asr_pb2 as wire

from pipeline.server import text_forms
from pipeline.settings import DATA, Settings
from tests.server.material import RATE_HZ, TIMES, certificates, reading, silence, wav
from tests.server.running import Running, running, start

SPEECH = wav(reading())
UTTERANCE = np.concatenate((reading(), silence(1.5)))  # with the silence that ends it
CONFIG = riva.RecognitionConfig(enable_automatic_punctuation=True)


def transcript(auth: riva.Auth) -> str:
    (result,) = riva.ASRService(auth).offline_recognize(SPEECH, CONFIG).results
    return text_forms.plain(result.alternatives[0].transcript)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server on a unix socket with one thread and a queue of one."""
    folder = tmp_path_factory.mktemp("small")
    host = f"unix:{folder}/riva.sock"
    with running(folder / "log", serve_host=host, serve_queue="1", serve_threads="1") as server:
        assert server.uri == host
        yield server


def test_a_unix_socket_serves(small: Running) -> None:
    assert transcript(riva.Auth(uri=small.uri)) == TIMES


def test_an_overloaded_server_says_so_at_once_and_serves_the_rest(small: Running) -> None:
    stub = riva.ASRService(riva.Auth(uri=small.uri)).stub
    request = wire.RecognizeRequest(config=CONFIG, audio=wav(reading(0, 44)))

    def ask(_: int) -> str:
        try:
            return text_forms.plain(stub.Recognize(request).results[0].alternatives[0].transcript)[:24]
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    served = [answer for answer in answers if answer == TIMES[:24]]
    refused = [answer for answer in answers if answer.startswith("RESOURCE_EXHAUSTED: the offline recogniser is busy")]
    assert served
    assert refused
    assert len(served) + len(refused) == 8
    assert transcript(riva.Auth(uri=small.uri)) == TIMES


def test_more_streams_than_there_is_room_for_are_refused(small: Running) -> None:
    stub = riva.ASRService(riva.Auth(uri=small.uri)).stub
    streaming = riva.StreamingRecognitionConfig(config=CONFIG)
    opening = wire.StreamingRecognizeRequest(streaming_config=streaming)
    audio = wire.StreamingRecognizeRequest(audio_content=wav(UTTERANCE))
    done = threading.Event()

    def sent() -> Iterator[Any]:
        yield opening
        yield audio
        done.wait(60)

    # Each of them is inside for sure once it has answered.
    streams = [stub.StreamingRecognize(sent()) for _ in range(4)]
    try:
        assert all(next(stream).results for stream in streams)
        with pytest.raises(grpc.RpcError) as caught:
            next(stub.StreamingRecognize(sent()))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    finally:
        done.set()
        for stream in streams:
            stream.cancel()


def test_each_failed_request_leaves_one_line_in_the_log(small: Running) -> None:
    service = riva.ASRService(riva.Auth(uri=small.uri))
    with pytest.raises(grpc.RpcError):
        service.offline_recognize(SPEECH, riva.RecognitionConfig(language_code="xx-XX"))
    (line,) = (line for line in small.log.read_text().splitlines() if "xx-XX" in line)
    assert "/nvidia.riva.asr.RivaSpeechRecognition/Recognize" in line
    assert "failed: INVALID_ARGUMENT Error: Unavailable model requested. Lang: xx-XX, Type: offline" in line
    assert "Traceback" not in small.log.read_text()


def test_translation_is_unimplemented(small: Running) -> None:
    client = riva.NeuralMachineTranslationClient(riva.Auth(uri=small.uri))
    with pytest.raises(grpc.RpcError) as caught:
        client.translate(["hello"], "", "en", "de")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_tls_with_certificates_on_both_sides(tmp_path: Path) -> None:
    files = {name: str(path) for name, path in certificates(tmp_path).items()}
    settings = {"serve_cert": files["cert"], "serve_key": files["key"], "serve_client_ca": files["ca"]}
    with running(tmp_path / "log", **settings) as server:
        both = riva.Auth(
            ssl_root_cert=files["ca"],
            ssl_client_cert=files["cert"],
            ssl_client_key=files["key"],
            uri=server.uri,
            # With TLS, NVIDIA's client sends its metadata twice.
            metadata_args=[["authorization", "Bearer x"], ["function-id", "y"]],
        )
        assert transcript(both) == TIMES
        for stranger in (
            riva.Auth(ssl_root_cert=files["ca"], uri=server.uri),
            riva.Auth(uri=server.uri),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                transcript(stranger)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_tls_with_the_servers_certificate_alone(tmp_path: Path) -> None:
    files = {name: str(path) for name, path in certificates(tmp_path).items()}
    with running(tmp_path / "log", serve_cert=files["cert"], serve_key=files["key"]) as server:
        stub = health_grpc.HealthStub(riva.Auth(ssl_root_cert=files["ca"], uri=server.uri).channel)
        assert stub.Check(health.HealthCheckRequest()).status == health.HealthCheckResponse.ServingStatus.SERVING


def test_sigterm_lets_calls_in_progress_finish_and_tells_those_who_watch(tmp_path: Path) -> None:
    with running(tmp_path / "log") as server:
        auth = riva.Auth(uri=server.uri)
        watching = health_grpc.HealthStub(auth.channel).Watch(health.HealthCheckRequest())
        assert next(watching).status == health.HealthCheckResponse.ServingStatus.SERVING
        asr = riva.ASRService(auth)
        streaming = riva.StreamingRecognitionConfig(
            config=riva.RecognitionConfig(encoding=riva.AudioEncoding.LINEAR_PCM, sample_rate_hertz=RATE_HZ)
        )
        told, stopping = threading.Event(), threading.Event()

        def speech() -> Iterator[bytes]:
            yield UTTERANCE.tobytes()
            told.wait(60)
            server.process.send_signal(signal.SIGTERM)
            stopping.wait(60)
            yield UTTERANCE.tobytes()

        answers = asr.streaming_response_generator(speech(), streaming)
        first = next(answers).results[0].alternatives[0].transcript
        told.set()
        assert next(watching).status == health.HealthCheckResponse.ServingStatus.NOT_SERVING
        stopping.set()
        rest = [result.alternatives[0].transcript for answer in answers for result in answer.results]
        assert [first, *rest] == [TIMES + " ", TIMES + " "]
        assert server.process.wait(60) == 0
    assert "Traceback" not in server.log.read_text()


def test_a_server_ends_with_its_parent(tmp_path: Path) -> None:
    with running(tmp_path / "log") as server:
        pass
    assert server.process.returncode == 0


def failure(log: Path, **settings: str) -> str:
    """The one line that a server says which does not start."""
    with start(log, **settings) as process:
        assert process.stdout is not None
        assert process.stdout.read() == ""
        assert process.wait(120) == 1
    *before, line = log.read_text().splitlines()
    assert line.startswith("overtone: ")
    assert not any("Traceback" in warning for warning in before)
    return line


def test_a_second_server_on_the_same_port_fails_with_one_line(speech_server: str, tmp_path: Path) -> None:
    port = speech_server.rpartition(":")[2]
    line = failure(tmp_path / "log", serve_port=port)
    assert line == (
        f"overtone: cannot listen on 127.0.0.1:{port}: something listens there already; "
        "change OVERTONE_SERVE_HOST or OVERTONE_SERVE_PORT"
    )


def test_weights_that_are_not_the_known_ones_stop_the_start_with_one_line(tmp_path: Path) -> None:
    table = json.loads((DATA / "models" / "weights.json").read_text())
    table["weights"]["whisper-tiny.en"]["files"]["model.bin"] = "0" * 64
    (tmp_path / "weights.json").write_text(json.dumps(table))
    (tmp_path / "sentiment").symlink_to(Settings().models / "sentiment")
    line = failure(tmp_path / "log", models=str(tmp_path))
    assert "model.bin of the weights whisper-tiny.en is not the file we know" in line


def test_missing_models_stop_the_start_with_one_line(tmp_path: Path) -> None:
    line = failure(tmp_path / "log", models=str(tmp_path))
    assert line.startswith("overtone: no model 'sentiment'")


def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path: Path) -> None:
    assert failure(tmp_path / "log", serve_port="http") == "overtone: OVERTONE_SERVE_PORT is 'http'; give a number"
