"""The weather from Open-Meteo (https://open-meteo.com/en/docs), which needs no key.

The open service is for uses that are not commercial, within 600 calls a minute, 5,000 an hour and 10,000 a day; with a
customer's key the calls go to the commercial servers. Its data are under CC BY 4.0: who shows them names Open-Meteo.com
and links to it. Failures come as a status with ``{"error": true, "reason": …}``. Forecasts are kept in memory for ten
minutes; where a name lies, for a day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fulfillment.cities import SAME_CALIBRE, several
from fulfillment.errors import FulfilmentError, UnknownPlaceError
from fulfillment.http import PATIENCE, Answer, JsonApi, Patience, Service, exhausted, number, undocumented, unreadable
from fulfillment.times import utc_now
from fulfillment.weather import SNOWY, Condition, Day, Moment, Place, Weather, days_until, plain_place
from fulfillment.words import fold, shown

SERVICE = Service("Open-Meteo.com", "the weather service", "OVERTONE_WEATHER")
MOST_DAYS = 16
KEEP_S = 600.0
KEEP_PLACE_S = 86_400.0
_MOMENT = "temperature_2m,relative_humidity_2m,precipitation,weather_code,cloud_cover,wind_speed_10m"
_ALWAYS = ("temperature_2m", "relative_humidity_2m", "weather_code", "cloud_cover", "wind_speed_10m")
_DAY = "temperature_2m_max,temperature_2m_min,snowfall_sum"
# WMO code table 4677 as Open-Meteo documents it.
_CODES: Mapping[int, Condition] = {
    0: "clear", 1: "clear", 2: "partly cloudy", 3: "cloudy", 45: "fog", 48: "fog", 51: "drizzle", 53: "drizzle",
    55: "drizzle", 56: "freezing rain", 57: "freezing rain", 61: "rain", 63: "rain", 65: "heavy rain",
    66: "freezing rain", 67: "freezing rain", 71: "snow", 73: "snow", 75: "heavy snow", 77: "snow", 80: "rain",
    81: "rain", 82: "heavy rain", 85: "snow", 86: "heavy snow", 95: "thunderstorm", 96: "thunderstorm",
    99: "thunderstorm",
}  # fmt: skip
_RESTS_S = {"minutely": 60.0, "hourly": 3600.0, "daily": 86_400.0, "monthly": 86_400.0}


class OpenMeteo:
    """A WeatherService behind Open-Meteo's API. Threads may share it; close it when done."""

    def __init__(
        self,
        key: str = "",
        *,
        base_url: str = "",
        places_url: str = "",
        patience: Patience = PATIENCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``key`` is a customer's key, empty for the open service; the addresses are Open-Meteo's unless given."""
        prefix = "customer-" if key else ""
        self._clock = clock
        self._forecasts = JsonApi(
            SERVICE,
            base_url or f"https://{prefix}api.open-meteo.com",
            judge=_judge,
            key=("apikey", key) if key else None,
            patience=patience,
            clock=clock,
        )
        self._places = JsonApi(
            SERVICE,
            places_url or f"https://{prefix}geocoding-api.open-meteo.com",
            judge=_judge,
            key=("apikey", key) if key else None,
            patience=patience,
            clock=clock,
        )

    def look_up(self, place: str, last: date | None = None) -> Weather:
        """As WeatherService says."""
        count = days_until(last, self._clock().date(), MOST_DAYS) if last else 0
        try:
            found = self._find(plain_place(place))
            query = {
                "latitude": str(number(found["latitude"])),
                "longitude": str(number(found["longitude"])),
                "timezone": "auto",
                "current": _MOMENT,
            }
            if count:
                query |= {
                    "forecast_days": str(count),
                    "hourly": f"{_MOMENT},precipitation_probability",
                    "daily": _DAY,
                }
            return _weather(found, self._forecasts.get("/v1/forecast", query, keep_s=KEEP_S))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ZoneInfoNotFoundError) as error:
            raise undocumented(SERVICE, error) from error

    def close(self) -> None:
        """Close the connections."""
        self._forecasts.close()
        self._places.close()

    def _find(self, name: str) -> Mapping[str, Any]:
        """The place of that name; the search takes plain names only, so "denver colorado" is looked up as "denver"."""
        words = name.replace(",", " ").split()
        for count in range(len(words), max(0, len(words) - 3), -1):
            rest = fold(" ".join(words[count:]))
            query = {"name": " ".join(words[:count]), "count": "10", "language": "en", "format": "json"}
            body = self._places.get("/v1/search", query, keep_s=KEEP_PLACE_S).body or {}
            found = [place for place in body.get("results") or () if not rest or rest in _belongings(place)]
            if found:
                return _one_of(found, fold(query["name"]), name)
        raise UnknownPlaceError(f"Open-Meteo knows no place called {name!r}", spoken=f"I don't know {shown(name)}.")


def _belongings(place: Mapping[str, Any]) -> set[str]:
    """The names that may follow a place's own: its state, its country, the country's code."""
    return {fold(str(place.get(key, ""))) for key in ("admin1", "admin2", "country", "country_code")}


def _one_of(found: Sequence[Mapping[str, Any]], wanted: str, name: str) -> Mapping[str, Any]:
    exact = [place for place in found if fold(str(place["name"])) == wanted] or found[:1]  # the search is fuzzy
    ranked = sorted(exact, key=lambda place: -int(place.get("population", 0)))
    most = int(ranked[0].get("population", 0))
    rivals = [place for place in ranked if most and int(place.get("population", 0)) >= SAME_CALIBRE * most]
    names = list(dict.fromkeys(f"{place['name']}, {place.get('admin1') or place['country']}" for place in rivals))
    if len(names) > 1:
        raise several(name, names)
    return ranked[0]


def _judge(answer: Answer) -> FulfilmentError | None:
    body = answer.body or {}
    if not body.get("error"):
        return None
    words = str(body.get("reason", "")).lower().split()
    if answer.status == 429:
        return exhausted(
            SERVICE,
            f"is asked too often ({words[0] if words and words[0] in _RESTS_S else 'limit'})",
            wait_s=_RESTS_S.get(words[0] if words else "", 60.0),
        )
    return None if answer.status >= 500 else unreadable(SERVICE, f"is an error with status {answer.status}")


def _weather(found: Mapping[str, Any], answer: Answer) -> Weather:
    body: Mapping[str, Any] = answer.body or {}
    zone = ZoneInfo(body["timezone"])
    place = Place(str(found["name"]), str(found.get("admin1") or ""), str(found.get("country") or ""), zone.key)
    hourly, daily = body.get("hourly") or {}, body.get("daily") or {}
    moments = []
    for row, text in enumerate(hourly.get("time", ())):
        values = {name: column[row] for name, column in hourly.items()}
        if None not in [values[name] for name in _ALWAYS]:  # null: beyond the reach of the place's weather model
            moments.append(_moment(values, datetime.fromisoformat(text).replace(tzinfo=zone)))
    days = []
    for row, text in enumerate(daily.get("time", ())):
        on = date.fromisoformat(text)
        hours = tuple(m for m in moments if m.at.date() == on)
        low, high = daily["temperature_2m_min"][row], daily["temperature_2m_max"][row]
        if hours and low is not None and high is not None:
            days.append(Day(on, number(low), number(high), number(daily["snowfall_sum"][row] or 0), hours))
    now = body["current"]
    at = datetime.fromisoformat(now["time"]).replace(tzinfo=zone)
    as_of = answer.as_of
    return Weather(
        place, _moment(now, min(at, as_of.astimezone(zone) + timedelta(hours=1))), tuple(days), SERVICE.name, as_of
    )


def _moment(values: Mapping[str, Any], at: datetime) -> Moment:
    condition = _CODES.get(int(values["weather_code"]), "cloudy")
    chance = min(1.0, max(0.0, number(values.get("precipitation_probability") or 0) / 100))
    snowy = condition in SNOWY
    return Moment(
        at=at,
        condition=condition,
        temperature_c=number(values["temperature_2m"]),
        cloud=min(1.0, max(0.0, number(values["cloud_cover"]) / 100)),
        humidity=min(1.0, max(0.0, number(values["relative_humidity_2m"]) / 100)),
        wind_kmh=number(values["wind_speed_10m"]),
        rain_mm=number(values["precipitation"] or 0),
        rain_chance=0.0 if snowy and condition != "sleet" else chance,
        snow_chance=chance if snowy else 0.0,
    )
