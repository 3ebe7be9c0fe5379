"""The reference of wire "stripe"."""

from flows_registry.lab.references.stripe.server import FACTORY, Stripe

__all__ = ["FACTORY", "Stripe"]
