"""Speech and certificates for the server's tests, made from what the installed packages bring."""

from __future__ import annotations

import datetime
import io
import ipaddress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Floats = npt.NDArray[np.float32]
Pcm = npt.NDArray[np.int16]

RATE_HZ = 16_000
# What is read in two_cities.wav, which lies in the wheel of moonshine-voice.
TIMES = "it was the best of times it was the worst of times"  # from 1.2 to 4.6 s
WISDOM = "it was the age of wisdom"  # from 5.0 to 6.2 s


@lru_cache
def reading(start_s: float = 0.9, end_s: float = 4.8) -> Pcm:
    """A man reading the beginning of A Tale of Two Cities, 16 kHz mono; 44 s of it are there."""
    spec = find_spec("moonshine_voice")
    assert spec is not None
    assert spec.submodule_search_locations
    with av.open(str(Path(spec.submodule_search_locations[0]) / "assets" / "two_cities.wav")) as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    whole = np.concatenate([frame.to_ndarray()[0] for frame in frames + resampler.resample(None)])
    return whole[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]


def at_rate(pcm: Pcm, rate_hz: int) -> Pcm:
    """16 kHz ``pcm`` at another rate."""
    if rate_hz == RATE_HZ:
        return pcm
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    parts = resampler.resample(frame_of(pcm)) + resampler.resample(None)
    return np.concatenate([part.to_ndarray()[0] for part in parts])


def frame_of(pcm: Pcm) -> av.AudioFrame:
    """One FFmpeg frame of 16 kHz ``pcm``."""
    frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    return frame


def encoded(pcm: Pcm, container: str, codec: str, rate_hz: int = RATE_HZ, layout: str = "mono") -> bytes:
    """A file of 16 kHz ``pcm``, e.g. container ``ogg``, codec ``libopus``; the same on both sides where stereo."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=rate_hz, frame_size=stream.codec_context.frame_size
        )
        for part in resampler.resample(frame_of(pcm)) + resampler.resample(None):
            file.mux(stream.encode(part))
        # At the end FLAC sends a packet of nothing but side data, which not every container takes.
        file.mux([packet for packet in stream.encode(None) if packet.size])
    return target.getvalue()


def wav(pcm: Pcm, rate_hz: int = RATE_HZ, layout: str = "mono", codec: str = "pcm_s16le") -> bytes:
    """A WAV file of 16 kHz ``pcm``."""
    return encoded(pcm, "wav", codec, rate_hz, layout)


def noise(seconds: float, seed: int = 0) -> Pcm:
    """White noise, rather loud."""
    return np.random.default_rng(seed).normal(0, 2000, round(seconds * RATE_HZ)).astype(np.int16)


def silence(seconds: float) -> Pcm:
    """Nothing at all."""
    return np.zeros(round(seconds * RATE_HZ), dtype=np.int16)


def floats(pcm: Pcm) -> Floats:
    """``pcm`` as -1..1."""
    return pcm.astype(np.float32) / np.float32(1 << 15)


def certificates(folder: Path) -> dict[str, Path]:
    """PEM files in ``folder``: ``ca``, and ``cert`` and ``key`` signed by it, good for localhost and as a client's."""
    now = datetime.datetime.now(datetime.UTC)
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "leaf")}
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Overtone test authority")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = {}
    for name in ("ca", "leaf"):
        subject = issuer if name == "ca" else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        builder = x509.CertificateBuilder(
            issuer_name=issuer,
            subject_name=subject,
            public_key=keys[name].public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(hours=1),
            not_valid_after=now + datetime.timedelta(days=1),
        ).add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
        if name == "leaf":
            builder = builder.add_extension(names, critical=False)
        made[name] = builder.sign(keys["ca"], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = keys["leaf"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files = {"ca": made["ca"], "cert": made["leaf"], "key": private}
    for name, data in files.items():
        (folder / f"{name}.pem").write_bytes(data)
    return {name: folder / f"{name}.pem" for name in files}
