"""The catalogue: the shipped one, a company's PostgreSQL, loading, defects, hostile words."""

from __future__ import annotations

import csv
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text

from fulfillment.catalogue import Catalogue, open_catalogue, open_sample
from fulfillment.catalogue.loading import CsvError, load, sample_database
from fulfillment.catalogue.tables import TABLES
from fulfillment.errors import RefusedError, UnavailableError, UnreadableError
from fulfillment.services import SAMPLE
from tests.store import postgres as postgresql

HOSTILE = (
    "'; DROP TABLE stores; --", '" OR ""="', "1' OR '1'='1", "x'); DELETE FROM stock; --", "%", "_", "\\", "\x00",
    "${jndi:ldap://x}", "{{7*7}}", "sweater' UNION SELECT * FROM stores --", "🍕" * 50, "a" * 10_000, "-- comment",
)  # fmt: skip


@pytest.fixture(params=["sample", "company"])
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    found: Catalogue = request.getfixturevalue(request.param)
    return found


def test_what_we_ship_is_what_people_ask_for(catalogue: Catalogue) -> None:
    stores, products = catalogue.stores(), catalogue.products()
    assert len(stores) >= 40
    assert len({store.city for store in stores}) >= 15
    wanted = {"Los Angeles", "San Francisco", "New York", "Denver", "Chicago", "London"}
    assert wanted <= {store.city for store in stores}
    assert len(products) >= 150
    assert all(ZoneInfo(store.timezone) and store.hours and store.kinds for store in stores)
    assert all(0 <= (store.rating or 0) <= 5 and (store.price_level or 1) in (1, 2, 3, 4) for store in stores)
    variants = catalogue.variants([product.id for product in products])
    assert {variant.product_id for variant in variants} == {product.id for product in products}
    assert all(dict(variant.prices)["USD"] > 0 for variant in variants)
    assert {held.store_id for held in catalogue.stock([v.id for v in variants])} <= {store.id for store in stores}


def test_both_databases_hold_the_same(sample: Catalogue, company: Catalogue) -> None:
    assert sample.stores() == company.stores()
    assert sample.products() == company.products()
    ids = [product.id for product in sample.products()]
    assert sample.variants(ids) == company.variants(ids)
    variants = [variant.id for variant in sample.variants(ids)]

    def rows(catalogue: Catalogue) -> set[tuple[str, str, int]]:
        return {(held.variant_id, held.store_id, held.quantity) for held in catalogue.stock(variants)}

    assert rows(sample) == rows(company)


def test_the_sample_says_that_it_is_one(sample: Catalogue, company: Catalogue) -> None:
    assert (sample.sample, sample.name) == (True, "the sample catalogue")
    assert (company.sample, company.name) == (False, "the catalogue")  # its address is nobody's business


def test_things_by_what_people_call_them(catalogue: Catalogue) -> None:
    assert [product.name for product in catalogue.find_products("wool sweaters")] == ["wool sweater"]
    assert [product.name for product in catalogue.find_products("laptop ram")] == ["laptop memory"]
    assert {store.name for store in catalogue.find_stores("north field")} == {"Northfield"}
    assert {store.name for store in catalogue.stores_of_kind("thai food")} == {"Thai Orchid"}
    assert "Nonna Rosa" in {store.name for store in catalogue.stores_of_kind("pasta")}


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_change_nothing(catalogue: Catalogue, words: str) -> None:
    before = len(catalogue.stock([v.id for v in catalogue.variants(["wool-sweater"])]))
    for ask in (catalogue.find_products, catalogue.near_products, catalogue.find_stores, catalogue.stores_of_kind):
        ask(words)
    assert catalogue.variants([words.replace("\x00", "")]) == []
    assert catalogue.stock([words.replace("\x00", "")]) == []
    assert len(catalogue.stock([v.id for v in catalogue.variants(["wool-sweater"])])) == before > 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=200) | st.lists(st.sampled_from(HOSTILE)).map(" ".join))
def test_any_words_only_read(catalogue: Catalogue, words: str) -> None:
    for ask in (catalogue.find_products, catalogue.near_products, catalogue.find_stores, catalogue.stores_of_kind):
        ask(words)
    for ids in ([words.replace("\x00", "")], []):
        assert catalogue.variants(ids) == []
        assert catalogue.stock(ids) == []
    assert len(catalogue.stores()) >= 40


def _until(so: Callable[[], bool]) -> None:
    """Wait for what happens beside the questions."""
    end = time.monotonic() + 60
    while not so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_thousands_of_ids_are_read_in_parts(catalogue: Catalogue) -> None:
    ids = [f"no-{number}" for number in range(3000)]
    assert catalogue.variants([*ids, "wool-sweater"])
    assert catalogue.stock(ids) == []


def test_a_catalogue_cannot_be_written(catalogue: Catalogue) -> None:
    with pytest.raises(UnavailableError), catalogue._reading() as connection:
        connection.execute(text("DELETE FROM stock"))


def test_the_sample_is_made_once_and_anew_when_a_file_changes(tmp_path: Path) -> None:
    folder = tmp_path / "csv"
    shutil.copytree(SAMPLE, folder)
    home = tmp_path / "home with % and ?"
    first = sample_database(home, folder)
    changed = first.stat().st_mtime_ns
    assert sample_database(home, folder) == first
    assert first.stat().st_mtime_ns == changed
    with (folder / "stores.csv").open("a") as file:
        file.write("new,New Shop,shop,1 Road,Denver,Colorado,US,America/Denver,,4.0,1,1\n")
    with open_sample(home, folder) as catalogue:
        assert "New Shop" in {store.name for store in catalogue.stores()}
    assert sorted(path.suffix for path in home.iterdir()) == [".db", ".db"]


def test_several_processes_may_make_the_sample_at_once(tmp_path: Path) -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(sample_database(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 4
    assert list(tmp_path.iterdir()) == [found[0]]


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("stores.csv", "x,X,shop,1 Road,Denver,Colorado,US,America/Denver,,many,1,1", "stores.csv, line 76"),
        ("stock.csv", "wool-sweater-blue-s,northfield-denver", "quantity is missing"),
    ],
)
def test_a_wrong_csv_file_is_told_by_line_and_nothing_is_left(tmp_path: Path, file: str, line: str, told: str) -> None:
    folder = tmp_path / "csv"
    shutil.copytree(SAMPLE, folder)
    with (folder / file).open("a") as opened:
        opened.write(line + "\n")
    with pytest.raises(CsvError, match=told):
        sample_database(tmp_path / "home", folder)
    assert list((tmp_path / "home").iterdir()) == []


def test_a_csv_file_without_a_column_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "csv"
    shutil.copytree(SAMPLE, folder)
    (folder / "hours.csv").write_text("store_id,day,opens\n")
    with pytest.raises(CsvError, match=r"hours\.csv has no column closes"):
        sample_database(tmp_path / "home", folder)


def test_loading_replaces_all_or_nothing(postgres: postgresql.Server, tmp_path: Path) -> None:
    url = postgres.database()
    engine = create_engine(url)
    counts = load(engine, SAMPLE)
    assert counts == {table.name: _lines(SAMPLE / f"{table.name}.csv") for table in TABLES}
    assert load(engine, SAMPLE) == counts
    folder = tmp_path / "csv"
    shutil.copytree(SAMPLE, folder)
    (folder / "stock.csv").write_text("variant_id,store_id,quantity\na,b,c\n")
    with pytest.raises(CsvError):
        load(engine, folder)
    engine.dispose()
    with open_catalogue(url) as catalogue:
        assert len(catalogue.stores()) == counts["stores"]


def _lines(path: Path) -> int:
    with path.open(newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def test_a_company_may_offer_views_with_its_own_tables_behind(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """
            CREATE TABLE branch (code TEXT, title TEXT, tz TEXT, town TEXT);
            INSERT INTO branch VALUES ('b1', 'Corner Shop', 'Europe/Berlin', 'Berlin');
            CREATE VIEW stores AS SELECT code AS id, title AS name, 'shop;kiosk' AS kinds, 'Weg 1' AS address,
              town AS city, '' AS region, 'DE' AS country, tz AS timezone, NULL AS phone, NULL AS rating, 0 AS reviews,
              NULL AS price_level FROM branch;
            CREATE VIEW hours AS SELECT 'b1' AS store_id, 0 AS day, '22:00:00' AS opens, '02:00:00' AS closes;
            CREATE VIEW products AS SELECT 'p' AS id, 'Apfelsaft' AS name, NULL AS brand, NULL AS kind, NULL AS aliases;
            CREATE VIEW variants AS SELECT 'v' AS id, 'p' AS product_id, NULL AS color, NULL AS size;
            CREATE VIEW prices AS SELECT 'v' AS variant_id, 'EUR' AS currency, 249 AS amount_minor;
            CREATE VIEW stock AS SELECT 'v' AS variant_id, 'b1' AS store_id, 4 AS quantity;
            """
        )
    with open_catalogue(f"sqlite:///{path}") as catalogue:
        store = catalogue.stores()[0]
        assert (store.name, store.kinds, store.rating) == ("Corner Shop", ("shop", "kiosk"), None)
        assert (store.hours[0].opens_min, store.hours[0].closes_min) == (22 * 60, 26 * 60)
        assert [product.name for product in catalogue.find_products("apfelsaft")] == ["Apfelsaft"]
        assert catalogue.variants(["p"])[0].prices == (("EUR", 249),)


def test_changes_are_seen_after_the_names_are_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    shutil.copy(sample_database(tmp_path / "home"), path)
    with (
        open_catalogue(f"sqlite:///{path}", refresh_s=0) as eager,
        open_catalogue(f"sqlite:///{path}", refresh_s=3600) as patient,
    ):
        assert len(eager.stores()) == len(patient.stores())
        with closing(sqlite3.connect(path)) as database:
            database.execute("UPDATE stores SET name = 'Renamed' WHERE id = 'nonna-rosa-los-angeles'")
            database.execute("UPDATE stock SET quantity = 77 WHERE variant_id = 'tent-green-2-person'")
            database.commit()
        _until(lambda: "Renamed" in {store.name for store in eager.stores()})
        assert "Renamed" not in {store.name for store in patient.stores()}
        assert {held.quantity for held in patient.stock(["tent-green-2-person"])} == {77}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stores SET timezone = 'Mars/Olympus'",
        "UPDATE hours SET closes = 'dawn'",
        "UPDATE stores SET timezone = NULL WHERE id LIKE 'n%'",
    ],
)
def test_values_that_make_no_sense_are_told(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "shop.db"
    shutil.copy(sample_database(tmp_path / "home"), path)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE loose AS SELECT * FROM stores; DROP TABLE stores; ALTER TABLE loose RENAME TO stores;"
        )
        database.execute(statement)
        database.commit()
    with open_catalogue(f"sqlite:///{path}") as catalogue, pytest.raises(UnreadableError) as caught:
        catalogue.stores()
    assert caught.value.spoken == "Sorry, I can't reach the catalogue right now."


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "not a database address"),
        ("mysql://host/db", "asks for mysql"),
        ("postgresql+asyncpg://host/db", r"asks for postgresql\+asyncpg"),
        ("sqlite:///{tmp}/empty.db", "lacks stores, hours, products, variants, prices, stock"),
    ],
)
def test_an_address_that_cannot_be_used(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        open_catalogue(url.format(tmp=tmp_path))


def test_a_table_without_a_column_is_told(postgres: postgresql.Server) -> None:
    url = postgres.database()
    engine = create_engine(url)
    load(engine, SAMPLE)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE stores DROP COLUMN rating"))
    engine.dispose()
    with pytest.raises(RefusedError, match=r"lacks stores\.rating"):
        open_catalogue(url)


def test_a_server_that_is_not_there_and_its_password(postgres: postgresql.Server) -> None:
    url = make_url(postgres.url("nowhere")).set(password="hunter2", query={"host": "127.0.0.1", "port": "9"})
    with pytest.raises(UnavailableError) as caught:
        open_catalogue(url.render_as_string(hide_password=False))
    assert "hunter2" not in f"{caught.value}{caught.value!r}"
    assert caught.value.retryable


def test_a_database_that_goes_away_is_told_and_may_come_back(
    postgres: postgresql.Server, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres.database()
    engine = create_engine(url)
    load(engine, SAMPLE)
    engine.dispose()
    with open_catalogue(url, refresh_s=0) as catalogue:
        assert catalogue.stores()
        postgres.drop(url)
        with pytest.raises(UnavailableError) as caught:
            catalogue.variants(["wool-sweater"])
        assert caught.value.spoken == "Sorry, I can't reach the catalogue right now."
        _until(lambda: bool(catalogue.stores()) and "what was known of it serves on" in caplog.text)
        name = make_url(url).database
        postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        engine = create_engine(url)
        load(engine, SAMPLE)
        engine.dispose()
        assert catalogue.variants(["wool-sweater"])


def test_threads_share_a_catalogue(catalogue: Catalogue) -> None:
    wrong: list[object] = []

    def ask(words: str) -> None:
        for _ in range(10):
            products = catalogue.find_products(words)
            if [p.name for p in products] != [words] or not catalogue.variants([p.id for p in products]):
                wrong.append(products)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("wool sweater", "tent", "kettle", "hoodie") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
