"""Opens the services that the settings choose: those behind an API where there is a key, else the embedded ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fulfillment.answers.phrases import Units
from fulfillment.catalogue import Catalogue, open_catalogue, open_sample
from fulfillment.cities import Cities, load_cities
from fulfillment.places import CataloguePlaces, PlaceService, Yelp
from fulfillment.products import CatalogueProducts, ProductService
from fulfillment.times import utc_now
from fulfillment.weather import SampleWeather, WeatherService

SAMPLE = Path(__file__).resolve().parent.parent / "data" / "catalogue"
_MOST_THINGS = 1_000
_UNITS: Mapping[str, Units] = {"": "", "metric": "metric", "imperial": "imperial"}


@dataclass(frozen=True)
class Services:
    """The open services behind the assistant's answers; threads may share them. Close them when done."""

    weather: WeatherService
    places: PlaceService
    products: ProductService
    cities: Cities
    units: Units = ""  # empty: those of the place that is spoken of
    things: frozenset[str] = frozenset()  # names, colors and sizes of what is sold, and of the stores, where known
    clock: Callable[[], datetime] = utc_now

    def close(self) -> None:
        """Close all connections."""
        with ExitStack() as closing:
            for service in (self.weather, self.places, self.products):
                closing.callback(service.close)


def open_services(
    home: Path,
    *,
    weather: str = "",
    weather_key: str = "",
    places_key: str = "",
    products_key: str = "",
    products_marketplace: str = "EBAY_US",
    catalogue_url: str = "",
    units: str = "",
    sample: Path = SAMPLE,
    clock: Callable[[], datetime] = utc_now,
) -> Services:
    """The services by their settings; nothing is asked of an API yet.

    ``weather`` is embedded, weatherstack or open-meteo; empty means WeatherStack where there is a key, else embedded.
    ``units`` are metric, imperial, or empty for those of the place. ``catalogue_url`` empty means the sample catalogue,
    kept as a file in ``home``. Raises FulfilmentError for a key or an address that cannot be used and for a catalogue
    that cannot be reached, and ValueError for a word that is none of these.
    """
    if weather not in ("", "embedded", "weatherstack", "open-meteo") or units not in _UNITS:
        raise ValueError(f"no weather service is called {weather!r}, or no units {units!r}")
    cities = load_cities(sample / "cities.csv")
    chosen_weather = _weather(weather, weather_key, cities, clock)
    catalogue: Catalogue | None = None
    if not places_key or not products_key:
        catalogue = open_catalogue(catalogue_url) if catalogue_url else open_sample(home, sample)
        catalogue.stores()  # read now, so that the first question is as quick as the next
    if places_key or catalogue is None:
        places: PlaceService = Yelp(places_key, clock=clock)
    else:
        places = CataloguePlaces(catalogue, cities, clock)
    if products_key or catalogue is None:
        from fulfillment.ebay import Ebay  # not needed, and not loaded, without a key

        products: ProductService = Ebay(products_key, marketplace=products_marketplace, clock=clock)
    else:
        products = CatalogueProducts(catalogue, cities, clock)
    things = _things(catalogue) if catalogue is not None and not products_key and not places_key else frozenset()
    return Services(chosen_weather, places, products, cities, _UNITS[units], things, clock)


def _things(catalogue: Catalogue) -> frozenset[str]:
    """The words for what the catalogue holds; none of one so large that people will not know its names either."""
    products, stores = catalogue.products(), catalogue.stores()
    if len(products) + len(stores) > _MOST_THINGS:
        return frozenset()
    variants = catalogue.variants([product.id for product in products])
    found = [name for one in products for name in (one.name, one.brand, one.kind, *one.aliases)]
    found += [name for one in stores for name in (one.name, *one.kinds)]
    found += [name for one in variants for name in (one.color, one.size)]
    return frozenset(name for name in found if name)


def _weather(choice: str, key: str, cities: Cities, clock: Callable[[], datetime]) -> WeatherService:
    if choice == "open-meteo":
        from fulfillment.open_meteo import OpenMeteo

        return OpenMeteo(key, clock=clock)
    if choice == "weatherstack" or (key and not choice):
        from fulfillment.weatherstack import WeatherStack

        return WeatherStack(key, clock=clock)
    return SampleWeather(cities, clock)
