"""EasyPost: labels, rates, refunds and tracking of about a hundred carriers through one account.

Speaks API v2 (https://api.easypost.com/v2, answered with `Easypost-Api-Version: 2015-01-01`).

Pages read 2026-11-22:
- shipments and labels: https://docs.easypost.com/docs/shipments
- a reference in place of an id: https://docs.easypost.com/docs/easypost-objects
- parcels, in ounces and inches with one decimal: https://docs.easypost.com/docs/parcels
- customs: https://docs.easypost.com/docs/customs-infos
- refunds: https://docs.easypost.com/docs/shipments/shipping-refund
- trackers: https://docs.easypost.com/docs/trackers
- webhooks: https://docs.easypost.com/docs/webhooks and
  https://support.easypost.com/hc/en-us/articles/39826034964237-Webhook-HMAC-Validation
- quotas: https://docs.easypost.com/guides/rate-limiting-guide

Limits: five calls a second on lists, a limiter by load on everything else; 60 carrier accounts per rating.
"""
