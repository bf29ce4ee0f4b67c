"""Whether words are surely no English: another alphabet, or common words of Spanish, French or German. Pure."""

from __future__ import annotations

import unicodedata

FOREIGN = "other_language"  # the intent of words that are no English, where the flows have a transition for it

# Common words that are neither English nor usual in names of places, stores and goods ("la", "de", "San").
_COMMON = (
    "hola buenos buenas dias tardes noches gracias quiero quisiera necesito cuanto cuesta cuestan donde esta "
    "estan tiene tienen que cual tiempo hace manana hoy usted ustedes puede puedo hablar habla espanol por favor "
    "lluvia llueve llover va hay una para con mi precio ciudad tienda abierto",
    "bonjour bonsoir merci je tu vous nous est ce que quel quelle quels quelles combien ou voudrais veux fait "
    "demain aujourd hui parlez parle francais pleuvoir pleut il elle avez avoir pour une avec dans temps prix "
    "magasin ouvert coute coutent peux pouvez chercher cherche ville sont cette",
    "guten tag morgen abend danke bitte ich du sie wir ist sind wie wo wann wetter wird nicht ein eine einen der "
    "das und haben habe kostet kosten kann konnen mochte deutsch sprechen heute regnet regnen viel mit auf fur "
    "gibt welche offnungszeiten geoffnet",
)
# Said alone, by who hopes to be understood.
_WHOLE = frozenset(
    ("hola", "buenos dias", "buenas tardes", "buenas noches", "habla espanol", "hablas espanol", "no hablo ingles",
     "en espanol", "bonjour", "bonsoir", "parlez vous francais", "vous parlez francais", "en francais", "guten tag",
     "guten morgen", "guten abend", "sprechen sie deutsch", "auf deutsch")
)  # fmt: skip
_LANGUAGES = tuple(frozenset(words.split()) for words in _COMMON)
FEWEST = 3  # words of one language that make a text of it
SHARE = 0.5  # of all words that they must be
_LEAST_LETTERS = 4  # of another alphabet, that are no slip of a keyboard


def is_foreign(text: str) -> bool:
    """Whether the text is surely in another language than English; where there is doubt, it is not.

    Sure signs are: most letters are of another alphabet than the Latin one; or at least three words, and half of all
    words, are common words of Spanish, French or German; or all is a greeting or the like in one of them.
    """
    letters = [letter for letter in text if letter.isalpha()]
    other = [letter for letter in letters if not unicodedata.name(letter, "").startswith("LATIN")]
    if len(other) >= _LEAST_LETTERS or (other and len(other) == len(letters)):
        return 2 * len(other) > len(letters)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = "".join(c if c.isalpha() else " " for c in plain).split()
    if " ".join(words) in _WHOLE:
        return True
    known = max(sum(word in language for word in words) for language in _LANGUAGES)
    return known >= FEWEST and known >= SHARE * len(words)
