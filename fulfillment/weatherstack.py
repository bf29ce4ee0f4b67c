"""The weather from WeatherStack (https://weatherstack.com/documentation).

``/current`` serves every plan; ``/forecast`` serves paid ones, and there each day asked for counts towards the monthly
allowance, so no more days are asked for than needed. Failures come as HTTP 200 with ``{"success": false, "error":
{"code", "type", "info"}}`` (newer ones with a fitting status too). The documentation sets no rule for keeping answers;
ours are kept in memory for ten minutes, in which the weather hardly changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fulfillment.errors import FulfilmentError, RefusedError, UnknownPlaceError
from fulfillment.http import (
    PATIENCE,
    Answer,
    JsonApi,
    Patience,
    Service,
    exhausted,
    label,
    number,
    refused,
    undocumented,
    unreadable,
)
from fulfillment.times import utc_now
from fulfillment.weather import Condition, Day, Moment, Place, Weather, days_until, plain_place

SERVICE = Service("WeatherStack", "the weather service", "OVERTONE_WEATHER_KEY")
MOST_DAYS = 14
KEEP_S = 600.0
# "universal" weather codes, as in the documentation's list of them.
_CODES: Mapping[int, Condition] = {
    113: "clear", 116: "partly cloudy", 119: "cloudy", 122: "cloudy", 143: "fog", 176: "rain", 179: "snow",
    182: "sleet", 185: "freezing rain", 200: "thunderstorm", 227: "snow", 230: "heavy snow", 248: "fog", 260: "fog",
    263: "drizzle", 266: "drizzle", 281: "freezing rain", 284: "freezing rain", 293: "rain", 296: "rain", 299: "rain",
    302: "rain", 305: "heavy rain", 308: "heavy rain", 311: "freezing rain", 314: "freezing rain", 317: "sleet",
    320: "sleet", 323: "snow", 326: "snow", 329: "snow", 332: "snow", 335: "heavy snow", 338: "heavy snow",
    350: "sleet", 353: "rain", 356: "heavy rain", 359: "heavy rain", 362: "sleet", 365: "sleet", 368: "snow",
    371: "heavy snow", 374: "sleet", 377: "sleet", 386: "thunderstorm", 389: "thunderstorm", 392: "thunderstorm",
    395: "heavy snow",
}  # fmt: skip
_NO_SUCH_PLACE = (601, 602, 615)  # missing_query, no_results, request_failed: what an unknown name is answered with
_KEY_REFUSED = (101, 102)
_NOT_ON_PLAN = (105, 603, 604, 609)
_USED_UP = (104, 429)
_MONTHLY_REST_S = 3600.0


class NotOnPlanError(RefusedError):
    """The key's plan has no forecasts."""


class WeatherStack:
    """A WeatherService behind WeatherStack's API. Threads may share it; close it when done."""

    def __init__(
        self,
        key: str,
        *,
        base_url: str = "https://api.weatherstack.com",
        patience: Patience = PATIENCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._clock = clock
        self._present_only = False
        self._api = JsonApi(SERVICE, base_url, judge=_judge, key=("access_key", key), patience=patience, clock=clock)

    def look_up(self, place: str, last: date | None = None) -> Weather:
        """As WeatherService says. A plan without forecasts knows the present only and refuses to tell of other days."""
        query = {"query": plain_place(place), "units": "m"}
        today = self._clock().date()
        count = days_until(last, today, MOST_DAYS) if last else 0
        if last is None or (self._present_only and last <= today):
            answer = self._api.get("/current", query, keep_s=KEEP_S)
        else:
            asked = {**query, "forecast_days": str(count), "hourly": "1"}
            try:
                answer = self._api.get("/forecast", asked, keep_s=KEEP_S)
            except NotOnPlanError:
                if last > today:
                    raise
                self._present_only = True  # a question about today can be answered by what is now
                answer = self._api.get("/current", query, keep_s=KEEP_S)
        try:
            return _weather(answer)
        except (KeyError, TypeError, ValueError, AttributeError, ZoneInfoNotFoundError) as error:
            raise undocumented(SERVICE, error) from error

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def _judge(answer: Answer) -> FulfilmentError | None:
    body = answer.body
    error = body.get("error") if body else None
    if not isinstance(error, dict):
        return None
    code, kind = error.get("code"), label(error.get("type"))
    if code in _NO_SUCH_PLACE:
        return UnknownPlaceError(f"WeatherStack knows no such place ({kind})", spoken="I don't know that place.")
    if code in _KEY_REFUSED:
        return refused(SERVICE, kind)
    if code in _NOT_ON_PLAN:
        spoken = "Sorry, I can only see the weather right now, not the days ahead."
        return NotOnPlanError(f"WeatherStack's plan has no forecasts ({kind}); see {SERVICE.setting}", spoken=spoken)
    if code in _USED_UP:
        return exhausted(SERVICE, f"has no calls left this month ({kind})", wait_s=_MONTHLY_REST_S)
    return unreadable(SERVICE, f"is error {label(code)} ({kind})")


def _weather(answer: Answer) -> Weather:
    body: Mapping[str, Any] = answer.body or {}
    where = body["location"]
    place = Place(
        str(where["name"]), str(where["region"] or ""), str(where["country"] or ""), str(where["timezone_id"])
    )
    zone = ZoneInfo(place.timezone)
    now = body["current"]
    days = [_day(day, zone) for _, day in sorted(body.get("forecast", {}).items())]
    return Weather(
        place=place,
        now=_moment(now, answer.as_of.astimezone(zone)),
        days=tuple(day for day in days if day.hours),
        source=SERVICE.name,
        as_of=answer.as_of,
    )


def _day(day: Mapping[str, Any], zone: ZoneInfo) -> Day:
    on = date.fromisoformat(day["date"])
    hours = []
    for hour in day["hourly"]:
        at = datetime(on.year, on.month, on.day, tzinfo=zone) + timedelta(hours=int(hour["time"]) // 100)
        hours.append(_moment(hour, at))
    return Day(on, number(day["mintemp"]), number(day["maxtemp"]), number(day["totalsnow"]), tuple(hours))


def _moment(values: Mapping[str, Any], at: datetime) -> Moment:
    return Moment(
        at=at,
        condition=_CODES.get(int(values["weather_code"]), "cloudy"),
        temperature_c=number(values["temperature"]),
        cloud=_share(values["cloudcover"]),
        humidity=_share(values["humidity"]),
        wind_kmh=number(values["wind_speed"]),
        rain_mm=number(values["precip"]),
        rain_chance=_share(values.get("chanceofrain", 0)),
        snow_chance=_share(values.get("chanceofsnow", 0)),
    )


def _share(percent: Any) -> float:
    return min(1.0, max(0.0, number(percent) / 100))
