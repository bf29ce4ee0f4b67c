"""The profane words that the profanity filter masks: whole words in every form they take, so that no other is hit.

Our own list. The lists and libraries to be had are unmaintained, need a machine-learning stack, or hold words that
name people, bodies and illnesses. Mild words (damn, hell, crap) are left out.
"""

from __future__ import annotations

_VERBS = ("fuck", "motherfuck", "wank", "bugger")
_NOUNS = (
    "arse arsehole ass asshole bastard bitch blowjob bollock bullshit chickenshit clusterfuck cock cocksucker cunt "
    "dickhead dipshit dumbass dumbshit faggot fuckface fuckhead fuckup fuckwit horseshit jackass jizz kike knobhead "
    "motherfucker nigger nigga paki piss prick pussy retard shit shite shithead shithole shitshow slut smartass spic "
    "tosser tranny twat wanker whore"
)
_OTHERS = (
    "assed asses batshit bitched bitchin bitching bitchy bullshitted bullshitting cuntish fuckable fuckall fugly "
    "goddam goddamn goddamned goddammit mothafucka mothafuckin motherfuckin pissed pisser pissing retarded shat "
    "shits shitted shitter shittier shittiest shitting shitty slutty unfuckingbelievable whoring"
)


def _all() -> frozenset[str]:
    words = set(_OTHERS.split())
    for noun in _NOUNS.split():
        words |= {noun, noun + ("es" if noun.endswith(("s", "sh")) else "s")}
        if noun.endswith("y"):
            words.add(noun[:-1] + "ies")
    for verb in _VERBS:
        words |= {verb, verb + "s", verb + "ed", verb + "er", verb + "ers", verb + "in", verb + "ing", verb + "ings"}
    return frozenset(words)


WORDS = _all()
"""Lower-case words to mask."""
