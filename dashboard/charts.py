"""Frames in, charts out. No Streamlit here; it applies its theme's fonts and colours when it draws them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import altair as alt
import pandas as pd

_AXIS_PX = 48  # the same left margin for charts that stand above each other


def mood_trend(frame: pd.DataFrame, span: tuple[date, date], bucket: str, width_days: int) -> alt.LayerChart:
    """The mood of each person over time with its 95 % band; larger points stand for more calls.

    ``frame`` is what ``queries.trend_frame`` gives, ``span`` the first and last day shown; a point stands for
    ``width_days``, which ``bucket`` names, such as "week".
    """
    person = _person(alt.Legend(orient="top", labelLimit=220, symbolType="circle", symbolOpacity=1))
    axis = alt.Axis(
        values=[-1, -0.5, 0, 0.5, 1],
        labelExpr="datum.value === 0 ? '0' : format(datum.value, '+.1f')",
        minExtent=_AXIS_PX,
        maxExtent=_AXIS_PX,
    )
    mood = alt.Y("mood:Q", title="Mood", scale=alt.Scale(domain=[-1, 1]), axis=axis)
    size = alt.Size("calls:Q", legend=None, scale=alt.Scale(range=[25, 140], zero=True))
    base = alt.Chart(frame.assign(middle=frame["day"] + pd.to_timedelta(width_days / 2, unit="D")))
    day = _day("middle", span)
    zero = alt.Chart(pd.DataFrame({"mood": [0.0]})).mark_rule(strokeDash=[4, 4], opacity=0.45).encode(y=mood)
    band = base.mark_area(opacity=0.13).encode(x=day, y=alt.Y("low:Q", title="Mood"), y2="high:Q", color=person)
    line = base.mark_line(strokeWidth=2.2).encode(x=day, y=mood, color=person)
    points = base.mark_point(filled=True, opacity=1).encode(
        x=day, y=mood, color=person, size=size, tooltip=_tooltip(bucket)
    )
    return alt.LayerChart(layer=[zero, band, line, points], height=330)


def call_counts(frame: pd.DataFrame, span: tuple[date, date], bucket: str, width_days: int) -> alt.Chart:
    """How many calls stand behind each point of ``mood_trend``: in each bucket of ``width_days`` a bar per person."""
    people = list(dict.fromkeys(frame["person"]))
    place = frame["person"].map(people.index) / max(1, len(people))
    # Bars are drawn from edge to edge: Vega-Lite has no width for a bar on a time axis.
    bars = frame.assign(
        start=frame["day"] + pd.to_timedelta(width_days * (0.1 + 0.8 * place), unit="D"),
        stop=frame["day"] + pd.to_timedelta(width_days * (0.1 + 0.8 * (place + 0.94 / max(1, len(people)))), unit="D"),
        nothing=0,
    )
    axis = alt.Axis(tickCount=3, format="d", tickMinStep=1, minExtent=_AXIS_PX, maxExtent=_AXIS_PX)
    chart: alt.Chart = (
        alt.Chart(bars, height=150)
        .mark_rect(opacity=0.85)
        .encode(
            x=_day("start", span),
            x2="stop:T",
            y=alt.Y("calls:Q", title="Calls", axis=axis, scale=alt.Scale(zero=True)),
            y2="nothing:Q",
            color=_person(None),
            tooltip=_tooltip(bucket),
        )
    )
    return chart


def latency_history(frame: pd.DataFrame, span: tuple[datetime, datetime]) -> alt.Chart:
    """How long sentences took to the screen: a line each for the median and the 95th percentile.

    ``frame`` is what ``queries.latency_frame`` gives, ``span`` the first and last moment shown, in the viewer's zone.
    """
    chart: alt.Chart = (
        alt.Chart(frame, height=190)
        .mark_line(point=alt.OverlayMarkDef(size=28), strokeWidth=2)
        .encode(
            x=alt.X(
                "time:T",
                title=None,
                axis=alt.Axis(format="%H:%M", tickCount=8, labelOverlap=True, grid=False),
                scale=alt.Scale(domainMin=_minute(span[0]), domainMax=_minute(span[1])),
            ),
            y=alt.Y("seconds:Q", title="Seconds", scale=alt.Scale(zero=True)),
            color=alt.Color("figure:N", title=None, legend=alt.Legend(orient="top", symbolType="circle")),
            tooltip=[
                alt.Tooltip("time:T", title="From", format="%d %b %H:%M"),
                alt.Tooltip("figure:N", title="Figure"),
                alt.Tooltip("seconds:Q", title="Seconds", format=".2f"),
                alt.Tooltip("sentences:Q", title="Sentences"),
            ],
        )
    )
    return chart


def _day(field: str, span: tuple[date, date]) -> alt.X:
    ends = (span[0], span[1] + timedelta(days=1))
    return alt.X(
        f"{field}:T",
        title=None,
        axis=alt.Axis(format="%d %b", labelOverlap=True, grid=False),
        scale=alt.Scale(domainMin=_moment(ends[0]), domainMax=_moment(ends[1])),
    )


def _moment(day: date) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day)


def _minute(moment: datetime) -> alt.DateTime:
    return alt.DateTime(year=moment.year, month=moment.month, date=moment.day, hours=moment.hour, minutes=moment.minute)


def _person(legend: alt.Legend | None) -> alt.Color:
    return alt.Color("person:N", title=None, legend=legend)


def _tooltip(bucket: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("person:N", title="Who"),
        alt.Tooltip("day:T", title=f"{bucket.capitalize()} from", format="%d %b %Y"),
        alt.Tooltip("mood:Q", title="Mood", format="+.2f"),
        alt.Tooltip("low:Q", title="95 % from", format="+.2f"),
        alt.Tooltip("high:Q", title="95 % to", format="+.2f"),
        alt.Tooltip("calls:Q", title="Calls"),
    ]
