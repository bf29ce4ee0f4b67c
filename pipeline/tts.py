"""Speech from text by a Riva server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import grpc
import riva.client
import riva.client.proto.riva_tts_pb2 as wire
import riva.client.proto.riva_tts_pb2_grpc as wire_grpc
from riva.client.proto.riva_audio_pb2 import AudioEncoding

from pipeline import rpc

RATE_HZ = 22_050


class Speaker:
    """The voice behind one connection to a Riva server. Threads may share it; the connection's owner closes it."""

    def __init__(
        self,
        auth: riva.client.Auth,
        *,
        address: str,
        language: str = "en-US",
        rate_hz: int = RATE_HZ,
        timeout_s: float = 120.0,
        patience_s: float = 20.0,
        setting: str = "OVERTONE_TTS_URI",
    ) -> None:
        self._service = rpc.Service("speech synthesis", address, setting, timeout_s, patience_s)
        self._metadata = auth.get_auth_metadata()
        self._stub = wire_grpc.RivaSpeechSynthesisStub(auth.channel)
        self._language, self._rate_hz = language, rate_hz

    @cached_property
    def voices(self) -> tuple[str, ...]:
        """The names of the voices that the server offers, asked once; BackendError as for any call."""
        answer = rpc.call(
            self._service,
            self._stub.GetRivaSynthesisConfig,
            wire.RivaSynthesisConfigRequest(),
            self._metadata,
            asked="the list of voices",
        )
        return tuple(config.parameters["voice_name"] or config.model_name for config in answer.model_config)

    def say(self, text: str, voice: str = "") -> tuple[bytes, int]:
        """The text spoken: 16-bit little-endian mono samples, and how many a second.

        The server chooses the voice if none is named. Raises BackendError or CapabilityAbsent (an unknown voice, say).
        """
        answer = rpc.call(
            self._service, self._stub.Synthesize, self._request(text, voice), self._metadata, asked=_asked(voice)
        )
        return bytes(answer.audio), self._rate_hz

    def say_online(self, text: str, voice: str = "", *, patience_s: float | None = None) -> Iterator[bytes]:
        """The samples of ``say`` in chunks, as they are made; tried again only while none has come.

        ``patience_s`` is for how long (None: as for any call).
        """
        patience = rpc.Patience(self._service.within(patience_s))
        while True:
            answers = self._stub.SynthesizeOnline(
                iter([self._request(text, voice)]), timeout=self._service.timeout_s, metadata=self._metadata
            )
            begun = False
            try:
                for answer in answers:
                    begun = True
                    yield bytes(answer.audio)
                return
            except grpc.RpcError as error:
                if begun:
                    raise rpc.translate(error, self._service, _asked(voice)) from error
                patience.bear(error, _asked(voice))
            finally:
                answers.cancel()

    def _request(self, text: str, voice: str) -> wire.SynthesizeSpeechRequest:
        return wire.SynthesizeSpeechRequest(
            text=text,
            language_code=self._language,
            encoding=AudioEncoding.LINEAR_PCM,
            sample_rate_hz=self._rate_hz,
            voice_name=voice,
        )


def _asked(voice: str) -> str:
    return f"voice {voice!r}" if voice else "speech synthesis"
