"""Sentences that answer a question from what a service found."""

from fulfillment.answers.phrases import Units, money
from fulfillment.answers.retail import closed_answer, places_answer, price_answer, stock_answer
from fulfillment.answers.weather import weather_answer

__all__ = ["Units", "closed_answer", "money", "places_answer", "price_answer", "stock_answer", "weather_answer"]
