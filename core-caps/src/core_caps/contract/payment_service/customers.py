"""Promises about customers, and about metadata, which every object has alike."""

from core_caps.capabilities.payments import Customer, Payments
from core_caps.contract.payment_service.reading import AMOUNT, CURRENCY, caused_by
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES", "METADATA"]

METADATA = {"search_id": "42", "é ☂": "ümlaut & = + %25\n", "empty-ish": " ", "json": '{"a": [1]}'}
"""What a form body could garble."""


@promise("create_customer", "get_customer")
async def a_customer_is_as_it_was_created(payments: Payments, world: World) -> None:
    """In the answer, and when it is read."""
    for number, (email, name) in enumerate((("ada@example.com", "Ada Löve+lace & Co"), ("", ""))):
        made = await payments.create_customer(
            email=email, name=name, idempotency_key=at(world, "customer", str(number))
        )
        expect("a customer has an id", bool(made.id), made)
        wanted = Customer(made.id, email, name, {})
        expect("a customer is as it was created", made == wanted, made)
        found = await seen(
            world,
            "a customer is read as it was created",
            lambda made=made: payments.get_customer(made.id),
            lambda found, wanted=wanted: found == wanted,
        )
        expect("and is a Customer", isinstance(found, Customer), found)


@promise("create_customer", "get_customer", "create_payment_intent", "get_payment_intent")
async def metadata_comes_back_as_it_was_given(payments: Payments, world: World) -> None:
    """Each name and text, whatever letters it has."""
    customer = await payments.create_customer(
        metadata=METADATA, idempotency_key=at(world, "metadata", "customer")
    )
    intent = await payments.create_payment_intent(
        AMOUNT,
        CURRENCY,
        customer=customer.id,
        metadata=METADATA,
        idempotency_key=at(world, "metadata", "intent"),
    )
    expect("a payment has its customer", intent.customer == customer.id, intent)
    for made in (customer, intent):
        expect("metadata is answered as it was given", dict(made.metadata) == METADATA, made)
    await seen(
        world,
        "metadata is read as it was given",
        lambda: payments.get_customer(customer.id),
        lambda found: found is not None and dict(found.metadata) == METADATA,
    )
    await seen(
        world,
        "metadata is read as it was given",
        lambda: payments.get_payment_intent(intent.id),
        lambda found: found is not None and dict(found.metadata) == METADATA,
    )


@promise("create_customer", "list_events", limits=("email_characters_max",))
async def an_email_is_an_address(payments: Payments, world: World) -> None:
    """Somebody at some domain, and not too long; nobody is created otherwise."""
    longest = world.limits["email_characters_max"]
    domain = "@mail.example.com"
    whole = domain.rjust(longest, "a")
    made = await payments.create_customer(email=whole, idempotency_key=at(world, "email", "max"))
    expect("the longest address is kept", made.email == whole, made)
    bad = (
        "ada",
        "ada@",
        domain,
        "ada@localhost",
        " ada@example.com",
        "a b@example.com",
        f"a{whole}",
    )
    for number, email in enumerate(bad):
        key = at(world, "email", str(number))
        await refused(
            f"{email[:40]!r} is no address",
            payments.create_customer(email=email, idempotency_key=key),
        )
        told = await caused_by(payments, key)
        expect("nobody is created without an address", not told, told)


CASES = (
    a_customer_is_as_it_was_created,
    metadata_comes_back_as_it_was_given,
    an_email_is_an_address,
)
