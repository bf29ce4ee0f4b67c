"""The trainable models on one encoder, all speaking in logits: sentence classifier, word tagger, intent with slots."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class SentenceClassifier(nn.Module):
    """Logits [batch, labels] from the mean of the last layer over the tokens that are not padding."""

    def __init__(self, encoder: Any, labels: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Float32 [batch, labels] for int64 [batch, tokens] twice."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


class SentenceEmbedder(nn.Module):
    """The encoder's own reading of a sentence: the mean of the last layer over its tokens, at length 1."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Float32 [batch, hidden], rows of length 1, for int64 [batch, tokens] twice."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0), dim=-1)


class WordTagger(nn.Module):
    """Two logits per token, [batch, tokens, punctuation] and [batch, tokens, casing]; read at a word's first token."""

    def __init__(self, encoder: Any, punctuation: int, casing: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.punctuation = nn.Linear(encoder.config.hidden_size, punctuation)
        self.casing = nn.Linear(encoder.config.hidden_size, casing)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Float32 [batch, tokens, punctuation] and [batch, tokens, casing] for int64 [batch, tokens] twice."""
        hidden = self.dropout(self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0])
        return self.punctuation(hidden), self.casing(hidden)


class IntentSlots(nn.Module):
    """Intent logits [batch, intents] from the mean over the tokens, and each token's slot logits."""

    def __init__(self, encoder: Any, intents: int, slots: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.intent = nn.Linear(encoder.config.hidden_size, intents)
        self.slots = nn.Linear(encoder.config.hidden_size, slots)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Float32 [batch, intents] and [batch, tokens, slots] for int64 [batch, tokens] twice."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        return self.intent(self.dropout(pooled)), self.slots(self.dropout(hidden))


def freeze(model: nn.Module, *, embeddings: bool, layers: int) -> None:
    """None; takes the embeddings and the bottom ``layers`` layers of ``model.encoder`` out of training."""
    encoder: Any = model.encoder
    frozen = ([encoder.embeddings] if embeddings else []) + list(encoder.encoder.layer[:layers])
    for part in frozen:
        for parameter in part.parameters():
            parameter.requires_grad_(False)


def blend(model: nn.Module, pretrained: nn.Module, share: float) -> None:
    """None; makes ``model.encoder`` ``share`` of itself and the rest ``pretrained``, heads untouched.

    Fine-tuning on a narrow domain forgets what the encoder knew of others; the mean of both weights keeps most of
    either (WiSE-FT: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
    """
    encoder: Any = model.encoder
    with torch.no_grad():
        for ours, theirs in zip(encoder.parameters(), pretrained.parameters(), strict=True):
            ours.lerp_(theirs, 1.0 - share)


def parameter_groups(
    model: nn.Module, *, learning_rate: float, head_learning_rate: float, layer_decay: float, weight_decay: float
) -> list[dict[str, Any]]:
    """AdamW groups of what is trained: the rate falls by ``layer_decay`` per layer downwards, biases never decay."""
    encoder: Any = model.encoder
    depth = len(encoder.encoder.layer)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("encoder.encoder.layer."):
            rate = learning_rate * layer_decay ** (depth - 1 - int(name.split(".")[3]))
        elif name.startswith("encoder."):
            rate = learning_rate * layer_decay**depth
        else:
            rate = head_learning_rate
        decay = 0.0 if parameter.ndim < 2 else weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": found, "lr": rate, "weight_decay": decay} for (rate, decay), found in groups.items()]


def pad(ids: list[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    """Int64 [batch, longest] token numbers and their mask; 0 pads, as in BERT's vocabulary."""
    longest = max(len(row) for row in ids)
    tokens = torch.tensor([[*row, *(0,) * (longest - len(row))] for row in ids], dtype=torch.int64)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids], dtype=torch.int64)
    return tokens, mask
