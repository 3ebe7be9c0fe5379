"""Customers, products and prices.

https://docs.stripe.com/api/customers https://docs.stripe.com/api/prices
"""

from cap_stripe.arguments import INTERVALS
from cap_stripe.simulation.account import Account, Cause, Thing
from cap_stripe.simulation.forms import Params
from cap_stripe.simulation.refusals import wrong

__all__ = ["create_customer", "create_price", "create_product", "delete_customer", "recurring_of"]


def create_customer(account: Account, params: Params, cause: Cause) -> Thing:
    """A new customer."""
    email, name, metadata = params.email(), params.text("name"), params.metadata()
    params.finish()
    made = account.made(
        "cus", "customer", email=email, name=name, metadata=metadata, balance=0, delinquent=False
    )
    account.tell("customer.created", made, cause)
    return made


def delete_customer(account: Account, id: str, cause: Cause) -> Thing:
    """Nothing is left of a customer but the id. https://docs.stripe.com/api/customers/delete"""
    found = account.find("customer", id, "id", in_path=True)
    account.tell("customer.deleted", found, cause)
    return account.delete(found)


def create_product(account: Account, params: Params, cause: Cause) -> Thing:
    """A new product."""
    name, metadata = params.text("name", required=True), params.metadata()
    params.finish()
    made = account.made("prod", "product", name=name, active=True, metadata=metadata)
    account.tell("product.created", made, cause)
    return made


def create_price(account: Account, params: Params, cause: Cause) -> Thing:
    """A new price, of a product that there is or of a new one."""
    amount, currency = params.money("unit_amount", least=0)
    metadata = params.metadata()
    recurring = recurring_of(params)
    product, inline = params.text("product"), params.below("product_data")
    if (product is None) == (inline is None):
        raise wrong("Specify either `product` or `product_data`.", "product", "parameter_missing")
    name = None if inline is None else inline.text("name", required=True)
    params.finish()
    if product is not None:
        account.find("product", product, "product")
    else:
        new = account.made("prod", "product", name=name, active=True, metadata={})
        account.tell("product.created", new, cause)
        product = new["id"]
    made = account.made(
        "price",
        "price",
        active=True,
        unit_amount=amount,
        currency=currency,
        product=product,
        recurring=recurring,
        type="one_time" if recurring is None else "recurring",
        metadata=metadata,
    )
    account.tell("price.created", made, cause)
    return made


def recurring_of(params: Params) -> Thing | None:
    """How often it is charged again, or None."""
    found = params.below("recurring")
    if found is None:
        return None
    interval = found.text("interval", required=True)
    if interval not in INTERVALS:
        raise wrong(f"Invalid interval: {interval}", "recurring[interval]")
    return {"interval": interval, "interval_count": 1}
