"""Amazon: orders, stock and shipments through the Selling Partner API.

Versions spoken: Orders 2026-01-01 (searchOrders, getOrder), Orders v0 (confirmShipment alone, which has no successor),
Listings Items 2021-08-01 (patchListingsItem, searchListingsItems), Sellers v1 (getMarketplaceParticipations).

Pages, read 2026-11-22:
https://developer-docs.amazon.com/sp-api/docs/orders-api-migration-guide
https://developer-docs.amazon.com/sp-api/docs/confirm-the-shipment-status
https://developer-docs.amazon.com/sp-api/docs/merge-a-listing
https://developer-docs.amazon.com/sp-api/docs/marketplace-ids
https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits-in-the-sp-api

Limits: searchOrders gives one call every three minutes after a burst of 20, and nothing younger than two minutes.
Listings can be paged for 1,000 items per search. Orders v0 reads end on 2027-03-27 and are not used.
"""
