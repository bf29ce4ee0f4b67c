"""The tables of a catalogue. A company's own database offers tables or views with these names and columns."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, Numeric, String, Table

metadata = MetaData()

stores = Table(
    "stores",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("kinds", String, nullable=False),  # several with ";" between
    Column("address", String, nullable=False),
    Column("city", String, nullable=False),
    Column("region", String, nullable=False),
    Column("country", String, nullable=False),  # ISO 3166-1
    Column("timezone", String, nullable=False),  # IANA
    Column("phone", String, nullable=False),
    Column("rating", Numeric(2, 1)),  # 0..5 stars
    Column("reviews", Integer, nullable=False),
    Column("price_level", Integer),  # 1..4
)

hours = Table(
    "hours",
    metadata,
    Column("store_id", String, ForeignKey("stores.id"), primary_key=True),
    Column("day", Integer, CheckConstraint("day BETWEEN 0 AND 6"), primary_key=True),  # 0 is Monday
    Column("opens", String(5), primary_key=True),  # HH:MM
    Column("closes", String(5), nullable=False),  # HH:MM; not after `opens`: on the next day; 24:00 is midnight
)

products = Table(
    "products",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("brand", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("aliases", String, nullable=False),  # several with ";" between
)

variants = Table(
    "variants",
    metadata,
    Column("id", String, primary_key=True),
    Column("product_id", String, ForeignKey("products.id"), nullable=False),
    Column("color", String, nullable=False),
    Column("size", String, nullable=False),
    Index("variants_of_product", "product_id"),
)

prices = Table(
    "prices",
    metadata,
    Column("variant_id", String, ForeignKey("variants.id"), primary_key=True),
    Column("currency", String(3), primary_key=True),  # ISO 4217
    Column("amount_minor", Integer, nullable=False),  # in cents, pence; in whole units where there are none (JPY)
)

stock = Table(
    "stock",
    metadata,
    Column("variant_id", String, ForeignKey("variants.id"), primary_key=True),
    Column("store_id", String, ForeignKey("stores.id"), primary_key=True),
    Column("quantity", Integer, nullable=False),
)

TABLES = (stores, hours, products, variants, prices, stock)  # in an order that keeps foreign keys
