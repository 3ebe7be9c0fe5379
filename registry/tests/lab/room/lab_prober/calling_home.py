"""A module that reaches out when it is imported."""

from lab_prober.acts import connect

connect("nobody.example", 8443)
