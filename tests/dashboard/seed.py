"""Fills a store with calls that read like calls: for the dashboard's tests, its screenshots and for trying it out.

``python -m tests.dashboard.seed HOME [CALLS]`` fills the home folder HOME. The sentences are written for this purpose;
their sentiment is what the writer meant, with a little noise in the probabilities. The sound is shaped noise, one
channel per speaker, loud where that speaker's sentences are.
"""

from __future__ import annotations

import random
import sys
import wave
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from pipeline.calls import Call, Sentence, Sentiment, SentimentLabel, SpeakerRole
from pipeline.settings import Settings
from pipeline.store import Store, open_store

MODEL = "sentiment@2026.11.1"
RATE_HZ = 16_000
AGENTS = ("Maya Lindqvist", "Tom Okafor", "Priya Raman", "Jonas Weber", "Elena Petrova", "Sam Castellano")
# How the customers of each agent tend to leave the call; gives the trends something to show.
KNACK = {"Maya Lindqvist": 0.35, "Tom Okafor": 0.1, "Priya Raman": 0.3, "Jonas Weber": -0.3, "Elena Petrova": 0.05}
CUSTOMERS = (
    *("Dana Whitfield", "Luis Ferreira", "Harriet Cole", "Ben Achterberg", "Yuki Tanaka", "Oluwaseun Bello"),
    *("Grace Murphy", "Ivan Horvat", "Amelia Stone", "Peter Novak", "Fatima Haddad", "George Ellery"),
    *("Chloe Martin", "Rashid Khan", "Nora Jensen", "William Abbott", "Sofia Marchetti", "Derek Pool"),
)
Line = tuple[SpeakerRole, str, SentimentLabel]
SCRIPTS: dict[str, tuple[Line, ...]] = {
    "billing-dispute": (
        ("agent", "Thank you for calling Northway Energy, how can I help you today?", "positive"),
        ("customer", "Hi, I have just opened my bill and it is twice what I normally pay.", "negative"),
        ("customer", "I am really fed up, this is the second time since the summer.", "negative"),
        ("agent", "I am sorry about that, let me bring up your account.", "neutral"),
        ("agent", "Can you give me the last four digits of your customer number?", "neutral"),
        ("customer", "It is four four one nine.", "neutral"),
        ("agent", "I can see an estimated reading in October, and that is where it goes wrong.", "neutral"),
        ("customer", "So I paid for electricity that I never used?", "negative"),
        ("agent", "You will get eighty two pounds back, and I have booked a proper reading for Friday.", "positive"),
        ("customer", "Oh, that was quicker than I thought.", "positive"),
        ("customer", "Thank you, you have been really helpful.", "positive"),
        ("agent", "My pleasure, have a lovely afternoon.", "positive"),
    ),
    "cancellation": (
        ("agent", "Good morning, you are through to customer care.", "neutral"),
        ("customer", "I want to cancel my contract and I want to cancel it today.", "negative"),
        ("agent", "May I ask what happened?", "neutral"),
        ("customer", "Three engineers, three missed appointments, and nobody ever called me back.", "negative"),
        ("customer", "I took a day off work each time, it is an absolute disgrace.", "negative"),
        ("agent", "I understand, that is not how it should be.", "neutral"),
        ("customer", "Do not read that from a card at me.", "negative"),
        ("agent", "The contract runs until the end of March.", "neutral"),
        ("customer", "Then send me the form, I am done with you people.", "negative"),
        ("agent", "You will have it by email within the hour.", "neutral"),
    ),
    "praise": (
        ("agent", "Hello, thanks for waiting, what can I do for you?", "positive"),
        ("customer", "Nothing at all, I only wanted to say that your engineer yesterday was brilliant.", "positive"),
        ("customer", "He found the fault in five minutes and even cleaned up behind himself.", "positive"),
        ("agent", "That is wonderful to hear, I will pass it on to him.", "positive"),
        ("customer", "Please do, I have told all my neighbours.", "positive"),
        ("agent", "You have made my day.", "positive"),
    ),
    "outage": (
        ("customer", "The internet has been down in our whole street since six this morning.", "negative"),
        ("agent", "I can see a damaged cable near the station, a team is on site.", "neutral"),
        ("customer", "When will it be back?", "neutral"),
        ("agent", "They expect to be finished around two in the afternoon.", "neutral"),
        ("customer", "I work from home, I have lost half a day already.", "negative"),
        ("agent", "I have added a credit for two days to your account.", "positive"),
        ("customer", "Right, that is something at least.", "neutral"),
        ("agent", "I will text you as soon as the line is up.", "neutral"),
        ("customer", "Okay, thanks.", "neutral"),
    ),
    "appointment": (
        ("agent", "Northway Energy, good afternoon.", "neutral"),
        ("customer", "I would like to move my meter appointment from Tuesday to Thursday.", "neutral"),
        ("agent", "Thursday has eight to twelve or one to five.", "neutral"),
        ("customer", "One to five is fine.", "neutral"),
        ("agent", "Done, you will get a confirmation by text.", "neutral"),
        ("customer", "Great, thank you.", "positive"),
    ),
    "fraud-report": (
        ("customer", "Somebody has opened an account with you in my name.", "negative"),
        ("agent", "I will take that very seriously, let us lock it straight away.", "neutral"),
        ("customer", "I am scared that they have my bank details too.", "negative"),
        ("agent", "The account is frozen now and nothing can be charged to it.", "neutral"),
        ("customer", "Are you absolutely sure?", "neutral"),
        ("agent", "Yes, and our fraud team will call you before five today.", "neutral"),
        ("customer", "Thank goodness, that is a relief.", "positive"),
    ),
}


def sentiment(label: SentimentLabel, chance: random.Random) -> Sentiment:
    """A sentiment with that label and plausible probabilities that sum to 1."""
    sure = chance.uniform(0.62, 0.97)
    share = chance.uniform(0.55, 0.95)
    left = {
        "negative": ("neutral", "positive"),
        "positive": ("neutral", "negative"),
        "neutral": ("negative", "positive"),
    }
    near, far = left[label]
    scores = {label: sure, near: (1 - sure) * share, far: (1 - sure) * (1 - share)}
    return Sentiment(
        label, {"negative": scores["negative"], "neutral": scores["neutral"], "positive": scores["positive"]}, MODEL
    )


def conversation(call_id: str, lines: Sequence[Line], chance: random.Random) -> list[Sentence]:
    """The lines of a script as timed sentences, the agent on channel 1."""
    at_s, sentences = 0.8, []
    for index, (speaker, text, label) in enumerate(lines):
        length_s = 0.6 + 0.36 * len(text.split())
        sentences.append(
            Sentence(
                call_id=call_id,
                index=index,
                channel=1 if speaker == "agent" else 2,
                speaker=speaker,
                text=text,
                start_s=round(at_s, 2),
                end_s=round(at_s + length_s, 2),
                sentiment=sentiment(label, chance),
                recogniser="whisper-tiny.en@1",
            )
        )
        at_s += length_s + chance.uniform(0.2, 1.1)
    return sentences


def write_audio(folder: Path, sentences: Sequence[Sentence], duration_s: float) -> None:
    """Writes channel-1.wav and channel-2.wav: a hum under noise while its speaker talks, else near silence."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(sentences))
    count = round(duration_s * RATE_HZ)
    at_s = np.arange(count) / RATE_HZ
    for channel, pitch_hz in ((1, 130.0), (2, 205.0)):
        loud = np.full(count, 0.004)
        for sentence in sentences:
            if sentence.channel == channel:
                span = slice(round(sentence.start_s * RATE_HZ), round(sentence.end_s * RATE_HZ))
                syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4.1 * at_s[span] + sentence.index)
                loud[span] = 0.3 * syllables
        sound = loud * (0.6 * np.sin(2 * np.pi * pitch_hz * at_s) + 0.4 * noise.uniform(-1, 1, count))
        with wave.open(str(folder / f"channel-{channel}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes((sound * 32_767).astype("<i2").tobytes())


def fill(store: Store, audio_folder: Path, *, calls: int, now: datetime, with_audio: int = 12) -> list[str]:
    """Adds ``calls`` complete calls over the 120 days before ``now``; returns their ids, the newest first.

    The newest ``with_audio`` calls get sound.
    """
    chance = random.Random(7)
    ids = []
    moments = sorted((now - timedelta(minutes=chance.uniform(5, 120 * 24 * 60)) for _ in range(calls)), reverse=True)
    for number, started_at in enumerate(moments):
        agent, customer = chance.choice(AGENTS), chance.choice(CUSTOMERS)
        happy = KNACK.get(agent, 0.0) + 0.4 * np.sin(started_at.timestamp() / 86_400 / 14)
        weights = [1 + max(0, -happy), 1.2 - 1.3 * happy, 0.8 + 1.5 * max(0, happy), 1.0, 1.2, 0.5]
        name = chance.choices(list(SCRIPTS), weights=[max(0.1, float(weight)) for weight in weights])[0]
        call_id = f"{chance.getrandbits(64):016x}"
        sentences = conversation(call_id, SCRIPTS[name], chance)
        duration_s = sentences[-1].end_s + 0.7
        call = Call(
            id=call_id,
            source=f"{name}-{number:04d}.ogg",
            started_at=started_at,
            duration_s=duration_s,
            speakers=("agent", "customer"),
            agent=agent,
            customer=customer,
        )
        if number < with_audio:
            write_audio(audio_folder / call_id, sentences, duration_s)
        store.add(call, sentences)
        ids.append(call_id)
    return ids


def live_call(number: int, now: datetime, *, agent: str | None = None, customer: str | None = None) -> Call:
    """A live call with an id and people of its own, by its number."""
    return Call(
        id=f"{0x11FE << 48 | number:016x}",
        source=f"line-{number}",
        started_at=now,
        duration_s=0.0,
        speakers=("agent", "customer"),
        agent=agent or AGENTS[number % len(AGENTS)],
        customer=customer or CUSTOMERS[number % len(CUSTOMERS)],
        status="live",
    )


if __name__ == "__main__":
    settings = Settings(home=Path(sys.argv[1]))
    with open_store(settings.store_url) as opened:
        fill(opened, settings.audio_folder, calls=int(sys.argv[2]) if sys.argv[2:] else 300, now=datetime.now(UTC))
