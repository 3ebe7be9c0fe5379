"""Vendor protocols as state machines, one per `wire`: what a faultless service would answer."""
