"""What pages have in common: the foot that says what the product is running on, and the panel for having nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.queries import backend_rows
from dashboard.resources import Resources


def backends(resources: Resources) -> None:
    """Draws the foot of the page: which services and which database are in use."""
    with (
        st.container(horizontal=True, horizontal_alignment="right"),
        st.popover("System", icon=":material/dns:", type="tertiary"),
    ):
        st.table(backend_rows(resources.settings, resources.store.address), border="horizontal", width="content")


@contextmanager
def empty(title: str) -> Iterator[None]:
    """A panel that says ``title``; what the page draws inside says what to do about it."""
    with st.container(border=True, horizontal_alignment="center", vertical_alignment="center", gap="small", height=190):
        st.markdown(f"**{title}**", text_alignment="center")
        yield
