"""Which services the settings open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fulfillment.ebay import Ebay
from fulfillment.errors import RefusedError, UnavailableError
from fulfillment.open_meteo import OpenMeteo
from fulfillment.places import CataloguePlaces, PlaceQuery, Yelp
from fulfillment.products import CatalogueProducts, ProductQuery
from fulfillment.services import open_services
from fulfillment.weather import SampleWeather
from fulfillment.weatherstack import WeatherStack
from pipeline.errors import ConfigError
from pipeline.settings import Settings


def test_without_keys_everything_is_embedded(tmp_path: Path) -> None:
    services = open_services(tmp_path)
    assert isinstance(services.weather, SampleWeather)
    assert isinstance(services.places, CataloguePlaces)
    assert isinstance(services.products, CatalogueProducts)
    assert services.products.prices(ProductQuery("kettle")).sample
    services.close()


def test_keys_choose_the_apis(tmp_path: Path) -> None:
    services = open_services(tmp_path / "home", weather_key="w", places_key="p", products_key="id:secret")
    assert isinstance(services.weather, WeatherStack)
    assert isinstance(services.places, Yelp)
    assert isinstance(services.products, Ebay)
    assert not (tmp_path / "home").exists()  # nothing of the catalogue is needed
    services.close()


@pytest.mark.parametrize(
    ("weather", "key", "kind"),
    [
        ("open-meteo", "", OpenMeteo),
        ("open-meteo", "customer", OpenMeteo),
        ("weatherstack", "k", WeatherStack),
        ("embedded", "k", SampleWeather),
        ("", "", SampleWeather),
    ],
)
def test_the_weather_can_be_chosen(tmp_path: Path, weather: str, key: str, kind: type) -> None:
    services = open_services(tmp_path, weather=weather, weather_key=key)
    assert isinstance(services.weather, kind)
    services.close()


def test_a_companys_own_database_serves_places_and_products(tmp_path: Path, company_url: str) -> None:
    services = open_services(tmp_path / "home", catalogue_url=company_url)
    found = services.places.search(PlaceQuery(area="denver", what="pasta"))
    assert found.businesses
    assert not found.sample
    assert not services.products.stock(ProductQuery("kettle")).sample
    assert not (tmp_path / "home").exists()
    services.close()


def test_what_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        open_services(tmp_path, products_key="no-colon")
    with pytest.raises(RefusedError):
        open_services(tmp_path, catalogue_url="nonsense")
    for wrong in ({"weather": "yahoo"}, {"units": "kelvin"}):
        with pytest.raises(ValueError, match="no weather service"):
            open_services(tmp_path, **wrong)  # type: ignore[arg-type]
    with pytest.raises(UnavailableError):
        open_services(tmp_path, catalogue_url="postgresql://127.0.0.1:9/nowhere")


def test_the_settings_are_checked_together() -> None:
    for wrong in ({"weather": "yahoo"}, {"weather": "weatherstack"}, {"products_key": "abc"}, {"units": "kelvin"}):
        with pytest.raises(ConfigError):
            Settings(**wrong)  # type: ignore[arg-type]
    assert Settings(weather="open-meteo", units="metric", products_key="id:secret").weather == "open-meteo"


def test_the_embedded_services_load_no_http_client(tmp_path: Path) -> None:
    code = "import sys, fulfillment.weather, fulfillment.catalogue; print('httpx2' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"
