"""The demo: a small trade on loopback, told from morning to evening, with a real hub in the middle.

A web shop, a marketplace, a 3PL, a carrier and an ERP are the connectors' own sandboxes. The hub is `orderhub serve`
in a process of its own, on a temporary SQLite file. Every order is written down beforehand with the place where it
has to end; the closing report compares that with what the hub, the shops, the 3PL, the carrier and the ERP hold.
"""
