"""Odoo as ERP: sales orders and customer invoices out, stock figures and the catalogue in.

Two ways to talk, one behaviour:

* JSON-2, Odoo 19 and later. https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
* XML-RPC, Odoo 14 to 18; announced to go away in Odoo 22.
  https://www.odoo.com/documentation/18.0/developer/reference/external_api.html

Both pages were read on 2026-11-22. Every call is one database transaction at Odoo: it is done whole or not at all, and
calls cannot be joined. Odoo publishes no quota; the manifest keeps the hub at a polite pace. API keys live three months
at most.
"""
