"""Alerts on live calls: rules in YAML, their evaluation as a pure function, and the delivery of what they find.

``rules`` are the values, ``reading`` and ``shape`` the language of the file, ``book`` the file of a home, ``evaluate``
the pure core, ``meaning`` what a sentence means beside those of the rules, ``watch`` the thread that follows the
store, ``outbox``, ``webhook``, ``mail`` and ``delivery`` the way out, ``precision`` what verdicts say of a rule.
"""

from pipeline.alerts.watch import AlertWatch, start

__all__ = ["AlertWatch", "start"]
