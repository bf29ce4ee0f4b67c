"""The catalogue: a company's stores, products, prices and stock in an SQL database, or the sample that we ship."""

from fulfillment.catalogue.catalogue import Catalogue, open_catalogue, open_sample
from fulfillment.catalogue.values import Product, Span, Stock, Store, Variant

__all__ = ["Catalogue", "Product", "Span", "Stock", "Store", "Variant", "open_catalogue", "open_sample"]
