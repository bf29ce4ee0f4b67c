"""WeatherStack and Open-Meteo as their documentation has them, for a server in a thread.

Shapes, codes and messages: https://weatherstack.com/documentation, https://open-meteo.com/en/docs and the page there
about geocoding.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.fulfillment.api import Call, Reply, Speaks

KEY = "5ddcce51c18222d01a9b226003cec35d"
_PLACES = {
    "denver": ("Denver", "United States of America", "Colorado", "America/Denver"),
    "new york": ("New York", "United States of America", "New York", "America/New_York"),
    "london": ("London", "United Kingdom", "City of London, Greater London", "Europe/London"),
}


def weatherstack(now: datetime, *, forecasts: bool = True) -> Speaks:
    """WeatherStack at a time, for a key on a plan with or without forecasts. It rains in Denver tomorrow."""

    def speak(call: Call) -> Reply:
        if call.query.get("access_key") != KEY:
            return stack_error(101, "invalid_access_key", "You have not supplied a valid API Access Key.")
        if call.path not in ("/current", "/forecast"):
            return stack_error(103, "invalid_api_function", "This API Function does not exist.")
        if call.path == "/forecast" and not forecasts:
            return stack_error(609, "forecast_days_not_supported_on_plan", "Your plan does not support forecast data.")
        place = _PLACES.get(call.query["query"].lower())
        if place is None:
            return stack_error(615, "request_failed", "Your API request failed. Please try again or contact support.")
        zone = ZoneInfo(place[3])
        local = now.astimezone(zone)
        body: dict[str, object] = {
            "request": {"type": "City", "query": place[0], "language": "en", "unit": call.query.get("units", "m")},
            "location": {
                "name": place[0], "country": place[1], "region": place[2], "lat": "39.739", "lon": "-104.984",
                "timezone_id": place[3], "localtime": local.strftime("%Y-%m-%d %H:%M"),
                "localtime_epoch": int(now.timestamp()), "utc_offset": "-7.0",
            },
            "current": {
                "observation_time": "07:14 PM", "temperature": 13, "weather_code": 113, "weather_icons": ["x.png"],
                "weather_descriptions": ["Sunny"], "wind_speed": 4, "wind_degree": 349, "wind_dir": "N",
                "pressure": 1010, "precip": 0, "humidity": 45, "cloudcover": 10, "feelslike": 13, "uv_index": 4,
                "visibility": 16,
            },
        }  # fmt: skip
        if call.path == "/forecast":
            count = int(call.query["forecast_days"])
            days = [local.date() + timedelta(days=ahead) for ahead in range(count)]
            body["forecast"] = {day.isoformat(): _stack_day(day, ahead) for ahead, day in enumerate(days)}
        return Reply(body)

    return speak


def stack_error(code: int, kind: str, info: str, status: int = 200) -> Reply:
    """A failure as WeatherStack answers it."""
    return Reply({"success": False, "error": {"code": code, "type": kind, "info": info}}, status)


def _stack_day(day: date, ahead: int) -> Mapping[str, object]:
    wet = ahead == 1
    return {
        "date": day.isoformat(),
        "date_epoch": 0,
        "astro": {"sunrise": "06:28 AM", "sunset": "07:19 PM"},
        "mintemp": 2, "maxtemp": 14, "avgtemp": 8, "totalsnow": 0, "sunhour": 10.3, "uv_index": 5,
        "hourly": [
            {
                "time": str(hour * 100), "temperature": 5 + hour // 3, "wind_speed": 12, "wind_degree": 15,
                "wind_dir": "NNE", "weather_code": 296 if wet else 116, "weather_icons": ["x.png"],
                "weather_descriptions": ["Light rain" if wet else "Partly cloudy"], "precip": 0.8 if wet else 0,
                "humidity": 68, "visibility": 10, "pressure": 1008, "cloudcover": 90 if wet else 40, "heatindex": 18,
                "dewpoint": 12, "windchill": 18, "windgust": 35, "feelslike": 18,
                "chanceofrain": 82 if wet else 5, "chanceofremdry": 10, "chanceofwindy": 0, "chanceofovercast": 90,
                "chanceofsunshine": 15, "chanceoffrost": 0, "chanceofhightemp": 0, "chanceoffog": 0, "chanceofsnow": 0,
                "chanceofthunder": 0, "uv_index": 0,
            }
            for hour in range(0, 24, 3)
        ],
    }  # fmt: skip


_SPOTS = (
    ("Denver", "Colorado", "United States", "US", "America/Denver", 39.73915, -104.9847, 715_522),
    ("London", "England", "United Kingdom", "GB", "Europe/London", 51.50853, -0.12574, 8_961_989),
    ("London", "Ontario", "Canada", "CA", "America/Toronto", 42.98339, -81.23304, 422_324),
    ("Springfield", "Missouri", "United States", "US", "America/Chicago", 37.21533, -93.29824, 166_810),
    ("Springfield", "Massachusetts", "United States", "US", "America/New_York", 42.10148, -72.58981, 154_341),
    ("Springfield", "Illinois", "United States", "US", "America/Chicago", 39.80172, -89.64371, 116_565),
    ("Springfield", "Ohio", "United States", "US", "America/New_York", 39.92423, -83.80882, 59_680),
)


def open_meteo_places(call: Call) -> Reply:
    """Open-Meteo's geocoding: plain names only, and no "results" at all where there is none."""
    assert call.path == "/v1/search"
    name = call.query["name"].lower()
    found = [
        {
            "id": number, "name": spot[0], "latitude": spot[5], "longitude": spot[6], "elevation": 74.0,
            "feature_code": "PPL", "country_code": spot[3], "admin1_id": 1, "timezone": spot[4],
            "population": spot[7], "country_id": 2, "country": spot[2], "admin1": spot[1],
        }
        for number, spot in enumerate(_SPOTS)
        if spot[0].lower() == name
    ]  # fmt: skip
    body: dict[str, object] = {"generationtime_ms": 0.5}
    return Reply({"results": found, **body} if found else body)


def open_meteo(now: datetime) -> Speaks:
    """Open-Meteo's forecasts at a time; it rains everywhere tomorrow, and the model ends two days before the last."""

    def speak(call: Call) -> Reply:
        assert call.path == "/v1/forecast"
        if "latitude" not in call.query:
            return meteo_error(400, "Parameter 'latitude' is missing")
        spot = next(s for s in _SPOTS if str(s[5]) == call.query["latitude"])
        zone = ZoneInfo(spot[4])
        local = now.astimezone(zone)
        body: dict[str, object] = {
            "latitude": spot[5], "longitude": spot[6], "generationtime_ms": 0.2, "utc_offset_seconds": -25200,
            "timezone": spot[4], "timezone_abbreviation": "MST", "elevation": 1600.0,
            "current_units": {"time": "iso8601", "temperature_2m": "°C"},
            "current": {
                "time": local.strftime("%Y-%m-%dT%H:15"), "interval": 900, "temperature_2m": 13.1,
                "relative_humidity_2m": 45, "precipitation": 0.0, "weather_code": 1, "cloud_cover": 10,
                "wind_speed_10m": 4.2,
            },
        }  # fmt: skip
        if "forecast_days" in call.query:
            count = int(call.query["forecast_days"])
            body |= _meteo_columns(call, local.date(), count)
        return Reply(body)

    return speak


def meteo_error(status: int, reason: str) -> Reply:
    """A failure as Open-Meteo answers it."""
    return Reply({"error": True, "reason": reason}, status)


def _meteo_columns(call: Call, today: date, count: int) -> dict[str, object]:
    times = [datetime.combine(today, datetime.min.time()) + timedelta(hours=hour) for hour in range(24 * count)]
    wet = [time.date() == today + timedelta(days=1) for time in times]
    known = [time.date() < today + timedelta(days=max(1, count - 2)) for time in times]
    columns: dict[str, list[object]] = {
        "time": [time.strftime("%Y-%m-%dT%H:%M") for time in times],
        "temperature_2m": [2.0 + time.hour / 2 if k else None for time, k in zip(times, known, strict=True)],
        "relative_humidity_2m": [68 if k else None for k in known],
        "precipitation": [(0.4 if w else 0.0) if k else None for w, k in zip(wet, known, strict=True)],
        "weather_code": [(61 if w else 2) if k else None for w, k in zip(wet, known, strict=True)],
        "cloud_cover": [(90 if w else 40) if k else None for w, k in zip(wet, known, strict=True)],
        "wind_speed_10m": [12.0 if k else None for k in known],
        "precipitation_probability": [(82 if w else 5) if k else None for w, k in zip(wet, known, strict=True)],
    }
    assert set(call.query["hourly"].split(",")) == set(columns) - {"time"}
    days = [today + timedelta(days=ahead) for ahead in range(count)]
    daily: dict[str, list[object]] = {
        "time": [day.isoformat() for day in days],
        "temperature_2m_max": [13.5] * count,
        "temperature_2m_min": [2.0] * count,
        "snowfall_sum": [0.0] * count,
    }
    assert set(call.query["daily"].split(",")) == set(daily) - {"time"}
    return {"hourly_units": {}, "hourly": columns, "daily_units": {}, "daily": daily}
