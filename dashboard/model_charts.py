"""What a model confuses and how far its confidence can be trusted, as charts. No Streamlit here."""

from __future__ import annotations

import altair as alt
import pandas as pd

_SIDE_PX = 250


def confusion_chart(frame: pd.DataFrame, ink: str) -> alt.LayerChart:
    """A matrix of true labels (rows) and what the model said; ``frame`` is what ``models.confusion`` gives.

    ``ink`` is the colour of texts on the page, which Streamlit's theme does not give to marks.
    """
    names = list(dict.fromkeys(frame["true"]))
    base = alt.Chart(frame).encode(
        x=alt.X("said:N", title="The model says", sort=names, axis=alt.Axis(labelAngle=0, orient="top", domain=False)),
        y=alt.Y("true:N", title="True", sort=names, axis=alt.Axis(domain=False)),
        tooltip=[
            alt.Tooltip("true:N", title="True"),
            alt.Tooltip("said:N", title="Said"),
            alt.Tooltip("rows:Q", title="Rows", format=","),
            alt.Tooltip("share:Q", title="Of the true label", format=".1%"),
        ],
    )
    # One hue whose strength is the share: it stands on a light page and on a dark one.
    cells = base.mark_rect(cornerRadius=3, color="#3b5bdb").encode(
        opacity=alt.Opacity("share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.06, 0.62]))
    )
    words = base.mark_text(fontSize=14, fontWeight=600, color=ink).encode(text=alt.Text("rows:Q", format=","))
    return alt.LayerChart(layer=[cells, words], height=_SIDE_PX)


def reliability_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """How often a model was right, by how sure it was; on the dashed line it was right as often as it said.

    ``frame`` is what ``models.reliability`` gives; larger points stand for more rows.
    """
    lowest = max(0.0, min(0.3, float(frame["confidence"].min()) - 0.05))
    scale = alt.Scale(domain=[lowest, 1])
    ends = pd.DataFrame({"confidence": [lowest, 1.0], "accuracy": [lowest, 1.0]})
    x = alt.X("confidence:Q", title="How sure it was", scale=scale, axis=alt.Axis(format="%", tickCount=6))
    y = alt.Y("accuracy:Q", title="How often it was right", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    ideal = alt.Chart(ends).mark_line(strokeDash=[4, 4], opacity=0.5, color="gray").encode(x=x, y=y)
    found = alt.Chart(frame).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("confidence:Q", title="How sure", format=".1%"),
            alt.Tooltip("accuracy:Q", title="How often right", format=".1%"),
            alt.Tooltip("rows:Q", title="Rows", format=","),
        ],
    )
    size = alt.Size("rows:Q", legend=None, scale=alt.Scale(range=[30, 260]))
    points = found.mark_point(filled=True, opacity=0.9).encode(size=size)
    return alt.LayerChart(layer=[ideal, found.mark_line(strokeWidth=1.6), points], height=_SIDE_PX)
