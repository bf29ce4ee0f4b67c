"""The voice assistant's turn loop: words in, understood, answered from services, said and archived."""

from pipeline.assistant.assistant import Assistant
from pipeline.assistant.performing import ACTIONS
from pipeline.assistant.speech import sentences_of
from pipeline.assistant.talk import Draft, Talk

__all__ = ["ACTIONS", "Assistant", "Draft", "Talk", "sentences_of"]
