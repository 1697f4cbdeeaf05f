"""Event models that use whatever pydantic can say of data, for the tests of what is made of schemas."""

from __future__ import annotations

import datetime
import enum
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from backbone.development.contracts import Contract
from backbone.development.schemas import schema
from backbone.runtime import EventData

__all__ = ["CONTRACTS", "Category", "Everything"]


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Size(BaseModel):
    kind: Literal["size"]
    width: Annotated[int, Field(gt=0, multiple_of=5)]
    height: float | None = None


class Weight(BaseModel):
    kind: Literal["weight"]
    grams: Annotated[float, Field(gt=0.5, lt=2)]


class Everything(EventData):
    r'''Everything at once, with "quotes", a \ and """three of them""".

    */ ends no comment.'''

    detail_type: ClassVar[str] = 'Everything "Happened"'
    version: ClassVar[int] = 3

    text: Annotated[str, Field(min_length=3, max_length=60, description='What is called "text"')]
    code: Annotated[str, Field(pattern=r"^[A-Z]-[0-9]$")]
    money: Decimal
    flag: bool
    colour: Colour
    either: Literal["a", 1, True, None]
    at: datetime.datetime
    date: datetime.date | None = None
    """A field that is called like a type."""
    id: UUID
    anything: Any
    numbers: Annotated[list[int], Field(min_length=2)]
    pair: tuple[str, int]
    by_name: dict[str, Size]
    thing: Annotated[Size | Weight, Field(discriminator="kind")]
    camel_case: Annotated[str, Field(serialization_alias="camelCase")]
    from_: Annotated[str, Field(serialization_alias="from")]
    odd: Annotated[str, Field(serialization_alias="odd name")]
    copied: Annotated[str, Field(serialization_alias="copy")]
    versioned: Annotated[int, Field(serialization_alias="version")]
    number: Annotated[str, Field(serialization_alias="1st")]
    loose: dict[str, Any] | None = None
    defaulted: int = 7


class Category(EventData):
    """A model that holds itself."""

    detail_type: ClassVar[str] = "Category"
    version: ClassVar[int] = 1

    name: str
    parent: Category | None
    within: list[Category]


def contract(model: type[EventData], publisher: str) -> Contract:
    return Contract(model.detail_type, publisher, publisher, model.version, schema(model))


CONTRACTS = [
    contract(Everything, "shop"),
    contract(Category, "shop"),
    contract(Category, "same"),
    Contract("Invoice.Paid", "elsewhere", "elsewhere"),
    Contract("category event", "elsewhere", "elsewhere"),
]
